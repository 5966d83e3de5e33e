"""The Classify page before anything is uploaded: what may be dropped, and a template."""

import streamlit as st

from neuroclass.reference.template import template_csv, template_guide
from neuroclass.ui.history import store


def show() -> None:
    """What to do where nothing is uploaded yet."""
    st.info(
        "Drop one or many files above, or a zip of them. A recording gives the features its sweeps allow; a table may "
        "lack columns and values. Nothing leaves this machine.",
        icon=":material/info:",
    )
    st.caption(store.retention_notice())
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.download_button(
        "Template (CSV)",
        template_csv(),
        file_name="neuroclass-template.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    right.caption(
        "One row per cell; a column per feature, in the units listed here. `cell` and `species` are optional."
    )
    with st.expander("Columns, units and definitions"):
        st.dataframe(template_guide(), hide_index=True)
