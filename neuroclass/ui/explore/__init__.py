"""The Explore page: filter, plot, select and compare cells."""
