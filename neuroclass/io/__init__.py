"""Bytes to objects and back: the only place that knows file formats."""
