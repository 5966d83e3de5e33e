"""Which features LSPIN uses for which cell."""

from neuroclass.reports.store import Table
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import gate_cells, gates, stability
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report

VIEWS = {
    "Overview": gates.tiles,
    "Cells and gates": lambda _, model: gates.matrix(model),
    "By class": gates.by_class,
    "Deletion": lambda _, model: gates.matter(model),
    "One cell": gate_cells.one_cell,
    "Retraining": lambda _, model: stability.section(model),
}

widgets.heading(
    "Gates",
    "A gate switches one feature on or off for one cell. Which few does LSPIN use, and do cells of a class agree?",
)
with guarded():
    widgets.source_notice(cache.cohort())
    model = own_report.gated_model(model_choice.pick())
    view = widgets.choice("View", list(VIEWS), "view", label_visibility="collapsed")
    VIEWS[view](cache.table(model, Table.GATES), model)
