"""Which cells are alike, and what one of them does."""

import streamlit as st

from neuroclass.ui import cache, model_choice, widgets
from neuroclass.ui.cells import selected_cell
from neuroclass.ui.explore import explore, human_cells, linked_views, overlaid
from neuroclass.ui.guards import guarded, need

widgets.heading("Explore", "Filter and compare cells, then open one: its sweeps, its spikes, its 41 features.")
chosen_cells = human_cells.choose()
with guarded():
    cells = human_cells.cells() if chosen_cells == human_cells.ELSEWHERE else cache.cohort()
    if cells is None:
        human_cells.outputs()
        st.stop()
    frame = explore.decorated(cells)
widgets.source_notice(cells)
widgets.simulated_notice(cells)

chosen = explore.cell_selector(frame)
if chosen:
    from neuroclass.ui.cells import cell  # here, for it imports what the list does without

    st.button("Back to all cells", on_click=selected_cell.open_cell, args=(None,), icon=":material/arrow_back:")
    with guarded():
        model_choice.pick()
        cell.show(cells, chosen)
    st.stop()

overlaid.choose()
with guarded():
    rows = explore.filters(frame, cells.source)
need(len(rows) > 0, "No cell passes the filters. Clear one of them.")
with st.container(key="passing"):
    st.caption(
        f"{len(rows):,} of {len(frame):,} cells pass the filters. The address of this page holds them: share it."
    )
linked_views.views(rows, frame, cells.simulated, cells.source)
