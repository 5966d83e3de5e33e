"""The paper's tables and figures: published, by its protocol, and donor-grouped."""

from neuroclass.report.paper import TITLE
from neuroclass.ui import widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.paper import paper

widgets.heading(TITLE, "")
with guarded():
    paper.page()
