"""Widgets shared by all pages."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any, TypeAlias

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from neuroclass.charts.theme import download_config
from neuroclass.cohort.cohort import Cohort
from neuroclass.io.export import to_csv
from neuroclass.ui.address import put, take
from neuroclass.ui.text import escaped

Content: TypeAlias = pd.DataFrame | Callable[[], pd.DataFrame] | None
_FIGURES = "figures_of_page"
_ROW_PX = 32.8125
"""Height of a table's row, head included: 2.1875 rem at the theme's 15 px."""
SIMULATED = "These cells are **simulated**: they show how the dashboard works and are no evidence about neurons."


def heading(title: str, question: str) -> None:
    """Show a page's title and the question it answers, if any."""
    st.session_state[_FIGURES] = {}
    st.title(title, anchor=False)
    if question:
        st.caption(question)


def source_notice(cohort: Cohort) -> None:
    """Show in the sidebar what is loaded and from where."""
    with st.sidebar:
        st.caption(f"**{len(cohort):,} cells** from {escaped(cohort.title)}", help=escaped(cohort.source))
        if cohort.simulated:
            st.badge("simulated data", icon=":material/science:", color="orange")


def simulated_notice(cohort: Cohort) -> None:
    """Warn that a page's cells are simulated, and say how to load real ones."""
    if cohort.simulated:
        st.warning(
            f"{SIMULATED} The documentation says how to load recorded cells.",
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
    finding: str = "",
    needs_room: bool = False,
) -> None:
    """Show a figure with its downloads: SVG from the camera button, its numbers as CSV.

    Parameters
    ----------
    fig : Figure
        The figure.
    name : str
        Key on the page and file name of the downloads.
    table : DataFrame or callable, optional
        The numbers behind it.
    caption : str
        What the figure shows, for which cells and protocol; trusted markdown.
    alt : str
        Text alternative for screen readers; by default the caption.
    simulated : bool
        Whether the cells are simulated.
    finding : str
        What the figure shows, in one sentence of plain text above it; also the start of its text alternative.
    needs_room : bool
        Whether it is scrolled sideways where the page is narrow; see `wide`.
    """
    if finding:
        say(finding)
    keep_figure(name, fig, table, simulated)
    with wide(name) if needs_room else nullcontext():
        st.plotly_chart(
            fig,
            key=f"figure-{name}",
            config=download_config(name),
            alt=" ".join(filter(None, (finding, alt or caption))) or name,
        )
    figure_footer(name, table, caption=caption, simulated=simulated)


def wide(name: str) -> Any:
    """A place for a figure whose labels need room: it is scrolled on a telephone, where it is 46 rem wide."""
    return st.container(key=f"wide-{name}")


def in_percent(table: pd.DataFrame, titles: Mapping[str, str]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A table whose shares are shown in percent, with one decimal.

    Parameters
    ----------
    table : DataFrame
        With shares of 1 in the columns to be shown in percent.
    titles : mapping of str to str
        Their names and what heads them.

    Returns
    -------
    DataFrame
        The shares times 100, under their titles.
    dict
        The columns' formats.
    """
    here = {name: title for name, title in titles.items() if name in table}
    shown = table.assign(**{name: 100 * table[name].astype(float) for name in here}).rename(columns=here)
    return shown, {title: st.column_config.NumberColumn(format="%.1f%%") for title in here.values()}


def tiles(number: int) -> list[Any]:
    """Places for metric cards, which go to further rows where a row is too narrow."""
    return [st.container(horizontal=True)] * number


def say(finding: str) -> None:
    """Show a finding, plain text, as the first thing that is read of a figure."""
    st.markdown(f"**{escaped(finding, 600)}**")


def keep_figure(name: str, fig: go.Figure, table: Content, simulated: bool) -> None:
    """Register a figure of the page for `figures_zip`."""
    st.session_state.setdefault(_FIGURES, {})[name] = (fig, table, simulated)


def figures_zip(page: str) -> None:
    """Offer all figures of the page so far as a zip of SVG, PNG and CSV, rendered on demand."""
    figures: dict[str, tuple[go.Figure, Content, bool]] = st.session_state.get(_FIGURES, {})
    simulated = any(one[2] for one in figures.values())
    st.download_button(
        "All figures of this page (zip)",
        lambda: pack_figures(figures),
        file_name=f"neuroclass-{page}{'-simulated' if simulated else ''}.zip",
        mime="application/zip",
        key=f"zip-{page}",
        icon=":material/folder_zip:",
        on_click="ignore",
        help="SVG, PNG and CSV of each",
    )


def pack_figures(figures: Mapping[str, tuple[go.Figure, Content, bool]]) -> bytes:
    """Pack figures into a zip file.

    Parameters
    ----------
    figures : mapping of name to (Figure, table, simulated)
        The figures with their numbers.

    Returns
    -------
    bytes
        ``<name>.svg``, ``<name>.png`` and ``<name>.csv`` of each, where available.
    """
    from neuroclass.charts.static_export import FORMATS, can_draw, render

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (fig, table, simulated) in figures.items():
            stem = f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}{'-simulated' if simulated else ''}"
            for kind in FORMATS if can_draw(fig) else ():
                archive.writestr(f"{stem}.{kind}", render(fig, kind))
            if table is not None:
                archive.writestr(f"{stem}.csv", to_csv(table() if callable(table) else table, simulated=simulated))
    return out.getvalue()


def figure_footer(
    name: str,
    table: pd.DataFrame | Callable[[], pd.DataFrame] | None,
    *,
    caption: str = "",
    simulated: bool = False,
) -> None:
    """Caption under a figure or table, and at its right the CSV button."""
    place = None if table is None else f"footer-{name}"
    with st.container(key=place, horizontal=True, vertical_alignment="center"):
        if caption:
            st.caption(caption)
        if table is not None:
            csv_button(name, table, simulated=simulated)


def table_height(n_rows: int, most: int) -> int:
    """Height, px, of a table that shows whole rows: all of them, or the first `most` and the rest by scrolling."""
    return round(2 + _ROW_PX * (1 + max(1, min(n_rows, most))))


def csv_button(
    name: str,
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    *,
    label: str = "CSV",
    simulated: bool = False,
) -> None:
    """Offer a table as a CSV download, written on demand."""

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
    """Choose one of a few options side by side, kept in the page's URL."""
    default = kwargs.pop("default", options[0])
    chosen = st.segmented_control(
        label, options, default=default, required=True, key=key, bind="query-params", **kwargs
    )
    return default if chosen is None else chosen  # as when a page is left for one that has the same key


def named_choice(label: str, names: Mapping[str, str], key: str, **kwargs: Any) -> str:
    """Choose one of a few options side by side; the page's URL holds its plain name, the button what people read."""
    first = next(iter(names))
    take(key, names, first)
    found = st.segmented_control(label, list(names), required=True, key=key, format_func=names.__getitem__, **kwargs)
    chosen = first if found is None else str(found)  # none when a page is left for one that has the same key
    put(key, chosen, first)
    return chosen


def pick(label: str, options: list[str], key: str, index: int = 0, **kwargs: Any) -> str:
    """Choose one of many options, kept in the page's URL."""
    return st.selectbox(label, options, index=index, key=key, bind="query-params", **kwargs)
