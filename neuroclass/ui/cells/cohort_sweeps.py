"""Sweeps of a cohort cell that are left out, kept in the page's address, and what that changes."""

import streamlit as st

from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.classification.left_out import numbers_argument, parse_numbers
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Models
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.cohort import Cohort
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.errors import NeuroClassError
from neuroclass.ui import cache, model_choice
from neuroclass.ui.cells import changed, left_out
from neuroclass.ui.guards import guarded

ADDRESS = "without"


def analysis(cells: Cohort, cell_id: str, whole: RecordingAnalysis) -> RecordingAnalysis:
    """The recording without the sweeps that the address leaves out; whole, with a notice, where it asks the impossible.

    Parameters
    ----------
    cells : Cohort
        The loaded cells.
    cell_id : str
        The cell.
    whole : RecordingAnalysis
        Its recording with all sweeps.
    """
    with guarded(stop=False):
        numbers = parse_numbers([st.query_params.get(ADDRESS, "")], f"?{ADDRESS}=")
        found = cache.analysis(cells.source, cell_id, numbers) if numbers else whole
        if isinstance(found, RecordingAnalysis):
            return found
    return whole


def controls(cells: Cohort, cell_id: str, species: str, analysis: RecordingAnalysis) -> None:
    """Leave sweeps out or take them back in, and say what it changes."""
    gone = frozenset(sweep.number for sweep in analysis.recording.left_out)
    with st.expander("Leave sweeps out", icon=":material/hide_source:", expanded=bool(gone)):
        left_out.controls(f"cell-{cell_id}", analysis.recording, None, gone, _keep)
        if gone:
            with guarded(stop=False):
                models = model_choice.models()
                before, after = _answers(cells, cell_id, species, gone, models)
                how = f"Without {sweeps_text(gone)}"
                changed.show(how, before, after, models.dann.predictor.preprocessor)
                st.caption(
                    "Both measured on this recording and classified by the models chosen on this page. The sweeps here "
                    "are those that are left; features among its class, reasons and neighbours below are of the "
                    "table's values, which rest on all sweeps."
                )


def _keep(numbers: frozenset[int]) -> None:
    if numbers:
        st.query_params[ADDRESS] = numbers_argument(numbers)
    else:
        st.query_params.pop(ADDRESS, None)


@st.cache_resource(max_entries=100, show_spinner="Classifying the cell", hash_funcs=cache.HASHES)
def _answers(
    cells: Cohort, cell_id: str, species: str, without: frozenset[int], models: Models
) -> tuple[CellVerdict, CellVerdict]:
    from neuroclass.classification.classify import classify_cells
    from neuroclass.classification.measurement import of_analysis

    found = [cache.analysis(cells.source, cell_id, numbers) for numbers in (frozenset(), without)]
    measured = [of_analysis(cell_id, one, CellMetadata(species)) for one in found if isinstance(one, RecordingAnalysis)]
    answers = [one for one in classify_cells(measured, models, reasons=False) if isinstance(one, CellVerdict)]
    if len(answers) != len(found):
        raise NeuroClassError(f"The recording of {cell_id} is no longer on this machine. Reload the page.")
    return answers[0], answers[1]
