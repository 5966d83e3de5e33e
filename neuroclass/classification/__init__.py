"""From what a user brings to a classified cell: one path for page, command line and notebook."""
