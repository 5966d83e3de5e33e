"""Reference cells on a page: the nearest of a class, with short excerpts of its sweeps cached."""

from dataclasses import replace

import streamlit as st

from neuroclass.charts.comparison import Panel
from neuroclass.charts.traces import crop
from neuroclass.classification.analysis import RecordingAnalysis, analyse
from neuroclass.classification.classify import load_models
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.errors import NeuroClassError
from neuroclass.reference.cells import ReferenceCell, nearest_references, with_sweeps
from neuroclass.report.content import likeliest
from neuroclass.report.places import Traced, panel_of, traced
from neuroclass.ui import cache
from neuroclass.ui.evidence.case import Case


def nearest(case: Case, prediction: Prediction) -> dict[str, ReferenceCell]:
    """The nearest reference cells of the predicted and the runner-up class."""
    key = f"{case.key} {case.verdict.species} {sorted(case.verdict.features.items())}"
    return _nearest(key, prediction.model, tuple(likeliest(prediction)), case.reference_id, case.verdict)


@st.cache_resource(max_entries=200, show_spinner="Finding reference cells")
def _nearest(
    key: str,  # noqa: ARG001 (the key of the cache)
    model: str,
    labels: tuple[str, ...],
    exclude: str,
    _verdict: CellVerdict,
) -> dict[str, ReferenceCell]:
    predictor = load_models().named(model).predictor
    pools = with_sweeps(cache.cohort())
    return nearest_references(predictor, _verdict.features, _verdict.species, labels, pools, exclude)


@st.cache_resource(max_entries=3, show_spinner="Getting the reference cell's sweeps")
def _traced(cell_id: str, simulated: bool, source: str) -> Traced | None:
    try:
        found = analyse(simulate_demo_cell(cell_id)) if simulated else cache.analysis(source, cell_id)
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
