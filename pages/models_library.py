"""Which models there are, and how two of them differ."""

import streamlit as st

from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.models import compare, models

widgets.heading("Models", "Which models can judge my cells, what were they trained on, and how do two of them differ?")
with guarded():
    widgets.source_notice(cache.cohort())
    model_choice.pick()
    ticked = models.show_table()
if ticked is None:
    st.caption("Tick a row to use, rename, download or delete a model. Runs of the Train page come here when done.")
else:
    with guarded(stop=False):
        models.actions(ticked)
with guarded(stop=False):
    models.upload()
    models.train()
st.subheader("Two models side by side", anchor=False)
compare.show()
