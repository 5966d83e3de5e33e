"""The Classify page from top to bottom: what was brought, its answers, and what the cells are together."""

from collections.abc import Sequence

import streamlit as st

from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import CellVerdict
from neuroclass.errors import RejectedInput
from neuroclass.ui import model_choice, widgets
from neuroclass.ui.archive import handed
from neuroclass.ui.classify import (
    adapt,
    batch,
    batch_summary,
    batch_table,
    dropped,
    empty_state,
    examples,
    metadata_form,
    received,
    sheets,
    uploads,
    verdict_view,
)
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import history
from neuroclass.ui.turns import TURNS

Brought = tuple[list[CellInput], list[RejectedInput], CellMetadata]


def bring(question: str) -> Brought:
    """The heading, the upload field and what came through it; stops the page where nothing was brought."""
    head = st.container()
    with guarded(stop=False):
        history.reopen(fresh="files" not in st.session_state)
    elsewhere = bool(history.reopened() or examples.is_chosen() or handed.chosen() or dropped.chosen())
    brought = bool(st.session_state.get("files") or elsewhere)
    with head:
        widgets.heading("Classify", "" if brought else question)
    with guarded():
        model_choice.pick()
    with guarded(), st.expander(received.title(brought), icon=":material/upload_file:", expanded=not brought):
        files, refused = received.receive()
        files = [*files, *dropped.chosen(), *examples.chosen(), *handed.chosen()]
        refused = [*refused, *dropped.refused()]
        metadata = metadata_form.metadata()
        cell_inputs = history.with_reopened(batch.grouping_form(files))
    with guarded():
        sheets.choose(cell_inputs)
    if not cell_inputs and not refused:
        empty_state.needed()
        st.subheader("Or try an example", anchor=False)
        examples.offered(here=True)
        empty_state.show()
        st.stop()
    return cell_inputs, refused, metadata


def answer(cell_inputs: Sequence[CellInput], refused: Sequence[RejectedInput], metadata: CellMetadata) -> None:
    """Answers first, then what explains them, then what the cells are together."""
    with guarded(), TURNS.answering():
        pairs = batch.by_doubt([*batch.answer_all(cell_inputs, metadata), *((None, one) for one in refused)])
    uploads.what_was_not_kept()
    examples.leave()
    handed.leave()
    dropped.leave()
    verdicts = [one for _, one in pairs if isinstance(one, CellVerdict)]
    chosen = batch_table.choose(pairs)
    banner = st.container()
    cell_input, one = pairs[chosen]
    batch.link_to(cell_input, metadata)
    if isinstance(one, RejectedInput):
        verdict_view.refusal(one, cell_input, metadata, pairs)
    elif cell_input is not None:
        verdict_view.show(cell_input, one, metadata, pairs)
    TURNS.let_answers_pass()
    with banner:
        adapt.banner(verdicts)
    batch_summary.show(verdicts)
    adapt.show(verdicts)
