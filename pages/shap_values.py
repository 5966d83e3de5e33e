"""Why a model says what it says."""

import streamlit as st

from neuroclass.ui import cache, performance, shap_values, widgets
from neuroclass.ui.guards import guarded

widgets.heading("SHAP", "Which features move a model towards a class, in which cells, and by how much?")
with guarded():
    widgets.source_notice(cache.cohort())
    model = performance.choose_model()
    rows, name, group = shap_values.choose(model)
    shap_values.beeswarm(model, rows, name, group)
    st.subheader("Mean |SHAP|", anchor=False)
    shap_values.importance(model, name)
    st.subheader("Dependence", anchor=False)
    shap_values.dependence(model, rows)
    st.subheader("One cell", anchor=False)
    shap_values.one_cell(model, rows, name)
