"""The answer if the potentials were already corrected for the junction potential, where that is not stated."""

import streamlit as st

from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict
from neuroclass.ui import cache
from neuroclass.ui.evidence.case import Case


def corrected(case: Case) -> CellVerdict | None:
    """The verdict with corrected potentials; None of a cohort's cell, or where it is stated."""
    if case.simulated or case.reference_id:
        return None
    return _corrected(case.verdict, case.metadata, case.models)


@st.cache_resource(max_entries=400, show_spinner=False, hash_funcs=cache.HASHES)
def _corrected(verdict: CellVerdict, metadata: CellMetadata, models: Models) -> CellVerdict | None:
    from neuroclass.classification.junction import if_corrected

    return if_corrected(verdict, models, metadata.prior)
