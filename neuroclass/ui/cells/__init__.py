"""A cell and its recording: shown from the cohort, uploaded, or kept."""
