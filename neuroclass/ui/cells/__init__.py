"""One cell and its recording, from the cohort, an upload or the history."""
