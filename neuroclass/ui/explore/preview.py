"""The sweeps of a single cell that was selected in the scatter plot or ticked in the table."""

import streamlit as st

from neuroclass.charts import cell_gallery
from neuroclass.cohort.class_shape import ABOVE_RHEOBASE_PA
from neuroclass.ui import cache, widgets
from neuroclass.ui.cells import neighbours
from neuroclass.ui.cells.selected_cell import open_cell
from neuroclass.ui.text import escaped


def show(cell_id: str, source: str, simulated: bool) -> None:
    """Two long squares of one cell of the cohort, or why there is none to show.

    Parameters
    ----------
    cell_id : str
        The cell; no other cell's sweeps are drawn in its place.
    source : str
        Source of the cells on the page.
    simulated : bool
        Whether they are simulated.
    """
    pair = neighbours.pair(source, cell_id)
    if not pair:
        why = (
            "its features are loaded, not its sweeps."
            if source != cache.cohort().source
            else "its recording is not on this machine, or has no long square. Open the cell to fetch it."
        )
        st.caption(f":material/show_chart: No preview of {escaped(cell_id)}: {why}")
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**Preview of {escaped(cell_id)}**")
        if st.button(
            "Open it", key="open-previewed", icon=":material/open_in_full:", on_click=open_cell, args=(cell_id,)
        ):
            st.rerun(scope="app")
    panel = cell_gallery.Panel("", "", pair, neighbours.window_of(pair))
    widgets.figure(
        cell_gallery.gallery([panel], simulated).update_layout(height=250, margin_t=32).update_annotations(yshift=4),
        "preview",
        caption=f"The most hyperpolarising long square, and one about {ABOVE_RHEOBASE_PA:g} pA above rheobase.",
        alt=f"Two long squares of {escaped(cell_id)}",
        simulated=simulated,
    )
