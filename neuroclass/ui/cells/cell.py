"""One cell of the cohort: identity, sweeps, features among its class, evidence, neighbours."""

from functools import partial

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts.cell_plots import Waveform
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.classification.left_out import numbers_argument
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import NeuroClassError
from neuroclass.features import BY_NAME, with_unit
from neuroclass.ui import address, cache, warmup, widgets
from neuroclass.ui.cells import (
    cell_features,
    cohort_sweeps,
    from_features,
    identity,
    neighbours,
    panels,
    predictions,
    recordings,
    sweeps,
)
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.cells.selected_cell import open_cell
from neuroclass.ui.guards import guarded, need
from neuroclass.ui.text import escaped

_FACTS = {
    "threshold_i_long_square": BY_NAME["threshold_i_long_square"].called,
    "ri": BY_NAME["ri"].label,
    "tau": BY_NAME["tau"].label,
    "sag": BY_NAME["sag"].label,
    "vrest": BY_NAME["vrest"].label,
    "latency": BY_NAME["latency"].label,
}
_FACTS_A_ROW = 3
MATES_SHOWN = 30


SWEEPS, FEATURES, REASONS, SIMILAR = "Sweeps", "Features", "Reasons", "Similar cells"
PART = "part"
_PART_OF = {cell_features.ADDRESS: FEATURES, "evidence": REASONS, "why": REASONS}
"""Which part a parameter of the address is about."""


def show(cells: Cohort, cell_id: str) -> None:
    """Who the cell is and what the models say of it, then one part of what is known at a time."""
    rows = cells.frame[cells.frame["id"] == cell_id]
    need(len(rows) == 1, f"There is no cell {escaped(cell_id)} among those loaded. Clear the selector above.")
    row = rows.iloc[0]
    identity.heading(cells, row)
    with st.container(key="who"):  # one below the other where the page is narrow
        left, right = st.columns([4, 3], gap="medium")
    found = _analysis(cells, cell_id)
    with left:
        identity.show(cells, row)
        _facts(row, found if isinstance(found, RecordingAnalysis) else None)
    with right:
        predictions.show(cells, cell_id)
    lent = Lent(partial(_again, cells.source, cell_id)) if isinstance(found, RecordingAnalysis) else None
    _parts(cells, row, lent, found if isinstance(found, NeuroClassError) else None)


@st.fragment
def _parts(cells: Cohort, row: pd.Series, lent: Lent | None, trouble: NeuroClassError | None) -> None:
    """The chosen part; only that one is computed."""
    cell_id = str(row["id"])
    names = (SWEEPS, FEATURES, REASONS, SIMILAR)
    first = next((part for name, part in _PART_OF.items() if name in st.query_params), SWEEPS)
    address.take(PART, names, first)
    found = st.segmented_control("Part", names, required=True, key=PART, label_visibility="collapsed")
    chosen = first if found is None else str(found)
    address.put(PART, chosen, SWEEPS)
    with guarded(stop=False):
        if chosen == FEATURES:
            cell_features.show(cells, row, lent)
        elif chosen == REASONS:
            _evidence(cells, cell_id, lent)
        elif chosen == SIMILAR:
            neighbours.show(cells, row, open_cell, predictions.classes(cells, cell_id))
        elif lent is not None:
            _sweeps(cells, row, lent)
        else:
            _without_sweeps(cells, row, trouble)
    widgets.figures_zip(f"cell-{cell_id}")


def _without_sweeps(cells: Cohort, row: pd.Series, trouble: NeuroClassError | None) -> None:
    """What is wrong with the recording, or how to get it, and beside it what the features tell of its shape."""
    if trouble is not None:
        st.error(f"**{trouble.title}.** {escaped(trouble.plain, 800)}", icon=":material/warning:")
        return
    with st.container(key="without-sweeps"):
        left, right = st.columns([2, 3], gap="large")
    with left:
        _no_sweeps(cells, str(row["id"]))
    with right:
        from_features.show(cells, row, None if _elsewhere(cells) else _mates(cells, row))


def _sweeps(cells: Cohort, row: pd.Series, lent: Lent) -> None:
    """The sweeps, without those that are left out; everything else on the page is of all sweeps."""
    cell_id, species = str(row["id"]), str(row["species"])
    shown = cohort_sweeps.analysis(cells, cell_id, lent())
    cohort_sweeps.controls(cells, cell_id, species, shown)
    gone = frozenset(sweep.number for sweep in shown.recording.left_out)
    some = Lent(partial(_again, cells.source, cell_id, gone)) if gone else lent
    key = f"cell-{cell_id}-without-{numbers_argument(gone)}" if gone else f"cell-{cell_id}"
    sweeps.recording_view(key, some, cells.simulated, address=True, mates=_mates(cells, row))


def _evidence(cells: Cohort, cell_id: str, lent: Lent | None) -> None:
    """Show reasons, counterfactual and stress test; their imports are slow and deferred to here."""
    warmup.wait()
    from neuroclass.ui.evidence import evidence

    evidence.show_cohort_cell(cells, cell_id, lent)


def _again(source: str, cell_id: str, without: frozenset[int] = frozenset()) -> RecordingAnalysis | None:
    found = cache.analysis(source, cell_id, without)
    return None if isinstance(found, str) else found


def _analysis(cells: Cohort, cell_id: str) -> RecordingAnalysis | NeuroClassError | None:
    """Sweeps of a cell, or the error if its file cannot be read, or None if there is no file."""
    if _elsewhere(cells):
        return None
    try:
        found = cache.analysis(cells.source, cell_id)
    except NeuroClassError as error:
        return error
    if isinstance(found, RecordingAnalysis):
        return found
    return None


def _elsewhere(cells: Cohort) -> bool:
    """Whether the cells are another laboratory's, of which there are features only."""
    return cells.source != cache.cohort().source


def _no_sweeps(cells: Cohort, cell_id: str) -> None:
    if _elsewhere(cells):
        st.info("A cell of another laboratory: its features are loaded, not its sweeps.", icon=":material/info:")
    elif cell_id.isdecimal() and not cells.simulated:
        recordings.offer(cell_id)
    else:
        st.info(f"{escaped(cell_id)} is not a specimen of the database: no recording.", icon=":material/info:")


def _facts(row: pd.Series, analysis: RecordingAnalysis | None) -> None:
    """Show key properties of a cell, each with a link to its sweep."""
    features = None if analysis is None else analysis.features
    with st.container(key="facts", gap="xsmall"):
        rows = [st.columns(_FACTS_A_ROW) for _ in range(-(-len(_FACTS) // _FACTS_A_ROW))]
    for column, name in zip((one for columns in rows for one in columns), _FACTS, strict=True):
        with column, st.container(gap=None):
            st.markdown(f"{_FACTS[name]}  \n**{escaped(with_unit(name, float(row[name])))}**")
            place = features.provenance.get(name) if features else None
            if place and len(place.sweeps) == 1:
                st.button(
                    f"sweep {place.sweeps[0]}",
                    key=f"fact-{name}",
                    type="tertiary",
                    icon=":material/show_chart:",
                    help="Show the sweep it was measured on",
                    on_click=_open_sweep,
                    args=(place.sweeps[0],),
                )
            elif place:
                st.button(f"{len(place.sweeps)} sweeps", key=f"fact-{name}", type="tertiary", disabled=True)


def _open_sweep(number: int) -> None:
    st.session_state[PART] = SWEEPS
    sweeps.open_sweep("long_square", number)


def _mates(cells: Cohort, row: pd.Series) -> panels.Mates | None:
    """Cells of the same class and species, for comparing the spike."""
    column = "subclass" if row["subclass"] else "broad"
    if not row[column]:
        return None
    frame = cells.frame
    mates = frame[(frame["species"] == row["species"]) & (frame[column] == row[column]) & (frame["id"] != row["id"])]
    label = f"{row['species']} {label_of(row[column])}"
    spike = None
    if cells.simulated:
        t, mean, sd, n_cells = cache.class_spike(tuple(mates["id"].sort_values().head(MATES_SHOWN)))
        spike = Waveform(f"{n_cells} simulated {label} cells", t, mean, sd) if n_cells else None
    return panels.Mates(label, spike, *cache.class_medians(cells.source, str(row["species"]), column, row[column]))
