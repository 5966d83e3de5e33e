"""Which cells are alike, and what one of them does."""

import streamlit as st

from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.cells import selected_cell
from neuroclass.ui.explore import explore, human_cells, linked_views, overlaid
from neuroclass.ui.guards import guarded, need

TITLE = "Explore", "Filter and compare cells, then open one: its sweeps, its spikes, its 41 features."
opened = selected_cell.wanted()
if opened is None:
    widgets.heading(*TITLE)
    which, one = st.columns(2)
else:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button("Back to all cells", on_click=selected_cell.open_cell, args=(None,), icon=":material/arrow_back:")
        which = st.popover("Cells", icon=":material/dataset:")
        one = st.container(width=320)  # in sight, for the browser knows the cell only once its choice is drawn
with which:
    chosen_cells = human_cells.choose()
with guarded():
    cells = human_cells.cells() if chosen_cells == human_cells.ELSEWHERE else cache.cohort()
    if cells is None:
        human_cells.outputs()
        st.stop()
    frame = explore.decorated(cells)
widgets.source_notice(cells)

with one:
    chosen = explore.cell_selector(frame)
if chosen:
    from neuroclass.ui.cells import cell  # here, for it imports what the list does without

    with guarded():
        model_choice.pick()
        cell.show(cells, chosen)
    st.stop()
if opened is not None:
    widgets.heading(*TITLE)
    explore.unknown(opened)

widgets.simulated_notice(cells)
overlaid.choose()
with guarded():
    rows = explore.filters(frame, cells.source)
need(len(rows) > 0, "No cell passes the filters. Clear one of them.")
with st.container(key="passing"):
    which = "All" if len(rows) == len(frame) else f"{len(rows):,} of"
    hint = "" if len(rows) == len(frame) else " Copy this page's URL to share these filters."
    st.caption(f"{which} {len(frame):,} cells pass the filters.{hint}")
linked_views.views(rows, frame, cells.simulated, cells.source)
