"""The paper's tables and figures, as published and honestly."""

from neuroclass.ui import widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.paper import paper

widgets.heading("Paper", "What does the paper report, what do we get by its protocol, and what by an honest one?")
with guarded():
    paper.page()
