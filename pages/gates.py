"""Which features LSPIN uses for which cell."""

import streamlit as st

from neuroclass.reports.store import Table
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.explain import gate_cells, gates, stability
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report

widgets.heading("Gates", "Which few features does a model let through for a cell, and do cells of a class agree?")
with guarded():
    widgets.source_notice(cache.cohort())
    model = own_report.gated_model(model_choice.pick())
    table = cache.table(model, Table.GATES)
    gates.tiles(table, model)
    st.subheader("Every cell and every gate", anchor=False)
    gates.matrix(model)
    st.subheader("Do open gates matter?", anchor=False)
    gates.matter(model)
    st.subheader("By class", anchor=False)
    gates.by_class(table, model)
    st.subheader("One cell", anchor=False)
    gate_cells.one_cell(table, model)
    st.subheader("Do gates, SHAP and permutation agree?", anchor=False)
    stability.section(model)
