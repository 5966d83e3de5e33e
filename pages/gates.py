"""Which features LSPIN uses for which cell."""

import streamlit as st

from neuroclass.reports.store import Table
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import gate_cells, gates, stability
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report

NAMES = {
    "Overview": "How many features",
    "Cells and gates": "All cells",
    "By class": "By class",
    "Deletion": "Without a feature",
    "One cell": "One cell",
    "Retraining": "Retrained",
}  # what a view shows; the address holds its plain name
VIEWS = {
    "Overview": gates.tiles,
    "Cells and gates": lambda _, model: gates.matrix(model),
    "By class": gates.by_class,
    "Deletion": lambda _, model: gates.matter(model),
    "One cell": gate_cells.one_cell,
    "Retraining": lambda _, model: stability.section(model),
}

widgets.heading(
    "Gates: the few features LSPIN uses",
    "LSPIN, a locally sparse network, has a gate for every feature, which opens or shuts it for one cell. Which are "
    "open, and do cells of a class agree?",
)
with guarded():
    widgets.source_notice(cache.cohort())
    chosen = model_choice.pick()
    model = own_report.gated_model(chosen)
    if chosen.shipped:
        st.caption(
            "The gates here are LSPIN's own. Classify pools LSPIN with models of the same features that have no gates, "
            "so that a feature whose gate is shut can still weigh in an answer there."
        )
    view = widgets.named_choice("View", NAMES, "view", label_visibility="collapsed")
    VIEWS[view](cache.table(model, Table.GATES), model)
