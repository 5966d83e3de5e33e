"""The answer if the potentials were already corrected for the junction potential, where that is not stated."""

import streamlit as st

from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict
from neuroclass.predictors.priors import Prior
from neuroclass.ui.evidence.case import Case


def corrected(case: Case) -> CellVerdict | None:
    """The verdict with corrected potentials; None for a simulated cell, a reference cell, or where it is stated."""
    if case.simulated or case.reference_id:
        return None
    return _corrected(case.fingerprint, case.verdict, case.models, case.metadata.prior)


@st.cache_resource(max_entries=400, show_spinner=False)
def _corrected(
    key: str,  # noqa: ARG001 (the key of the cache)
    _verdict: CellVerdict,
    _models: Models,
    _prior: Prior,
) -> CellVerdict | None:
    from neuroclass.classification.junction import if_corrected

    return if_corrected(_verdict, _models, _prior)
