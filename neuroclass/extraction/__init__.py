"""Features of thousands of recordings."""
