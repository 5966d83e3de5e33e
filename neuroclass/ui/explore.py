"""Parts of the Explore page: filters, linked views of many cells."""

from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.charts import cohort as charts
from neuroclass.charts.theme import download_config, ordered
from neuroclass.cohort.cohort import META_COLUMNS, Cohort
from neuroclass.cohort.query import match_filters, match_query, match_text
from neuroclass.errors import ModelFileError
from neuroclass.evaluation.summaries import compare_groups
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.ui import cache, widgets
from neuroclass.ui.opened import open_cell

FILTERS = ("species", "broad", "class", "layer", "structure", "line", "dendrite_type", "reporter_status", "verdict")
COLOURS = ("class", "broad", "species", "layer", "structure", "dendrite_type", "verdict")
EMBEDDING = "embedding"
_VERDICT = {True: "right", False: "wrong"}


def decorated(cells: Cohort) -> pd.DataFrame:
    """The cohort's frame with the columns ``class`` and ``verdict``.

    The class is a cell's subclass, or where it has none, its broad class. The verdict is how the
    shipped models did on the cell while it was held out: LSPIN's counts for mouse cells, DANN's for
    human ones; ``uncertain`` is a largest probability, mean over repeats, below 0.6.
    """
    frame = cells.frame
    frame = frame.assign(verdict=None, **{"class": frame["subclass"].where(frame["subclass"].notna(), frame["broad"])})
    if cells.simulated:
        return frame
    try:
        parts = [_verdicts("lspin"), _verdicts("dann")]
    except ModelFileError:
        return frame
    known = pd.concat(parts)
    known = known[~known.index.duplicated()]
    frame["verdict"] = frame["id"].map(known)
    return frame


def _verdicts(model: str) -> "pd.Series[Any]":
    predictions = cache.table(model, "predictions")
    columns = [c for c in predictions.columns if c.startswith("p_")]
    mean = predictions.groupby("id")[columns].mean()
    truth = predictions.groupby("id")["truth"].first()
    right = mean.idxmax(axis=1).str.removeprefix("p_") == truth
    return right.map(_VERDICT).where(mean.max(axis=1) >= 0.6, "uncertain")


def filters(frame: pd.DataFrame) -> pd.DataFrame:
    """Filter widgets, all kept in the URL; the cells they leave."""
    with st.expander("Filters", icon=":material/filter_alt:", expanded=True):
        top = st.columns([2, 3])
        text = top[0].text_input(
            "Search", key="q", bind="query-params", persist_state="session", placeholder="a word, or pasted cell ids"
        )
        query = top[1].text_input(
            "Query",
            key="where",
            bind="query-params",
            persist_state="session",
            placeholder='sag > 0.2 and layer in ["2", "2/3"]',
            help="Comparisons of columns with values, joined by and, or, not. Features are in stored units "
            "(mV, pA, MOhm, ms; width and latency in s).",
        )
        wanted = {}
        columns = st.columns(5)
        offered = [c for c in FILTERS if frame[c].notna().any()]
        for k, name in enumerate(offered):
            options = ordered(frame[name])
            wanted[name] = columns[k % 5].multiselect(
                name.replace("_", " ").capitalize(),
                options,
                key=f"f_{name}",
                bind="query-params",
                persist_state="session",
                placeholder="any",
            )
        mask = match_filters(frame, wanted) & match_text(frame, text) & match_query(frame, query)
    return frame[mask]


def _axes(frame: pd.DataFrame) -> tuple[str, str, str, pd.DataFrame]:
    """Choice of axes and colour, and the points to draw."""
    embeddings = _embeddings()
    options = [*FEATURE_NAMES, *embeddings]
    first, second, third = st.columns(3)
    with first:
        x = widgets.pick("Horizontal", options, "x", options.index("upstroke_downstroke_ratio"), format_func=_axis_name)
    with second:
        y = widgets.pick("Vertical", options, "y", options.index("width"), format_func=_axis_name)
    with third:
        colour = widgets.pick("Colour", list(COLOURS), "colour", format_func=lambda c: c.replace("_", " ").capitalize())
    points = frame[list(dict.fromkeys(("id", "species", colour)))].assign(
        x=_values(frame, x, embeddings), y=_values(frame, y, embeddings)
    )
    return x, y, colour, points.dropna(subset=["x", "y"])


def _embeddings() -> dict[str, "pd.Series[Any]"]:
    try:
        table = cache.table("dann", "embedding")
    except ModelFileError:
        return {}
    columns: dict[str, pd.Series[Any]] = {}
    for space in dict.fromkeys(table["space"]):
        rows = table[table["space"] == space].set_index("id")
        columns |= {f"{space}_umap1": rows["x"], f"{space}_umap2": rows["y"]}
    return columns


def _axis_name(option: str) -> str:
    if option in BY_NAME:
        return BY_NAME[option].title
    space, _, axis = option.partition("_")
    return f"UMAP {axis[-1]}, {space} (arbitrary unit)"


def _values(frame: pd.DataFrame, option: str, embeddings: dict[str, "pd.Series[Any]"]) -> "pd.Series[Any]":
    if option in BY_NAME:
        return frame[option] * BY_NAME[option].display_factor
    return frame["id"].map(embeddings[option][~embeddings[option].index.duplicated()])


def cell_selector(frame: pd.DataFrame) -> str | None:
    """Selector of one cell by id, kept in the URL."""
    chosen: str | None = st.selectbox(
        "Open a cell",
        frame["id"].tolist(),
        index=None,
        key="cell",
        bind="query-params",
        persist_state="session",
        placeholder="type an id",
    )
    return chosen


def selected_ids(event: Any) -> list[str]:
    """Ids of the points in a chart's selection."""
    points = event.selection.get("points", []) if event else []
    return [str(point["customdata"][0]) for point in points if point.get("customdata")]


@st.fragment
def linked_views(frame: pd.DataFrame, simulated: bool) -> None:
    """Scatter, table and distribution of the same cells; a selection in the scatter narrows the others."""
    x, y, colour, points = _axes(frame)
    left, right = st.columns([3, 2])
    with left:
        fig = charts.scatter(points, titles=(_axis_name(x), _axis_name(y)), colour=colour, simulated=simulated)
        event = st.plotly_chart(
            fig,
            key="cells",
            on_select="rerun",
            selection_mode=("points", "box", "lasso"),
            config=download_config("scatter", select=True),
            alt=f"{_axis_name(y)} against {_axis_name(x)} of {len(points)} cells",
        )
        chosen = selected_ids(event)
        missing = f" {len(frame) - len(points)} lack one of the two values." if len(frame) > len(points) else ""
        widgets.figure_footer(
            "scatter",
            points.rename(columns={"x": _axis_name(x), "y": _axis_name(y)}),
            caption=f"{len(points):,} cells.{missing} Box or lasso narrows the table.",
            simulated=simulated,
        )
    rows = frame[frame["id"].isin(chosen)] if chosen else frame
    with right:
        _table(rows, chosen, (x, y), simulated)
    if 0 < len(rows) < len(frame):
        _comparison(rows, frame.drop(rows.index), simulated)
    _distributions(rows, x if x in BY_NAME else "sag", colour, simulated)


def _table(rows: pd.DataFrame, chosen: list[str], axes: tuple[str, str], simulated: bool) -> None:
    features = [name for name in dict.fromkeys(axes) if name in BY_NAME]
    table = rows[["id", "class", "layer"]].copy()
    for name in features:
        table[BY_NAME[name].title] = (rows[name] * BY_NAME[name].display_factor).round(4)
    table = table.join(rows[["species", "line", "structure"]]).reset_index(drop=True)
    st.markdown(f"**{len(rows):,} cells** {'in the selection' if chosen else 'after the filters'}")
    event = st.dataframe(
        table,
        hide_index=True,
        height=430,
        key="table",
        on_select="rerun",
        selection_mode="single-row",
        column_config={"id": st.column_config.TextColumn("cell"), "layer": st.column_config.TextColumn(width=60)},
    )
    picked = [table["id"].iloc[k] for k in event.selection.rows if k < len(table)]
    with st.container(horizontal=True, vertical_alignment="center"):
        opened = st.button(
            "Open the cell",
            disabled=not picked,
            icon=":material/open_in_full:",
            type="primary",
            on_click=open_cell,
            args=(picked[0] if picked else None,),
        )
        if opened:
            st.rerun(scope="app")
        columns = [*META_COLUMNS, *FEATURE_NAMES]
        widgets.csv_button("cells", lambda: rows[columns], label="All columns as CSV", simulated=simulated)
    if not picked:
        st.caption("Tick a row, then open the cell.")


def _comparison(rows: pd.DataFrame, others: pd.DataFrame, simulated: bool) -> None:
    table = compare_groups(rows, others)
    with st.expander(f"The {len(rows):,} selected cells against the other {len(others):,}", icon=":material/compare:"):
        st.dataframe(table, hide_index=True, height=300)
        st.caption("All features by Cliff's delta: 0 where the groups overlap fully, ±1 where they do not overlap.")
        widgets.csv_button("comparison", table, simulated=simulated)


def _distributions(rows: pd.DataFrame, default: str, colour: str, simulated: bool) -> None:
    st.subheader("Distribution of a feature", anchor=False)
    left, right = st.columns([3, 1])
    names = list(FEATURE_NAMES)
    with left:
        feature = widgets.pick("Feature", names, "feature", names.index(default), format_func=_axis_name)
    with right:
        by = widgets.pick("By", list(COLOURS), "by", list(COLOURS).index(colour))
    widgets.figure(
        charts.distribution(rows, feature, by, simulated),
        "distribution",
        lambda: rows[["id", by, feature]],
        caption=f"{BY_NAME[feature].definition} Boxes: median and quartiles of {rows[feature].count():,} cells.",
        simulated=simulated,
    )
