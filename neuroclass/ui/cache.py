"""Caches that pages share between sessions, bounded and read-only."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import data_folder
from neuroclass.io.artifacts import stamp_of
from neuroclass.library.library import ModelLibrary
from neuroclass.reports.store import ReportStore, Table, report_of
from neuroclass.types.arrays import Floats
from neuroclass.types.models import SHIPPED_MODELS, title_of
from neuroclass.ui import model_choice
from neuroclass.ui.kept import Kept

if TYPE_CHECKING:
    from neuroclass.classification.analysis import RecordingAnalysis
    from neuroclass.classification.models import Models


SAMPLE_BYTES = 100_000_000
IDLE_S = 120.0
"""Samples of recordings that are kept for the next view, and for how long without one; see `kept.Kept`."""


def _fingerprint(value: Any) -> str:
    return fingerprint(value=value)


_TAKEN_WHOLE = (
    "adaptation.laboratory.Batch",
    "adaptation.labelled_table.LabelledTable",
    "classification.models.Models",
    "classification.inputs.CellInput",
    "classification.inputs.InputFile",
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
    """The report of a shipped model, or of one of the library by its id."""
    if model in SHIPPED_MODELS:
        return report_of(model)
    return ReportStore(model, ModelLibrary().usable(model).folder)


def report_title(model: str) -> str:
    """What people call a shipped model, or one of the library by its id."""
    return title_of(model) if model in SHIPPED_MODELS else ModelLibrary().usable(model).name


def stamp(model: str) -> str:
    """Changes whenever a model's weights or report are replaced; in the key of all that is made of them."""
    return stamp_of(report(model).folder)


def table(model: str, name: Table) -> pd.DataFrame:
    """One table of a model's report; do not change it."""
    return _table(model, name, stamp(model))


@st.cache_resource(max_entries=24, show_spinner=False)
def _table(model: str, name: Table, stamp: str) -> pd.DataFrame:  # noqa: ARG001 (part of the key)
    return report(model).table(name)


def table_if_stored(model: str, name: Table) -> pd.DataFrame | None:
    """One table of a model's report; None where the report lacks it."""
    return table(model, name) if report(model).has(name) else None


@st.cache_resource
def _analyses() -> "Kept[RecordingAnalysis | str]":
    return Kept(SAMPLE_BYTES, lambda one: 0 if isinstance(one, str) else one.n_bytes, IDLE_S)


def analysis(source: str, cell_id: str, without: frozenset[int] = frozenset()) -> "RecordingAnalysis | str":
    """The measured recording of a cohort cell from `source` without some sweeps, or the reason why there is none."""

    def measure() -> "RecordingAnalysis | str":
        from neuroclass.classification.analysis import analyse
        from neuroclass.classification.left_out import leave_out
        from neuroclass.cohort.recordings import recording_of

        with st.spinner("Getting the cell's sweeps"):
            found = recording_of(cohort(), cell_id)
            if isinstance(found, str):
                return found
            (left,) = leave_out([found], without)
            return analyse(left)

    return _analyses().get_or_make(fingerprint(source=source, cell=cell_id, without=without), measure)


def demo_analysis(cell_id: str) -> "RecordingAnalysis":
    """The measured sweeps of a simulated cell, whatever cells are loaded."""

    def measure() -> "RecordingAnalysis":
        from neuroclass.classification.analysis import analyse
        from neuroclass.cohort.demo import simulate_demo_cell

        return analyse(simulate_demo_cell(cell_id))

    found = _analyses().get_or_make(fingerprint(simulated=cell_id), measure)
    assert not isinstance(found, str)
    return found


def verdict(cells: Cohort, cell_id: str) -> CellVerdict:
    """The verdict of the models that this page uses on a cell of the cohort, from its stored features."""
    return _verdict(cells, cell_id, model_choice.models())


@st.cache_resource(max_entries=200, show_spinner="Classifying the cell", hash_funcs=HASHES)
def _verdict(cells: Cohort, cell_id: str, models: "Models") -> CellVerdict:
    from neuroclass.classification.agreement import measured_cell
    from neuroclass.classification.classify import classify_cells

    cell = measured_cell(cells, int(np.flatnonzero(cells.column("id") == cell_id)[0]))
    return next(one for one in classify_cells([cell], models) if isinstance(one, CellVerdict))


def cell_verdicts(model: str, name: Table) -> pd.DataFrame:
    """Predicted class and verdict of each cell, from a model's table of predictions."""
    return _cell_verdicts(model, name, stamp(model))


@st.cache_data(max_entries=8, show_spinner=False)
def _cell_verdicts(model: str, name: Table, stamp: str) -> pd.DataFrame:  # noqa: ARG001 (part of the key)
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
