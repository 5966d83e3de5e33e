"""The cohort with the models' verdicts, and filters kept in the URL."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import cohort as charts
from neuroclass.charts.theme import ordered
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.query import match_filters, match_query, match_text
from neuroclass.errors import ModelFileError
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.io.feature_table import CONDITION_COLUMN
from neuroclass.reports.store import Table
from neuroclass.types.arrays import Mask
from neuroclass.types.models import HUMAN_SUBCLASS
from neuroclass.ui import cache
from neuroclass.ui.cells import own_cells
from neuroclass.ui.explore import overlaid
from neuroclass.ui.text import escaped

FILTERS = (
    "species",
    "broad",
    "class",
    "layer",
    "structure",
    "line",
    "dendrite_type",
    "reporter_status",
    "donor",
    "condition",
    "verdict",
    "predicted",
)
ASKED_FIRST = ("species", "class", "layer")
"""Filters that are in sight; the others are folded."""
JUDGES = ("lspin", "dann")
SIMULATED = "simulated-"
"""How ids of the demo cohort begin."""
MOST_OPTIONS = 3000
"""Longer lists are not sent to the browser at every step; the search also finds donors and ids."""
COLOURS = (
    "class",
    "broad",
    "species",
    "layer",
    "structure",
    "line",
    "dendrite_type",
    "reporter_status",
    "condition",
    "verdict",
)
_HELP = {
    "condition": "Acute slice or slice culture.",
    "verdict": "How the built-in models did on the cell: LSPIN on mouse cells, DANN on human ones, the human subclass "
    "model on human ones of known subclass; on recorded cells while they were held out. Uncertain: the largest mean "
    "probability is below 0.6.",
    "predicted": "Likeliest class by the same model.",
}


def decorated(cells: Cohort) -> pd.DataFrame:
    """The cohort's frame with added columns ``class``, ``predicted`` and ``verdict``; do not modify it.

    The class is a cell's subclass, or its broad class if it has none. The verdict is LSPIN's for mouse cells and
    DANN's for human ones, or the human subclass model's where the subclass is known, see
    `neuroclass.cohort.verdicts`; for recorded cells it is held out.
    """
    return _decorated(cells, *_stamps())


def _stamps() -> tuple[str, ...]:
    return tuple(map(cache.stamp, (*JUDGES, HUMAN_SUBCLASS.name)))


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=cache.HASHES)
def _decorated(cells: Cohort, *stamps: str) -> pd.DataFrame:  # noqa: ARG001 (part of the key)
    frame = cells.frame
    label = frame["subclass"].where(frame["subclass"].notna(), frame["broad"])
    frame = frame.assign(predicted=None, verdict=None, **{"class": label})
    frame = frame if CONDITION_COLUMN in frame.columns else frame.assign(**{CONDITION_COLUMN: None})
    table = Table.DEMO if cells.simulated else Table.PREDICTIONS
    models = (HUMAN_SUBCLASS.name,) if HUMAN_SUBCLASS.task in frame.columns else JUDGES
    try:
        verdicts = pd.concat([cache.cell_verdicts(model, table) for model in models])
    except ModelFileError:
        return frame
    verdicts = verdicts[~verdicts.index.duplicated()].reindex(frame["id"])
    for column in ("predicted", "verdict"):
        values = verdicts[column].astype(object)
        frame[column] = values.where(values.notna(), None).to_numpy()
    return frame


@st.cache_resource(max_entries=40, show_spinner=False)
def _options(
    source: str,  # noqa: ARG001 (part of the key of the cache)
    n_cells: int,  # noqa: ARG001
    stamps: tuple[str, ...],  # noqa: ARG001
    column: str,
    _frame: pd.DataFrame,
) -> list[str]:
    if _frame[column].notna().any() and _frame[column].nunique() <= MOST_OPTIONS:
        return ordered(_frame[column])
    return []


def filters(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    """Show the filter widgets, kept in the URL; return the cells that pass.

    Parameters
    ----------
    frame : DataFrame
        Output of `decorated`.
    source : str
        Data source, which identifies the cells in the cache.
    """
    keep: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
    offered = {name: options for name in FILTERS if (options := _options(source, len(frame), _stamps(), name, frame))}
    wanted: dict[str, list[str]] = {}

    def ask(names: Sequence[str], columns: Sequence[Any]) -> None:
        for k, name in enumerate(names):
            wanted[name] = columns[k % len(columns)].multiselect(
                name.replace("_", " ").capitalize(),
                offered[name],
                key=f"f_{name}",
                placeholder="any",
                help=_HELP.get(name),
                format_func=label_of,
                **keep,
            )

    first = [name for name in ASKED_FIRST if name in offered]
    if first:
        ask(first, st.columns(len(first)))
    with st.expander(
        "More filters: donor, line, area or any feature", icon=":material/filter_alt:", expanded=_filtered()
    ):
        top = st.columns([2, 3, 2])
        text = top[0].text_input("Search", key="q", placeholder="words: a line, a donor, an area", **keep)
        query = top[1].text_input(
            "Query",
            key="query",
            placeholder='sag > 0.2 and layer in ["2", "2/3"]',
            help="Comparisons of columns with values, joined by and, or, not. Features are in stored units "
            f"(mV, pA, MΩ, ms; width and latency in s). Other columns: {', '.join(FILTERS)}.",
            **keep,
        )
        ranged = top[2].multiselect(
            "Range of a feature",
            list(FEATURE_NAMES),
            key="ranges",
            format_func=lambda name: BY_NAME[name].title,
            placeholder="any",
            **keep,
        )
        ask([name for name in offered if name not in first], st.columns(5, vertical_alignment="bottom"))
        mask = match_filters(frame, wanted) & match_text(frame, text) & match_query(frame, query)
        mask &= _within(frame, ranged, keep)
        mask &= _pasted(frame, keep)
    return frame[mask]


def _filtered() -> bool:
    """Whether the address or this visit narrows the cells: the filters are folded until then."""
    keys = ("q", "query", "ranges", "ids", *(f"f_{name}" for name in FILTERS if name not in ASKED_FIRST))
    return any(st.session_state.get(key) or key in st.query_params for key in keys)


def _within(frame: pd.DataFrame, names: list[str], keep: dict[str, Any]) -> Mask:
    """Mask of cells whose features lie within the chosen ranges."""
    mask = np.ones(len(frame), dtype=bool)
    for column, name in zip(st.columns(max(1, min(3, len(names)))) * len(names), names, strict=False):
        spec = BY_NAME[name]
        values = frame[name] * spec.display_factor
        if values.notna().sum() < 2:
            column.caption(f"No cell has {spec.title}.")
            continue
        low, high, step = nice_span(float(values.min()), float(values.max()))
        with column:
            _brush(name, values, (low, high), step)
            wanted = st.slider(spec.title, low, high, (low, high), step=step, key=f"r_{name}", **keep)
        mask &= values.between(*wanted).to_numpy()
    return mask


def _brush(name: str, values: "pd.Series[Any]", limits: tuple[float, float], step: float) -> None:
    """A histogram above a range; a box across it sets the range."""
    key = f"brush-{name}"

    def brushed() -> None:
        boxes = st.session_state[key].selection.get("box", [])
        if boxes:
            low, high = sorted(float(x) for x in boxes[-1]["x"][:2])
            low, high = (round(round(x / step) * step, 10) for x in (low, high))
            st.session_state[f"r_{name}"] = max(limits[0], low), min(limits[1], high)

    st.plotly_chart(
        charts.histogram(
            values,
            BY_NAME[name].title,
            limits,
            st.session_state.get(f"r_{name}", limits),
            own_cells.values(overlaid.chosen(), name),
        ),
        key=key,
        on_select=brushed,
        selection_mode="box",
        config={"displayModeBar": False},
        alt=f"{BY_NAME[name].title}: {values.count():,} cells, median {values.median():.4g}",
    )


def nice_span(low: float, high: float) -> tuple[float, float, float]:
    """Round bounds around two numbers, and a round step for about two hundred in between."""
    step = 10.0 ** np.floor(np.log10(max(high - low, 1e-9) / 50))
    digits = max(0, int(-np.log10(step)) + 1)
    first, last = np.floor(low / step) * step, np.ceil(high / step) * step
    return round(float(first), digits), round(float(last), digits), round(float(step), digits)


def _pasted(frame: pd.DataFrame, keep: dict[str, Any]) -> Mask:
    """Mask of cells with pasted ids; all if none were pasted."""
    with st.popover("Paste ids", icon=":material/content_paste:"):
        text = st.text_area(
            "Cell ids", key="ids", placeholder="separated by commas, blanks or line ends", height=120, **keep
        )
    ids = [word.strip("'\"[]()") for word in text.replace(",", " ").replace(";", " ").split()]
    if not ids:
        return np.ones(len(frame), dtype=bool)
    mask: Mask = frame["id"].isin(ids).to_numpy()
    here = set(frame.loc[mask, "id"])
    lost = [name for name in dict.fromkeys(ids) if name not in here]
    more = "…" if len(lost) > 5 else ""
    listed = f" Not among the loaded cells: {escaped(', '.join(lost[:5]))}{more}." if lost else ""
    st.caption(f"{int(mask.sum()):,} of {len(set(ids)):,} pasted ids are here.{listed}")
    return mask


def cell_selector(frame: pd.DataFrame) -> str | None:
    """Select one cell by id, kept in the URL; a text box if there are very many cells."""
    keep: dict[str, Any] = {"key": "cell", "bind": "query-params", "persist_state": "session"}
    if len(frame) <= MOST_OPTIONS:
        chosen: str | None = st.selectbox(
            "Open a cell", frame["id"].tolist(), index=None, placeholder="choose one, or type its id", **keep
        )
        return chosen
    typed = (st.text_input("Open a cell", value=None, placeholder="type its id", **keep) or "").strip()
    return typed if (frame["id"] == typed).any() else None


def unknown(cell_id: str) -> None:
    """Say that a cell that was asked for is not among those loaded."""
    st.warning(
        f"There is no cell {escaped(cell_id)} among those loaded. {_what(cell_id)}",
        icon=":material/warning:",
    )
    if _of_demo(cell_id):
        st.link_button("Simulated recordings in Classify", "classify", icon=":material/upload_file:")


def _of_demo(cell_id: str) -> bool:
    """Whether an id is of the demo cohort while recorded cells are loaded."""
    return cell_id.startswith(SIMULATED) and not cache.cohort().simulated


def _what(cell_id: str) -> str:
    """What an id that is not loaded may be, and what helps."""
    if _of_demo(cell_id):
        return (
            "It is a simulated cell of the demo cohort, which is shown only while no recorded cells are loaded. Open "
            "one of the recorded cells above, or classify one of the simulated recordings."
        )
    if cell_id.isdecimal() and cache.cohort().simulated:
        return "It may be a specimen of the Allen Cell Types Database, whose tables are not loaded here."
    return "Choose one above, or look among the human cells of known subclass."


def selected_ids(event: Any) -> list[str]:
    """Ids of the points in a chart's selection."""
    points = event.selection.get("points", []) if event else []
    return list(dict.fromkeys(str(point["customdata"][0]) for point in points if point.get("customdata")))
