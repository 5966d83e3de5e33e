"""Classification of users' cells: one path for page, command line and notebook."""
