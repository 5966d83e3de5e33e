"""Which features LSPIN uses for which cell."""

import streamlit as st

from neuroclass.reports.store import Table
from neuroclass.types.models import LSPIN
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import gate_cells, gates, stability
from neuroclass.ui.guards import guarded

widgets.heading("Gates", "Which few features does LSPIN let through for a cell, and do cells of a class agree?")
with guarded():
    widgets.source_notice(cache.cohort())
    table = cache.table(LSPIN.name, Table.GATES)
    gates.tiles(table)
    st.subheader("Every cell and every gate", anchor=False)
    gates.matrix()
    st.subheader("Do open gates matter?", anchor=False)
    gates.matter()
    st.subheader("By class", anchor=False)
    gates.by_class(table)
    st.subheader("One cell", anchor=False)
    gate_cells.one_cell(table)
    st.subheader("Do gates, SHAP and permutation agree?", anchor=False)
    stability.section(LSPIN.name)
