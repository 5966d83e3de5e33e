"""Checks of uploaded data, one small function each."""
