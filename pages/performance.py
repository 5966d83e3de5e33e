"""How well the models do on cells they have not seen, and beside others."""

import streamlit as st

from neuroclass.types.models import HUMAN_SUBCLASS
from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import own_report, shipped
from neuroclass.ui.performance import human_subclass, performance

widgets.heading("Performance", "How well do the models do on cells of donors they have never seen?")
with guarded():
    widgets.source_notice(cache.cohort())
    chosen = model_choice.pick()
    if not chosen.shipped:
        own_report.performance_of(chosen)
        st.stop()
    if short := performance.in_short():
        st.markdown(f"**{short}**")
        st.caption(f"{shipped.pooled()} Performance tells of the networks; a verdict pools them with other models.")
    with st.container(key="asked"):
        left, right = st.columns([3, 2])
    with left:
        model = performance.choose_model()
    with right:
        group = performance.choose_species(model)
if model == HUMAN_SUBCLASS.name:
    with guarded():
        human_subclass.show()
else:
    with guarded():
        predictions = performance.predictions_of(model, group)
        table = performance.results_table(model)
    view = performance.choose_view()
    if view in performance.AT_HOME:
        performance.tiles(predictions, table, group, model)
    with guarded():
        performance.show(view, predictions, table, model, group)
        if view in performance.AT_HOME:
            performance.coverage(model, group)
