"""The evidence for a verdict: reasons, counterfactual and stress test."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from neuroclass.cell_types import Species
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import NeuroClassError
from neuroclass.report.content import TASKS, question_of
from neuroclass.ui import cache
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.evidence import counterfactual, reasons, stress
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

_VIEWS = ("Why", "What would change its mind", "Recording stress test")


@st.fragment
def show(case: Case) -> None:
    """Show the evidence for a case, one view at a time."""
    with guarded():
        _show(case)


def _show(case: Case) -> None:
    left, right = st.columns([1, 1], vertical_alignment="bottom")
    with left:
        view = st.segmented_control(
            "Evidence", _VIEWS, default=_VIEWS[0], required=True, key="evidence", label_visibility="collapsed"
        )
    with right:
        name = str(
            st.segmented_control(
                "For",
                list(TASKS),
                default="subclass" if case.verdict.species != Species.HUMAN else "broad",
                required=True,
                key="why",
                format_func=lambda task: question_of(task, getattr(case.verdict, task)),
                label_visibility="collapsed",
            )
        )
    prediction: Prediction = getattr(case.verdict, name)
    if not prediction.reasons:
        st.caption("No feature was measured, so there is no reason to show.")
    elif view == _VIEWS[0]:
        reasons.show(case, prediction)
    elif view == _VIEWS[1]:
        counterfactual.show(case, prediction)
    else:
        stress.show(case, prediction)


def show_cohort_cell(cells: Cohort, cell_id: str, lent: Lent | None) -> None:
    """Show the evidence for the shipped models' verdict on a cohort cell, with its sweeps if available."""
    try:
        verdict = cache.verdict(cells, cell_id)
    except NeuroClassError as error:
        st.info(escaped(error, 600), icon=":material/info:")
        return
    if lent is not None:
        verdict = _with_places(verdict, lent().provenance())
    if not cells.simulated:
        st.caption("By the models as shipped, which were trained on this cell too; the held-out predictions are above.")
    metadata = CellMetadata(verdict.species)
    show(Case(f"cell-{cell_id}", verdict, metadata, lent, cells.simulated, cell_id, cells.source))


def _with_places(verdict: CellVerdict, places: Mapping[str, Mapping[str, Any]]) -> CellVerdict:
    measured = {name: place for name, place in places.items() if name in verdict.features}
    return replace(verdict, provenance=measured)
