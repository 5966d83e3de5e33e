"""The history of classified cells, and whose it is."""
