"""Caches that pages share between sessions, bounded and read-only."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import data_folder
from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.store import ReportStore, Table, report_of
from neuroclass.types.arrays import Floats

if TYPE_CHECKING:
    from neuroclass.classification.analysis import RecordingAnalysis
    from neuroclass.classification.models import Models
    from neuroclass.ephys.sweep import Recording


def _fingerprint(value: Any) -> str:
    return fingerprint(value=value)


_TAKEN_WHOLE = (
    "adaptation.laboratory.Batch",
    "adaptation.labelled_table.LabelledTable",
    "classification.models.Models",
    "classification.inputs.CellInput",
    "classification.metadata.CellMetadata",
    "classification.result.CellVerdict",
    "classification.stress.StressResult",
    "cohort.cohort.Cohort",
)
HASHES: dict[type | str, Callable[[Any], Any]] = {f"neuroclass.{name}": _fingerprint for name in _TAKEN_WHOLE}
"""How caches of answers take their arguments: whole, each by its fingerprint, so that nothing hidden decides."""


@st.cache_resource(max_entries=2, show_spinner="Loading the cells")
def _cohort_from(folder: Path | None) -> Cohort:  # noqa: ARG001 (the key of the cache)
    from neuroclass.cohort.loading import load_cohort

    return load_cohort()


def cohort() -> Cohort:
    """The cells, loaded once for each data folder."""
    return _cohort_from(data_folder())


def human_cells_elsewhere() -> Cohort | None:
    """The human cells of other laboratories, their subclass as ``subclass``; None where their tables are absent."""
    return _human_cells_from(data_folder())


@st.cache_resource(max_entries=2, show_spinner="Loading the cells")
def _human_cells_from(folder: Path | None) -> Cohort | None:
    from neuroclass.cohort.human import load_human_elsewhere
    from neuroclass.errors import TableError

    try:
        found = load_human_elsewhere(folder)
    except TableError:
        return None
    return replace(found, frame=found.frame.assign(subclass=found.frame["human_subclass"]))


def report(model: str) -> ReportStore:
    """A shipped model's report."""
    return report_of(model)


@st.cache_resource(max_entries=24, show_spinner=False)
def table(model: str, name: Table) -> pd.DataFrame:
    """One table of a shipped model's report; do not change it."""
    return report_of(model).table(name)


def table_if_stored(model: str, name: Table) -> pd.DataFrame | None:
    """One table of a shipped model's report; None where the report lacks it."""
    return table(model, name) if report_of(model).has(name) else None


@st.cache_resource(max_entries=8, show_spinner="Getting the cell's sweeps")
def recording(source: str, cell_id: str) -> "Recording | str":  # noqa: ARG001 (part of the key)
    """Sweeps of a cohort cell from `source`, or the reason why there are none."""
    from neuroclass.cohort.recordings import recording_of

    return recording_of(cohort(), cell_id)


def analysis(source: str, cell_id: str) -> "RecordingAnalysis | str":
    """The measured recording of a cohort cell from `source`, or the reason why there is none."""
    found = recording(source, cell_id)
    return found if isinstance(found, str) else _analysis(source, cell_id, found)


@st.cache_resource(max_entries=8, show_spinner="Measuring the features")
def _analysis(source: str, cell_id: str, _recording: "Recording") -> "RecordingAnalysis":  # noqa: ARG001 (the key)
    from neuroclass.classification.analysis import analyse

    return analyse(_recording)


def verdict(cells: Cohort, cell_id: str) -> CellVerdict:
    """The shipped models' verdict on a cell of the cohort, from its stored features."""
    from neuroclass.classification.models import load_models

    return _verdict(cells, cell_id, load_models())


@st.cache_resource(max_entries=200, show_spinner="Classifying the cell", hash_funcs=HASHES)
def _verdict(cells: Cohort, cell_id: str, models: "Models") -> CellVerdict:
    from neuroclass.classification.classify import classify_cells
    from neuroclass.classification.measurement import MeasuredCell

    row = cells.frame.set_index("id").loc[cell_id]
    known = {name: float(row[name]) for name in FEATURE_NAMES if pd.notna(row[name])}
    missing = {name: "not in the table" for name in FEATURE_NAMES if name not in known}
    cell = MeasuredCell(cells.source, cell_id, str(row["species"]), known, missing)
    return next(one for one in classify_cells([cell], models) if isinstance(one, CellVerdict))


@st.cache_data(max_entries=8, show_spinner=False)
def cell_verdicts(model: str, name: Table) -> pd.DataFrame:
    """Predicted class and verdict of each cell, from a shipped model's table of predictions."""
    from neuroclass.cohort.verdicts import cell_verdicts as summarise

    return summarise(table(model, name))


@st.cache_data(max_entries=16, show_spinner="Simulating the class' spikes")
def class_spike(cell_ids: tuple[str, ...]) -> tuple[Floats, Floats, Floats, int]:
    """Average spike of demo cells."""
    from neuroclass.cohort.class_shape import simulated_class_spike

    return simulated_class_spike(cell_ids)


@st.cache_data(max_entries=32, show_spinner=False)
def class_medians(
    source: str,  # noqa: ARG001 (part of the key)
    species: str,
    column: str,
    label: str,
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Median potentials and phase-plane landmarks of a class of the cohort from `source`."""
    from neuroclass.cohort.class_shape import median_landmarks, median_levels

    frame = cohort().frame
    mates = frame[(frame["species"] == species) & (frame[column] == label)]
    return median_levels(mates), median_landmarks(mates)
