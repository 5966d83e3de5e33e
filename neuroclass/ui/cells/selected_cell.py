"""The selected cell, kept in the page's URL."""

import streamlit as st

STATE = ("stimulus", "sweep", "panel", "feature", "from", "to", "without")
"""URL parameters of the selected cell's view."""


def open_cell(cell_id: str | None) -> None:
    """Open a cell with a fresh view; None returns to the list."""
    st.session_state["cell"] = cell_id
    for key in STATE:
        st.session_state.pop(key, None)
        if key in st.query_params:
            del st.query_params[key]


def wanted() -> str | None:
    """The cell that is asked for, which need not exist; None for the list."""
    if "cell" in st.session_state:
        return str(st.session_state["cell"] or "").strip() or None
    return st.query_params.get("cell") or None
