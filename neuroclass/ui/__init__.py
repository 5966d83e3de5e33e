"""The pages' parts: a package per page, shared parts beside them. Only this package and the pages use streamlit."""
