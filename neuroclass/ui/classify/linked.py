"""A colleague's verdict behind a read-only link: as it was shared, nothing corrected, deleted or kept."""

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from neuroclass import __version__
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata, from_json, to_cli_arguments
from neuroclass.classification.result import Answer
from neuroclass.errors import AccessError, LibraryError, RejectedInput
from neuroclass.io.history_links import Shared, open_link
from neuroclass.library.library import ModelLibrary
from neuroclass.ui import widgets
from neuroclass.ui.classify import batch, received, uploads, verdict_view
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import history, store
from neuroclass.ui.history.links import moment
from neuroclass.ui.identity import LINK, login_offered, visitor
from neuroclass.ui.text import escaped
from neuroclass.ui.turns import TURNS

if TYPE_CHECKING:
    from neuroclass.classification.models import Models

GONE = "This link was withdrawn, or never existed. Ask the colleague who sent it to you for a new one."


def page() -> None:
    """Draw what the link in the address shows."""
    widgets.heading("A colleague's verdict, read only", "")
    with guarded():
        shared = _opened(st.query_params.get(LINK, ""))
    if shared is None:
        st.warning(GONE, icon=":material/link_off:")
        st.stop()
    _origin(shared)
    with guarded():
        metadata = from_json(shared.entry.context)
        cell_input = received.from_entry(shared.entry)
        models, why = _models(shared)
        if not why and not all(store.spool().path(file.digest).is_file() for file in shared.entry.files):
            why = "Its recordings are no longer on this server."
        if why or models is None:
            _as_shared(shared, why)
            return
        with TURNS.answering(), st.spinner("Reading the sweeps"):
            answers = uploads.answers_under(cell_input, metadata, models)
        _show(cell_input, answers, metadata, models)


def _opened(token: str) -> Shared | None:
    try:
        return open_link(store.history(), visitor(), token)
    except AccessError as error:
        again = " After logging in, open the link again." if login_offered() else ""
        raise AccessError(f"{error}{again}") from error


def _origin(shared: Shared) -> None:
    """Whose page this is, and what the verdict was computed with, when and by which models."""
    link = shared.link
    st.markdown(
        f":material/visibility: Classified **{moment(link.judged)}** and shared {moment(link.made)}. Nothing on this "
        "page changes it, and nothing goes into your own history."
    )
    with st.expander("What it was computed with", icon=":material/inventory_2:"):
        said = shlex.join(to_cli_arguments(from_json(shared.entry.context)))
        rows = {
            "Files": "; ".join(f"{escaped(file.name, 120)} ({file.size:,} bytes)" for file in shared.entry.files),
            "SHA-256": "; ".join(file.digest for file in shared.entry.files),
            "Joined as cell": escaped(shared.entry.cell, 120),
            "Said of the cell, as on the command line": escaped(said, 1000) or "nothing",
            "Models": escaped(history.readable(link.model), 1000),
            "NeuroClass": escaped(link.software, 40),
        }
        st.markdown("\n".join(f"- **{name}.** {value}" for name, value in rows.items() if value))


def _models(shared: Shared) -> "tuple[Models | None, str]":
    """The models that gave the verdict; or why they cannot give it again."""
    from neuroclass.classification.models import load_models

    library, words = ModelLibrary(), shared.link.model.split(" ")
    try:
        chosen = [library.usable(one.id) for one in library.entries() if not one.shipped and one.id in words]
        models = load_models(chosen=tuple(chosen))
    except LibraryError:
        models = None
    if models is None or models.version != shared.link.model:
        return None, "The models that gave it are no longer those of this server."
    if shared.link.software != __version__:
        return None, f"It was given by NeuroClass {escaped(shared.link.software, 40)}; this server has {__version__}."
    return models, ""


def _as_shared(shared: Shared, why: str) -> None:
    """The kept verdicts alone, where they cannot be computed again."""
    st.info(f"{why} This is the verdict as it was kept, without sweeps and figures.", icon=":material/inventory:")
    table = history.versions_table({shared.link.model: shared.answers})
    st.dataframe(table, hide_index=True)
    with st.container(horizontal=True):
        widgets.csv_button("linked-verdict", table)
        st.download_button(
            "Verdict (JSON)",
            json.dumps(shared.answers, indent=1),
            file_name="neuroclass-verdict.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
        )


def _show(cell_input: CellInput, answers: Sequence[Answer], metadata: CellMetadata, models: "Models") -> None:
    """The verdict; of several cells, the one that is picked."""
    pairs = batch.by_doubt([(cell_input, one) for one in answers])
    picked = 0
    if len(pairs) > 1:
        table = batch.table_of(pairs)
        st.dataframe(table, hide_index=True, height=38 + 35 * min(6, len(table)))
        widgets.csv_button("linked-verdicts", table, label="All verdicts (CSV)")
        picked = st.selectbox("Cell", range(len(pairs)), format_func=lambda k: _name(pairs[k][1]), key="linked-cell")
    one = pairs[picked][1]
    if isinstance(one, RejectedInput):
        verdict_view.refused(one)
    else:
        verdict_view.show_read_only(cell_input, one, metadata, models)


def _name(one: Answer) -> str:
    return one.cell or one.source
