"""The Classify page before anything is uploaded: what may be dropped, and a template."""

import streamlit as st

from neuroclass.reference.template import template_csv, template_guide
from neuroclass.ui.history import store
from neuroclass.ui.identity import is_logged_in
from neuroclass.ui.text import escaped

_NEEDED = """
**What a usable recording holds**

- Whole-cell **current clamp** of one cortical neuron, with the stimulus as a channel or in the file's protocol
- **Long squares** (100 ms or longer), from hyperpolarising to well above rheobase: at least two that spike
- Units in the header; where they are missing or wrong, the page says how the file can be read and asks
- Better with a **short square, ramp or noise**: each makes the answer surer

Recording conditions can be set before or after the file. Published recordings: page [Archive](archive).
"""


def needed() -> None:
    """What a recording must hold to be classified."""
    with st.container(border=True):
        st.markdown(_NEEDED)


def show() -> None:
    """What to do where nothing is uploaded yet."""
    st.subheader("Or fill in a table of features", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Template (CSV)",
            template_csv(),
            file_name="neuroclass-template.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.caption("One row per cell, one column per feature; columns and values may be missing.")
    with st.expander("Columns, units and definitions"):
        st.dataframe(template_guide(), hide_index=True)
    st.caption(
        f"{escaped(store.retention_notice(is_logged_in()), 900)} You can delete them at any time on the History page.",
        help=escaped(store.location()),
    )
