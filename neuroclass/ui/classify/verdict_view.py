"""A verdict, or a refusal, on the page."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import CellVerdict
from neuroclass.errors import RecordingError, RejectedInput
from neuroclass.ui.cells import left_out
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.classify import first_screen, overruled, readings, sections, uploads
from neuroclass.ui.classify.compare import Other
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped
from neuroclass.ui.turns import TURNS

if TYPE_CHECKING:
    from neuroclass.classification.models import Models


def refusal(
    one: RejectedInput, cell_input: CellInput | None, metadata: CellMetadata, pairs: Sequence[readings.Pair]
) -> None:
    """A file that was not classified, why, and how it can be read; see `readings.offer`."""
    refused(one)
    if cell_input is not None:
        if gone := uploads.left_out(cell_input):
            left_out.taken_back(
                f"refused-{cell_input.digest[:16]}", gone, frozenset(), partial(uploads.leave_out, cell_input)
            )
        readings.accepted(cell_input)
        readings.offer(one, cell_input, metadata, pairs)


def refused(one: RejectedInput) -> None:
    """A file that was not classified, and why."""
    where = f"{one.source}, cell {one.cell}" if one.cell else one.source
    why = one.error.found if isinstance(one.error, RecordingError) else one.error.plain
    why = f"It{why.removeprefix(one.source)}" if why.startswith(f"{one.source} ") else why
    st.error(f"**{escaped(where)}** was refused. {escaped(why, 1200)}", icon=":material/warning:")


def show(
    cell_input: CellInput, verdict: CellVerdict, metadata: CellMetadata, pairs: Sequence[readings.Pair] = ()
) -> None:
    """The answer and its evidence on one screen, then everything behind it, a section at a time.

    Parameters
    ----------
    cell_input : CellInput
        The cell's files.
    verdict : CellVerdict
        The answer.
    metadata : CellMetadata
        What the user says of all cells.
    pairs : sequence of (CellInput or None, Answer)
        Everything on the page, to compare with.
    """
    others = tuple(
        Other(their_input, one)
        for their_input, one in pairs
        if their_input is not None and isinstance(one, CellVerdict) and one is not verdict
    )
    readings.accepted(cell_input)
    screen = st.container(gap="xsmall", key="first-screen")
    case = _case(cell_input, verdict, uploads.corrected(cell_input, metadata), uploads.loaded_models())
    with screen:
        first_screen.answer(case)
        overruled.note(cell_input, verdict, metadata)
    with screen, guarded(stop=False):
        first_screen.evidence(case)
    sections.show(sections.Shown(case, cell_input, metadata, others))


def show_read_only(cell_input: CellInput, verdict: CellVerdict, metadata: CellMetadata, models: "Models") -> None:
    """A verdict under exactly these metadata, whatever this session corrected, and without anything that changes it."""
    screen = st.container(gap="xsmall", key="first-screen")
    case = _case(cell_input, verdict, metadata, models, "linked-")
    with screen:
        first_screen.answer(case)
    with screen, guarded(stop=False):
        if case.analysis is not None and case.analysis.simulated:
            st.caption(":material/science: The recording is **simulated**.")
        first_screen.evidence(case)
    sections.show(sections.Shown(case, cell_input, metadata, read_only=True))


def _case(
    cell_input: CellInput, verdict: CellVerdict, metadata: CellMetadata, models: "Models", prefix: str = ""
) -> Case:
    """A verdict with its recording and its reasons; answers of others are let pass before these are computed."""
    get = partial(uploads.analysis_of, cell_input, verdict.cell, metadata)
    lent = Lent(get) if verdict.sweeps and get() is not None else None
    TURNS.let_answers_pass()
    verdict = uploads.explained(cell_input, verdict, metadata, models)
    key = f"{prefix}{cell_input.digest[:16]}-{verdict.cell}"
    return Case(key, verdict, metadata, lent, inputs=fingerprint(inputs=cell_input), models=models)
