"""How well the models do on cells they have not seen, and beside others."""

import streamlit as st

from neuroclass.ui import cache, performance, widgets
from neuroclass.ui.guards import guarded

widgets.heading("Performance", "How well do the models do on cells of donors they have never seen?")
with guarded():
    widgets.source_notice(cache.cohort())
    model = performance.choose_model()
    predictions, group = performance.choose(model)
    table = performance.results_table(model)

performance.tiles(predictions, table, group, model)
performance.coverage(model, group)
st.subheader("Confusion", anchor=False)
performance.confusion(predictions, model, group)
st.subheader("Beside other systems", anchor=False)
performance.systems(table, group)
performance.by_stimuli(model, group)
st.subheader("Where it errs", anchor=False)
performance.by_line(predictions, model)
