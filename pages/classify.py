"""What the cell in a recording is, and why."""

import json

import streamlit as st

from neuroclass.ui import uploads, verdict_view, widgets
from neuroclass.ui.guards import guarded
from neuroclass.verdict import Refusal

widgets.heading("Classify", "What is the cell in my recording, how sure is that, and on which spike does it rest?")
with guarded():
    files = uploads.files()
    given = uploads.context()
if not files:
    uploads.empty_state()
    st.stop()

with guarded():
    pairs = uploads.answer_all(files, given)
table = verdict_view.overview_table(pairs)
chosen = 0
if len(pairs) > 1:
    event = st.dataframe(table, hide_index=True, key="verdicts", on_select="rerun", selection_mode="single-row")
    st.caption(f"{len(pairs)} cells and refused files. Tick one to see it below.")
    chosen = min(next(iter(event.selection.rows), 0), len(pairs) - 1)
with st.container(horizontal=True):
    widgets.csv_button("verdicts", table, label="All verdicts (CSV)")
    st.download_button(
        "All verdicts (JSON)",
        lambda: json.dumps([one.to_json() for _, one in pairs], indent=1),
        file_name="neuroclass-verdicts.json",
        mime="application/json",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )

upload, answer = pairs[chosen]
if isinstance(answer, Refusal):
    verdict_view.refusal(answer)
else:
    verdict_view.show(upload, answer, given)
