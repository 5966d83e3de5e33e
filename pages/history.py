"""Cells that were classified before."""

from neuroclass.ui import model_choice, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import history

widgets.heading("History", "What did I classify, what came of it then, and what do today's models say?")
with guarded():
    model_choice.pick()
    history.page()
