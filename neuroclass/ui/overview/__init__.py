"""The Overview page: which cells are loaded, and how they are composed."""
