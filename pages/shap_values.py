"""Why a model says what it says."""

import streamlit as st

from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import shap_cells, shap_systems, shap_values, stability
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report

SYSTEMS, RETRAINING = "Systems", "Retraining"
VIEWS = {
    "Overview": shap_values.beeswarm,
    "Importance": shap_values.importance,
    "Cells": shap_values.heat_map,
    "Dependence": shap_cells.dependence,
    "One cell": shap_cells.one_cell,
}
NAMES = {
    "Overview": "Strongest",
    "Importance": "By group",
    "Cells": "All cells",
    "Dependence": "By value",
    "One cell": "One cell",
    SYSTEMS: "Other models",
    RETRAINING: "Retrained",
}  # what a view shows; the address holds its plain name

widgets.heading(
    "SHAP: which features matter", "Which features move a model towards a class, in which cells, and by how much?"
)
with guarded():
    widgets.source_notice(cache.cohort())
    chosen = model_choice.pick()
    st.markdown(
        "A SHAP value of +10 says: this feature's value raises the class's probability in this cell by 10 percentage "
        "points, against typical cells of its species."
    )
    model = shap_values.choose_model() if chosen.shipped else own_report.explained(chosen)
    names = {name: title for name, title in NAMES.items() if chosen.shipped or name != SYSTEMS}
    view = widgets.named_choice("View", names, "view")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = None if view in (SYSTEMS, RETRAINING) else shap_values.choose(model)
    if shown is None:
        (shap_systems.systems if view == SYSTEMS else stability.section)(model)
    else:
        VIEWS[view](shown)
        shap_values.footing(shown)
