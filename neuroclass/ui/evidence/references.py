"""Reference cells on a page: the nearest of a class, with short excerpts of its sweeps cached."""

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from neuroclass.charts.comparison import Panel
from neuroclass.charts.traces import crop
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.classification.models import Models
from neuroclass.classification.result import Prediction
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import NeuroClassError
from neuroclass.reference.cells import ReferenceCell, nearest_references, with_sweeps
from neuroclass.report.content import likeliest
from neuroclass.report.places import Traced, panel_of, traced
from neuroclass.ui import cache
from neuroclass.ui.evidence.case import Case


def nearest(case: Case, prediction: Prediction) -> dict[str, ReferenceCell]:
    """The nearest reference cells of the predicted and the runner-up class."""
    verdict, labels = case.verdict, tuple(likeliest(prediction))
    pools = tuple(with_sweeps(cache.cohort()))
    return _nearest(case.models, pools, verdict.species, verdict.features, prediction.model, labels, case.reference_id)


@st.cache_resource(max_entries=200, show_spinner="Finding reference cells", hash_funcs=cache.HASHES)
def _nearest(
    models: Models,
    pools: tuple[Cohort, ...],
    species: str,
    features: Mapping[str, float],
    model: str,
    labels: tuple[str, ...],
    exclude: str,
) -> dict[str, ReferenceCell]:
    return nearest_references(models.named(model).predictor, features, species, labels, pools, exclude)


def _traced(cell_id: str, simulated: bool, source: str) -> Traced | None:
    try:
        found = cache.demo_analysis(cell_id) if simulated else cache.analysis(source, cell_id)
    except NeuroClassError:  # a file that cannot be read is no reference
        return None
    return traced(cell_id, found, simulated) if isinstance(found, RecordingAnalysis) else None


@st.cache_resource(max_entries=96, show_spinner="Getting the reference cell's sweeps")
def panel(cell_id: str, simulated: bool, source: str, feature: str, title: str) -> Panel | None:
    """Where a feature was measured in a reference cell, cropped to the drawn window."""
    cell = _traced(cell_id, simulated, source)
    found = None if cell is None else panel_of(cell, feature)
    if found is None:
        return None
    cut = (crop(trace, *found.window) for trace in found.traces)
    kept = tuple(replace(trace, v_mv=trace.v_mv.copy(), i_pa=trace.i_pa.copy()) for trace in cut)
    return replace(found, title=title, traces=kept)
