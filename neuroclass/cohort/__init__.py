"""Cohorts of cells and how they are split."""
