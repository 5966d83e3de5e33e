"""Cells that were classified before."""

from neuroclass.ui import model_choice, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import history

widgets.heading("History", "Your past classifications, and how the current models would classify them now.")
with guarded():
    model_choice.pick()
    history.page()
