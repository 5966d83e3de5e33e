"""Sweeps left out of an upload: chosen in the gallery, by their numbers, and taken back in."""

import streamlit as st

from neuroclass.classification.inputs import CellInput
from neuroclass.classification.left_out import leave_out, numbers_text, parse_numbers, sweeps_text
from neuroclass.ephys.sweep import Recording
from neuroclass.ui.classify import uploads
from neuroclass.ui.guards import guarded


def controls(key: str, cell_input: CellInput, recording: Recording, chosen: int | None) -> None:
    """Leave out the sweep that was clicked or others by their numbers, and take sweeps back in.

    Parameters
    ----------
    key : str
        Identifies the widgets.
    cell_input : CellInput
        The cell's files.
    recording : Recording
        The sweeps that are measured and, in `left_out`, the others.
    chosen : int or None
        Number of the sweep that was clicked.
    """
    used = {sweep.number for sweep in recording.sweeps}
    gone = {sweep.number for sweep in recording.left_out}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if chosen in used and st.button(f"Leave sweep {chosen} out", key=f"leave-{key}", icon=":material/hide_source:"):
            _leave(cell_input, recording, {chosen})
        if chosen in gone and st.button(f"Take sweep {chosen} back in", key=f"return-{key}", icon=":material/undo:"):
            _keep(cell_input, uploads.left_out(cell_input) - {chosen})
        with (
            st.form(f"leave-out-{key}", border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            text = st.text_input(
                "Sweeps to leave out",
                placeholder="such as 3, 7 or 9-12",
                help=f"Numbered as in the file, which has {sweeps_text(used | gone)}. All features are then "
                "measured without them, and the cell is classified again.",
            )
            pressed = st.form_submit_button("Leave out")
    if pressed and text.strip():
        with guarded(stop=False):
            _leave(cell_input, recording, parse_numbers([text], "Sweeps to leave out:"))
    if gone:
        taken_back(cell_input, gone, key)


def taken_back(cell_input: CellInput, gone: set[int], key: str) -> None:
    """Say which sweeps are left out, with a button that takes them back in."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Left out: {numbers_text(gone)}.")
        if st.button("Take all back in", key=f"return-all-{key}", icon=":material/undo:", type="tertiary"):
            _keep(cell_input, frozenset())


def _leave(cell_input: CellInput, recording: Recording, numbers: set[int] | frozenset[int]) -> None:
    """Leave further sweeps out, once it is known that this can be done."""
    with guarded(stop=False):
        leave_out([recording], numbers)
        _keep(cell_input, uploads.left_out(cell_input) | numbers)


def _keep(cell_input: CellInput, numbers: frozenset[int]) -> None:
    uploads.leave_out(cell_input, numbers)
    st.rerun(scope="app")
