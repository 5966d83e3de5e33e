"""Cohorts of cells: loading, splitting, querying and comparing them."""
