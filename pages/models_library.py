"""Which models there are, and how two of them differ."""

import streamlit as st

from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import compare, models, shipped

widgets.heading(
    "Models",
    "The models that can classify your cells: how good they are, and how two of them differ.",
)
with guarded():
    widgets.source_notice(cache.cohort())
    model_choice.pick()
    ticked = models.show_table()
if ticked is None:
    st.caption(
        "The shipped models form one set. Select a row to use a model; those that were trained or uploaded here can "
        "also be downloaded, renamed and deleted. Finished training runs appear here."
    )
else:
    with guarded(stop=False):
        models.actions(ticked)
with guarded(stop=False):
    shipped.cards()
st.subheader("Compare two models", anchor=False)
compare.show()
with guarded(stop=False):
    models.upload()
    models.train()
