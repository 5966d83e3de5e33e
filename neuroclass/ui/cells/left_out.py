"""Sweeps left out of a recording: the one that was clicked, others by their numbers, and all taken back in."""

from collections.abc import Callable, Set

import streamlit as st

from neuroclass.classification.left_out import leave_out, parse_numbers
from neuroclass.ephys.sweep import Recording
from neuroclass.ephys.sweep_words import numbers_text, sweeps_text
from neuroclass.ui.guards import guarded

Keep = Callable[[frozenset[int]], None]
"""Keeps the numbers of all sweeps that are left out."""


def controls(key: str, recording: Recording, chosen: int | None, before: frozenset[int], keep: Keep) -> None:
    """Leave out the sweep that was clicked or others by their numbers, and take sweeps back in.

    Parameters
    ----------
    key : str
        Identifies the widgets.
    recording : Recording
        The sweeps that are measured and, in `left_out`, the others.
    chosen : int or None
        Number of the sweep that was clicked.
    before : frozenset of int
        What is left out now; also numbers of the file's other cells.
    keep : callable
        Takes all numbers that are to be left out.
    """
    used = {sweep.number for sweep in recording.sweeps}
    gone = {sweep.number for sweep in recording.left_out}

    def leave(numbers: Set[int]) -> None:
        leave_out([recording], numbers)
        _again(keep, before | numbers)

    with st.container(horizontal=True, vertical_alignment="bottom"), guarded(stop=False):
        if chosen in used and st.button(f"Leave sweep {chosen} out", key=f"leave-{key}", icon=":material/hide_source:"):
            leave({chosen})
        if chosen in gone and st.button(f"Take sweep {chosen} back in", key=f"return-{key}", icon=":material/undo:"):
            _again(keep, before - {chosen})
        with st.form(f"leave-out-{key}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
            text = st.text_input(
                "Sweeps to leave out",
                key=f"leave-text-{key}-{len(gone)}",
                placeholder="such as 3, 7 or 9-12",
                help=f"Numbered as in the file, which has {sweeps_text(used | gone)}. All features are then measured "
                "without them, and the cell is classified again. Of a file with several cells, each "
                "loses those that it has.",
            )
            pressed = st.form_submit_button("Leave out")
    if pressed and text.strip():
        with guarded(stop=False):
            leave(parse_numbers([text], "Sweeps to leave out:"))
    if gone:
        taken_back(key, gone, before - gone, keep)


def taken_back(key: str, gone: Set[int], rest: frozenset[int], keep: Keep) -> None:
    """Say which sweeps are left out, with a button that takes them back in and leaves only `rest` out."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Left out: {numbers_text(gone)}.")
        if st.button("Take all back in", key=f"return-all-{key}", icon=":material/undo:", type="tertiary"):
            _again(keep, rest)


def _again(keep: Keep, numbers: frozenset[int]) -> None:
    keep(numbers)
    st.rerun(scope="app")
