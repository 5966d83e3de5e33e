"""Why a model says what it says."""

import streamlit as st

from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import shap_cells, shap_values, stability
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report
from neuroclass.ui.performance import performance

widgets.heading("SHAP", "Which features move a model towards a class, in which cells, and by how much?")
with guarded():
    widgets.source_notice(cache.cohort())
    chosen = model_choice.pick()
    shown = shap_values.choose(performance.choose_model() if chosen.shipped else own_report.explained(chosen))
    shap_values.footing(shown)
    shap_values.beeswarm(shown)
    st.subheader("Mean |SHAP|", anchor=False)
    shap_values.importance(shown)
    st.subheader("Every cell and feature", anchor=False)
    shap_values.heat_map(shown)
    st.subheader("Dependence", anchor=False)
    shap_cells.dependence(shown)
    st.subheader("One cell", anchor=False)
    shap_cells.one_cell(shown)
    if chosen.shipped:
        st.subheader("Do the systems rest on the same features?", anchor=False)
        shap_values.systems(shown.model)
    st.subheader("Does it survive retraining?", anchor=False)
    stability.section(shown.model)
