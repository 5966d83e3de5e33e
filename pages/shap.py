"""Why a model says what it says."""

import streamlit as st

from neuroclass.ui import cache, performance, shap_page, widgets
from neuroclass.ui.guards import guarded

widgets.heading("SHAP", "Which features move a model towards a class, in which cells, and by how much?")
with guarded():
    widgets.source_notice(cache.cohort())
    model = widgets.choice("Model", list(performance.NAMES), "model", format_func=performance.NAMES.__getitem__)
    rows, name, group = shap_page.choose(model)
    shap_page.beeswarm(model, rows, name, group)
    st.subheader("Mean |SHAP|", anchor=False)
    shap_page.importance(model, name)
    st.subheader("Dependence", anchor=False)
    shap_page.dependence(model, rows)
    st.subheader("One cell", anchor=False)
    shap_page.one_cell(model, rows, name)
