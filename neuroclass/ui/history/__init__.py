"""The History page: classified cells, and the browser they belong to."""
