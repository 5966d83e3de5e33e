"""Cells classified in this session that are drawn among the cohort's."""

from collections.abc import Mapping, Sequence

import streamlit as st

from neuroclass.features import BY_NAME
from neuroclass.ui.cells import own_cells
from neuroclass.ui.cells.own_cells import OwnCell
from neuroclass.ui.text import escaped

KEY = "overlaid"
MOST = 8


def choose() -> dict[str, OwnCell]:
    """Let the user choose among the session's cells; those of the last visit stay chosen while they are known."""
    known = own_cells.known()
    if not known:
        return {}
    if KEY in st.session_state:
        st.session_state[KEY] = [name for name in st.session_state[KEY] if name in known]
    names = st.multiselect(
        "Own cells, drawn among these",
        list(known),
        key=KEY,
        placeholder="none",
        max_selections=MOST,
        persist_state="session",
        help="Cells that you classified in this session. They are drawn in every figure of a feature, with their name "
        "in the legend; filters, selections and tests leave them out.",
    )
    return {name: known[name] for name in names}


def chosen() -> dict[str, OwnCell]:
    """The cells that `choose` has chosen."""
    known = own_cells.known()
    return {name: known[name] for name in st.session_state.get(KEY, ()) if name in known}


def missing(cells: Mapping[str, OwnCell], options: Sequence[str]) -> str:
    """Which of the chosen cells are not drawn on these axes, and why; empty where all are."""
    parts = []
    for name, cell in cells.items():
        lacking = [BY_NAME[one].named for one in options if one in BY_NAME and one not in cell.features]
        if lacking:
            parts.append(f"{name} has no {' and no '.join(lacking)}")
    if cells and any(one not in BY_NAME for one in options):
        parts.append("own cells have no place on an axis that is no feature")
    return f" Not drawn: {escaped('; '.join(parts), 400)}." if parts else ""
