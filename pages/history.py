"""Cells that were classified before."""

from neuroclass.ui import model_choice, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import history

widgets.heading(
    "History",
    "What did I classify before? Open a cell again, compare model versions on it, or share it.",
)
with guarded():
    model_choice.pick()
    history.page()
