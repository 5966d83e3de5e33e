"""Placeholder."""

from neuroclass.ui import widgets

widgets.heading("Methods", "")
