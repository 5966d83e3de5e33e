"""Checks of what a user uploads, one small function each."""
