"""How a refused recording can be read: proposals with a picture of the first sweep, one click to accept."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from neuroclass.charts import traces
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata, command_line
from neuroclass.classification.result import Answer
from neuroclass.errors import Proposal, RecordingError, RejectedInput
from neuroclass.io.channels import ChannelMapping
from neuroclass.ui import widgets
from neuroclass.ui.classify import uploads
from neuroclass.ui.text import escaped

Pair = tuple[CellInput | None, Answer]
_HEIGHT_PX = 320


def offer(one: RejectedInput, cell_input: CellInput, metadata: CellMetadata, pairs: Sequence[Pair]) -> None:
    """The readings that were tried on a refused recording and work.

    Parameters
    ----------
    one : RejectedInput
        The refusal.
    cell_input : CellInput
        Its files.
    metadata : CellMetadata
        What the user says about the cells.
    pairs : sequence of (CellInput or None, Answer)
        Everything on the page: other files with the same proposal are read alike on request.
    """
    if not isinstance(one.error, RecordingError):
        return
    for number, proposal in enumerate(one.error.proposals):
        alike = [other for other, answer in pairs if other is not None and _offers(answer, proposal)]
        _card(proposal, cell_input, metadata, alike, f"{cell_input.digest[:16]}-{number}")
    if one.error.words or any(proposal.assumes for proposal in one.error.proposals):
        st.info(
            "Gains and offsets are entered at the top, under **Recording conditions**: switch on **The "
            "file's channels, units or gains are wrong**.",
            icon=":material/tune:",
        )


def _offers(answer: Answer, proposal: Proposal) -> bool:
    error = answer.error if isinstance(answer, RejectedInput) else None
    return isinstance(error, RecordingError) and proposal in error.proposals


def _card(
    proposal: Proposal, cell_input: CellInput, metadata: CellMetadata, alike: Sequence[CellInput], key: str
) -> None:
    read = replace(metadata, mapping=ChannelMapping(**proposal.options))  # type: ignore[arg-type]
    with st.container(border=True):
        st.markdown(f"**{'Possible' if proposal.assumes else 'Proposed'} reading.** {_sentence(proposal)}")
        _picture(cell_input, read, key)
        with st.container(horizontal=True):
            st.button(
                "Read it this way",
                key=f"accept-{key}",
                type="primary",
                icon=":material/check:",
                on_click=uploads.accept,
                args=([cell_input], proposal),
            )
            if len(alike) > 1:
                st.button(
                    f"Read all {len(alike)} such files this way",
                    key=f"accept-all-{key}",
                    on_click=uploads.accept,
                    args=(list(alike), proposal),
                    help="All refused files here for which this very reading was tried and works.",
                )
        st.caption("The same on the command line:")
        st.code(command_line(cell_input, read), language=None, wrap_lines=True)


def _sentence(proposal: Proposal) -> str:
    text = f"{proposal.reading[:1].upper()}{proposal.reading[1:]}."
    return escaped(f"{text} It assumes {proposal.assumes}." if proposal.assumes else text, 600)


def _picture(cell_input: CellInput, read: CellMetadata, key: str) -> None:
    """The first sweep under a reading."""
    analyses = [one.analysis for one in uploads.measured(cell_input, read) if not isinstance(one, RejectedInput)]
    recording = next((analysis.recording for analysis in analyses if analysis is not None), None)
    if recording is None:
        return
    sweep = recording.sweeps[0]
    trace = traces.Trace(f"sweep {sweep.number}", sweep.v_mv, sweep.i_pa, sweep.rate_hz)
    caption = f"Sweep {sweep.number}, the first of {len(recording.sweeps)}, under this reading."
    widgets.figure(traces.sweeps([trace], height=_HEIGHT_PX), f"reading-{key}", caption=caption)


def accepted(cell_input: CellInput) -> None:
    """Say how a recording is read since the user accepted that, and offer to take it back."""
    proposal = uploads.reading(cell_input)
    if proposal is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(f"Read as you accepted it. {_sentence(proposal)}", icon=":material/tune:")
        st.button(
            "Undo this reading",
            key=f"unaccept-{cell_input.digest[:16]}",
            on_click=uploads.accept,
            args=([cell_input], None),
        )
