"""The evidence for a verdict: reasons, and what would change it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import NeuroClassError
from neuroclass.report.content import TASKS, asked
from neuroclass.ui import cache, widgets
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.evidence import counterfactual, reasons, stress, what_if
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped

REASONS, ALTERED, COUNTERFACTUAL, STRESS = "Contributions", "Move features", "Counterfactual", "Stress test"


@st.fragment
def show(case: Case) -> None:
    """Show the evidence for a case, one view at a time."""
    with guarded():
        prediction = question(case)
        view = _view("evidence", [REASONS, COUNTERFACTUAL, *([STRESS] if case.recording is not None else [])])
        _show(case, prediction, view)


def show_what_if(case: Case) -> None:
    """Show what would change the verdict: an altered cell, or an altered recording."""
    left, right = st.columns([1, 1], vertical_alignment="bottom")
    with left:
        view = _view("what-if", [ALTERED, COUNTERFACTUAL, *([STRESS] if case.recording is not None else [])])
    with right:
        prediction = question(case)
    _show(case, prediction, view)


def _view(key: str, names: list[str]) -> str:
    return widgets.choice("Evidence", names, key, label_visibility="collapsed")


def question(case: Case) -> Prediction:
    """The prediction that evidence is shown for, as chosen."""
    verdict = case.verdict
    name = widgets.choice(
        "For",
        list(TASKS),
        "why",
        default="broad" if verdict.subclass.abstain else "subclass",
        format_func=lambda task: asked(task, getattr(verdict, task)),
        label_visibility="collapsed",
    )
    prediction: Prediction = getattr(verdict, name)
    return prediction


def _show(case: Case, prediction: Prediction, view: str) -> None:
    if not prediction.reasons:
        st.caption("No feature was measured, so there is no reason to show.")
    elif view == REASONS:
        reasons.show(case, prediction)
    elif view == ALTERED:
        what_if.show(case, prediction)
    elif view == COUNTERFACTUAL:
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
        st.caption("By the built-in models, which were trained on this cell too; its held-out predictions are above.")
    metadata = CellMetadata(verdict.species)
    show(Case(f"cell-{cell_id}", verdict, metadata, lent, cells.simulated, cell_id, cells.source))


def _with_places(verdict: CellVerdict, places: Mapping[str, Mapping[str, Any]]) -> CellVerdict:
    measured = {name: place for name, place in places.items() if name in verdict.features}
    return replace(verdict, provenance=measured)
