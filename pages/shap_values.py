"""Why a model says what it says."""

import streamlit as st

from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import shap_cells, shap_values, stability
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report
from neuroclass.ui.performance import performance

SYSTEMS, RETRAINING = "Systems", "Retraining"
VIEWS = {
    "Overview": shap_values.beeswarm,
    "Importance": shap_values.importance,
    "Cells": shap_values.heat_map,
    "Dependence": shap_cells.dependence,
    "One cell": shap_cells.one_cell,
}

widgets.heading("SHAP", "Which features move a model towards a class, in which cells, and by how much?")
with guarded():
    widgets.source_notice(cache.cohort())
    chosen = model_choice.pick()
    view = widgets.choice(
        "View", [*VIEWS, *([SYSTEMS] if chosen.shipped else []), RETRAINING], "view", label_visibility="collapsed"
    )
    model = performance.choose_model() if chosen.shipped else own_report.explained(chosen)
    if view == SYSTEMS:
        shap_values.systems(model)
    elif view == RETRAINING:
        stability.section(model)
    else:
        with st.container(horizontal=True, vertical_alignment="top"):
            shown = shap_values.choose(model)
        VIEWS[view](shown)
        shap_values.footing(shown)
