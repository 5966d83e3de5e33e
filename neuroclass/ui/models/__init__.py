"""The Models page, and the reports of models that were chosen."""
