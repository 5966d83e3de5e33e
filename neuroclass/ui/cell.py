"""One cell of the cohort: who it is, its features among its class, its sweeps."""

from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import Species, label_of
from neuroclass.charts import cohort as charts
from neuroclass.charts.evaluation import probabilities
from neuroclass.cohort.cohort import Cohort
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import ModelFileError, NeuroClassError
from neuroclass.evaluation.summaries import percentile_in
from neuroclass.features import BY_NAME, FEATURES
from neuroclass.ui import cache, sweeps, widgets
from neuroclass.ui.guards import need
from neuroclass.ui.text import escaped, with_unit

DATABASE_PAGE = "https://celltypes.brain-map.org/experiment/electrophysiology/"
_SHOWN = ("species", "donor", "line", "layer", "structure", "dendrite_type", "reporter_status")


def show(cells: Cohort, cell_id: str) -> None:
    """One cell from top to bottom."""
    rows = cells.frame[cells.frame["id"] == cell_id]
    need(len(rows) == 1, f"There is no cell {escaped(cell_id)} among those loaded. Clear the selector above.")
    row = rows.iloc[0]
    _identity(cells, row)
    st.subheader("Sweeps", anchor=False)
    recording = _recording(cells, cell_id)
    if recording is not None:
        sweeps.recording_view(f"cell-{cell_id}", recording, cells.simulated)
    st.subheader("Features among its class", anchor=False)
    _features(cells, row, recording)


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
            st.link_button("Page in the Allen database", f"{DATABASE_PAGE}{row['id']}", icon=":material/open_in_new:")
    with right:
        if cells.simulated:
            _shipped(cells, str(row["id"]))
        else:
            _held_out(str(row["id"]))


def _held_out(cell_id: str) -> None:
    """What models that never saw the cell's donor say of it."""
    for model in ("lspin", "dann"):
        try:
            predictions = cache.table(model, "predictions")
        except ModelFileError:
            continue
        mine = predictions[predictions["id"] == cell_id]
        if mine.empty:
            continue
        columns = [c for c in mine.columns if c.startswith("p_")]
        means = mine[columns].mean()
        widgets.figure(
            probabilities([c.removeprefix("p_") for c in columns], means.tolist()),
            f"held-out-{model}",
            caption=f"{model.upper()}, mean of {len(mine)} held-out predictions, donor-grouped cross-validation.",
        )


def _shipped(cells: Cohort, cell_id: str) -> None:
    """What the shipped models say of a cell that was simulated, so never trained on."""
    try:
        verdict = cache.verdict(cells.source, cell_id)
    except NeuroClassError as error:
        st.info(escaped(error, 600), icon=":material/info:")
        return
    tasks = (verdict.broad,) if verdict.species == Species.HUMAN else (verdict.subclass, verdict.broad)
    for task in tasks:
        widgets.figure(
            probabilities(list(task.probabilities), list(task.probabilities.values()), task.prediction_set),
            f"shipped-{task.model}",
            caption=f"{task.model.upper()} as shipped, trained on recorded cells; here on a simulated cell's features.",
        )


def _recording(cells: Cohort, cell_id: str) -> Recording | None:
    try:
        found = cache.recording(cells.source, cell_id)
    except NeuroClassError as error:
        found = str(error)
    if isinstance(found, Recording):
        return found
    st.info(f"No sweeps are at hand: {escaped(found, 600)}", icon=":material/info:")
    return None


def feature_table(cells: Cohort, row: pd.Series) -> pd.DataFrame:
    """The 41 features of a cell with units and percentiles in its class and in its species."""
    frame = cells.frame[cells.frame["species"] == row["species"]]
    column = "subclass" if row["subclass"] else "broad"
    mates = frame[frame[column] == row[column]]
    records = []
    for spec in FEATURES:
        value = float(row[spec.name])
        records.append(
            {
                "feature": spec.name,
                "label": spec.label,
                "stimulus": spec.stimulus.label,
                "value": value * spec.display_factor,
                "unit": spec.shown_unit or "ratio",
                "percentile": percentile_in(mates[spec.name], value),
                "percentile in species": percentile_in(frame[spec.name], value),
                "shown": with_unit(spec.name, value),
            }
        )
    return pd.DataFrame(records)


def _features(cells: Cohort, row: pd.Series, recording: Recording | None) -> None:
    table = feature_table(cells, row)
    left, right = st.columns([1, 1])
    label = label_of(row["subclass"]) if row["subclass"] else row["broad"]
    with left:
        widgets.figure(
            charts.feature_percentiles(table, cells.simulated),
            "percentiles",
            table.drop(columns="shown"),
            caption=f"Percentile among the loaded {escaped(label)} cells of its species; the band holds their middle "
            "half; orange: outermost 5% on either side.",
            simulated=cells.simulated,
        )
    with right:
        shown = table[["label", "stimulus", "shown", "percentile", "percentile in species"]].rename(
            columns={"shown": "value", "percentile": "in class (%)", "percentile in species": "in species (%)"}
        )
        if recording is not None:
            st.caption("Tick a feature to see where in the sweeps it was measured.")
        options: dict[str, Any] = (
            {"on_select": "rerun", "selection_mode": "single-row"} if recording is not None else {}
        )
        event: Any = st.dataframe(
            shown.round({"in class (%)": 0, "in species (%)": 0}),
            hide_index=True,
            height=560,
            key=f"features-{row['id']}",
            **options,
        )
    if recording is not None and event.selection.rows:
        _where(f"cell-{row['id']}", recording, table["feature"].iloc[event.selection.rows[0]], cells.simulated)


def _where(key: str, recording: Recording, feature: str, simulated: bool) -> None:
    features = cache.measured(key, recording)
    if feature not in features.provenance:
        st.info(
            f"{BY_NAME[feature].label}: {escaped(features.missing.get(feature, 'not measured'))}",
            icon=":material/info:",
        )
        return
    sweeps.measured_on(key, recording, feature, asdict(features.provenance[feature]), simulated)
