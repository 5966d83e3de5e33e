"""One cell of the cohort: identity, sweeps, features among its class, evidence, neighbours."""

from functools import partial

import pandas as pd
import streamlit as st

from neuroclass.cell_types import Species, label_of
from neuroclass.charts.cell_plots import Waveform
from neuroclass.charts.evaluation import probabilities
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.classification.left_out import numbers_argument
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import NeuroClassError
from neuroclass.features import with_unit
from neuroclass.reports.store import Table
from neuroclass.types.models import DANN, HUMAN_SUBCLASS, LSPIN, title_of
from neuroclass.ui import cache, warmup, widgets
from neuroclass.ui.cells import cell_features, cohort_sweeps, neighbours, panels, recordings, sweeps
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.cells.selected_cell import open_cell
from neuroclass.ui.guards import need
from neuroclass.ui.text import escaped

DATABASE_PAGE = "https://celltypes.brain-map.org/experiment/electrophysiology/"
MORPHOLOGY_PAGE = "https://celltypes.brain-map.org/experiment/morphology/"
_SHOWN = ("species", "donor", "line", "layer", "structure", "dendrite_type", "reporter_status")
_FACTS = {
    "threshold_i_long_square": "Rheobase",
    "ri": "Input resistance",
    "tau": "Time constant",
    "sag": "Sag",
    "vrest": "Resting potential",
    "latency": "Latency, hero sweep",
}
MATES_SHOWN = 30
_TITLES = {DANN.name: "DANN", LSPIN.name: "LSPIN", HUMAN_SUBCLASS.name: "The human subclass model"}


def show(cells: Cohort, cell_id: str) -> None:
    """Show one cell from top to bottom."""
    rows = cells.frame[cells.frame["id"] == cell_id]
    need(len(rows) == 1, f"There is no cell {escaped(cell_id)} among those loaded. Clear the selector above.")
    row = rows.iloc[0]
    _identity(cells, row)
    found = _analysis(cells, cell_id)
    analysis = found if isinstance(found, RecordingAnalysis) else None
    lent = None if analysis is None else Lent(partial(_again, cells.source, cell_id))
    _facts(row, analysis)
    st.subheader("Sweeps", anchor=False)
    if isinstance(found, NeuroClassError):
        st.error(f"**{found.title}.** {escaped(found.plain, 800)}", icon=":material/warning:")
    elif lent is None:
        _no_sweeps(cells, cell_id)
    else:
        _sweeps(cells, row, lent)
    st.subheader("Features among its class", anchor=False)
    cell_features.show(cells, row, lent)
    st.subheader("Why the models say so", anchor=False)
    _evidence(cells, cell_id, lent)
    st.subheader("Cells like it", anchor=False)
    neighbours.show(cells, row, open_cell)
    widgets.figures_zip(f"cell-{cell_id}")


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


def _identity(cells: Cohort, row: pd.Series) -> None:
    left, right = st.columns([2, 3])
    label = row["subclass"] or row["broad"] or "class unknown"
    with left:
        st.subheader(f"Cell {escaped(row['id'])}", anchor=False)
        with st.container(horizontal=True):
            st.badge(escaped(label_of(label) if row["subclass"] else label), color="blue")
            st.badge(escaped(row["species"]), color="gray")
            if cells.simulated:
                st.badge("simulated", color="orange", icon=":material/science:")
        facts = {name.replace("_", " "): row[name] or "unknown" for name in _SHOWN}
        st.dataframe(pd.DataFrame(facts.items(), columns=["", "value"]), hide_index=True)
        if not cells.simulated and str(row["id"]).isdigit():
            with st.container(horizontal=True):
                icon = ":material/open_in_new:"
                st.link_button("Page in the Allen database", f"{DATABASE_PAGE}{row['id']}", icon=icon)
                st.link_button("Morphology, where there is one", f"{MORPHOLOGY_PAGE}{row['id']}", icon=icon)
        same = int((cells.frame["donor"] == row["donor"]).sum()) - 1
        st.link_button(
            f"Cells of the same donor: {same} more",
            f"explore?f_donor={row['donor']}",
            type="tertiary",
            disabled=not same,
        )
    with right:
        if cells.simulated:
            _shipped(cells, str(row["id"]))
        else:
            _held_out(str(row["id"]))


def _held_out(cell_id: str) -> None:
    """Show predictions of models that never saw the cell's donor."""
    for model in (LSPIN.name, DANN.name, HUMAN_SUBCLASS.name):
        predictions = cache.table_if_stored(model, Table.PREDICTIONS)
        if predictions is None:
            continue
        mine = predictions[predictions["id"] == cell_id]
        if mine.empty:
            continue
        columns = [c for c in mine.columns if c.startswith("p_")]
        means = mine[columns].mean()
        verdict = cache.cell_verdicts(model, Table.PREDICTIONS).loc[cell_id, "verdict"]
        widgets.figure(
            probabilities([c.removeprefix("p_") for c in columns], means.tolist()),
            f"held-out-{model}",
            means.rename_axis("class").rename("probability").reset_index(),
            caption=f"{_TITLES[model]}, mean of {len(mine)} held-out predictions, donor-grouped cross-validation: "
            f"**{verdict}**.",
        )


def _shipped(cells: Cohort, cell_id: str) -> None:
    """Show the shipped models' predictions for a simulated cell, which they were not trained on."""
    try:
        verdict = cache.verdict(cells, cell_id)
    except NeuroClassError as error:
        st.info(escaped(error, 600), icon=":material/info:")
        return
    predictions = (verdict.broad,) if verdict.species == Species.HUMAN else (verdict.subclass, verdict.broad)
    for prediction in predictions:
        widgets.figure(
            probabilities(
                list(prediction.probabilities), list(prediction.probabilities.values()), prediction.prediction_set
            ),
            f"shipped-{prediction.model}",
            pd.DataFrame(prediction.probabilities.items(), columns=["class", "probability"]),
            caption=f"{title_of(prediction.model)} as shipped, trained on recorded cells; here on a simulated cell's "
            "features.",
            simulated=True,
        )


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
    for column, name in zip(st.columns(len(_FACTS)), _FACTS, strict=True):
        with column:
            st.markdown(f"{_FACTS[name]}  \n**{escaped(with_unit(name, float(row[name])))}**")
            place = features.provenance.get(name) if features else None
            if place and len(place.sweeps) == 1:
                st.button(
                    f"sweep {place.sweeps[0]}",
                    key=f"fact-{name}",
                    type="tertiary",
                    icon=":material/show_chart:",
                    help="Show the sweep it was measured on",
                    on_click=sweeps.open_sweep,
                    args=("long_square", place.sweeps[0]),
                )
            elif place:
                st.caption(f"{len(place.sweeps)} sweeps")


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
