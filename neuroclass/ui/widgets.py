"""Parts that every page is made of."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from neuroclass.charts.theme import download_config
from neuroclass.cohort.cohort import Cohort
from neuroclass.io.export import to_csv
from neuroclass.ui.text import escaped

SIMULATED = "These cells are **simulated**: they show how the dashboard works and are no evidence about neurons."


def heading(title: str, question: str) -> None:
    """Title of a page and the question it answers."""
    st.title(title, anchor=False)
    st.caption(question)


def source_notice(cohort: Cohort) -> None:
    """In the sidebar: what is loaded and from where."""
    with st.sidebar:
        st.caption(f"**{len(cohort):,} cells** from {escaped(cohort.source)}")
        if cohort.simulated:
            st.badge("simulated data", icon=":material/science:", color="orange")


def simulated_notice(cohort: Cohort) -> None:
    """On a page: that its cells are simulated, and how to load real ones."""
    if cohort.simulated:
        st.warning(
            f"{SIMULATED} To load recorded cells, run `python -m neuroclass fetch`, or set `NEUROCLASS_DATA` to a "
            "folder of the published tables, and restart.",
            icon=":material/science:",
        )


def figure(
    fig: go.Figure,
    name: str,
    table: pd.DataFrame | Callable[[], pd.DataFrame] | None = None,
    *,
    caption: str = "",
    alt: str = "",
    simulated: bool = False,
) -> None:
    """Show a figure with its downloads: SVG from the camera button, its numbers as CSV.

    Parameters
    ----------
    fig : Figure
        The figure.
    name : str
        Its name: key on the page and file name of the downloads.
    table : DataFrame or callable, optional
        The numbers behind it.
    caption : str
        What it shows, of which cells, under which protocol; markdown of our own.
    alt : str
        What it shows, for those who cannot see it; by default the caption.
    simulated : bool
        Whether the numbers are of simulated cells.
    """
    st.plotly_chart(fig, key=f"figure-{name}", config=download_config(name), alt=alt or caption or name)
    figure_footer(name, table, caption=caption, simulated=simulated)


def figure_footer(
    name: str,
    table: pd.DataFrame | Callable[[], pd.DataFrame] | None,
    *,
    caption: str = "",
    simulated: bool = False,
) -> None:
    """Caption and CSV button under a figure."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if caption:
            st.caption(caption)
        if table is not None:
            csv_button(name, table, simulated=simulated)


def csv_button(
    name: str,
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    *,
    label: str = "CSV",
    simulated: bool = False,
) -> None:
    """Download a table; it is written when asked for."""

    def content() -> bytes:
        return to_csv(table() if callable(table) else table, simulated=simulated)

    st.download_button(
        label,
        content,
        file_name=f"neuroclass-{name}{'-simulated' if simulated else ''}.csv",
        mime="text/csv",
        key=f"csv-{name}",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )


def choice(label: str, options: list[str], key: str, **kwargs: Any) -> str:
    """One of few options side by side, kept in the page's URL."""
    return st.segmented_control(
        label, options, default=kwargs.pop("default", options[0]), required=True, key=key, bind="query-params", **kwargs
    )


def pick(label: str, options: list[str], key: str, index: int = 0, **kwargs: Any) -> str:
    """One of many options, kept in the page's URL."""
    return st.selectbox(label, options, index=index, key=key, bind="query-params", **kwargs)
