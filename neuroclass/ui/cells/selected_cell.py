"""Which cell is open: kept in the page's address, apart from what is shown of it."""

import streamlit as st

STATE = ("stimulus", "sweep", "panel", "feature", "from", "to")
"""What the address holds of the open cell's view."""


def open_cell(cell_id: str | None) -> None:
    """Open a cell with nothing kept of the last one's view; None goes back to the list."""
    st.session_state["cell"] = cell_id
    for key in STATE:
        st.session_state.pop(key, None)
        if key in st.query_params:
            del st.query_params[key]
