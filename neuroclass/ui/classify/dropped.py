"""Recordings dropped on the front page, which the page Classify opens."""

import streamlit as st

from neuroclass.classification.inputs import InputFile
from neuroclass.config import SHIPPED_DIR
from neuroclass.errors import RejectedInput
from neuroclass.io.archives import shown_name
from neuroclass.io.history import StoredFile
from neuroclass.ui.address import page_of
from neuroclass.ui.classify import received
from neuroclass.ui.history import store
from neuroclass.ui.identity import is_logged_in
from neuroclass.ui.text import escaped

DROPPED = "dropped"
_CLASSIFY = SHIPPED_DIR / "pages" / "classify.py"


def field() -> None:
    """An upload field whose files the page Classify opens."""
    found = st.file_uploader(
        "Drop your recordings",
        accept_multiple_files=True,
        key="front-files",
        help=store.retention_notice(is_logged_in()),
    )
    if found:
        st.session_state[DROPPED] = [one for file in found for one in received.taken(file)]
        st.switch_page(page_of(_CLASSIFY))


def _dropped() -> list[StoredFile | RejectedInput]:
    return list(st.session_state.get(DROPPED, ()))


def chosen() -> list[InputFile]:
    """The files dropped on the front page, until they are closed or deleted."""
    files = [one for one in _dropped() if isinstance(one, StoredFile)]
    return [received.input_file(one) for one in files if store.spool().path(one.digest).is_file()]


def refused() -> list[RejectedInput]:
    """What was dropped there and cannot be taken."""
    return [one for one in _dropped() if isinstance(one, RejectedInput)]


def leave() -> None:
    """Say what was dropped on the front page, and offer to close it."""
    names = [shown_name(file.name) for file in chosen()]
    if not names:
        return
    listed = f"{names[0]} and {len(names) - 1} more" if len(names) > 2 else ", ".join(names)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/upload_file: {escaped(listed, 120)}")
        st.button("Close", type="tertiary", key=f"{DROPPED}-leave", on_click=_put_away)


def _put_away() -> None:
    gone = {file.sha256 for file in chosen()}
    st.session_state.pop(DROPPED, None)
    st.query_params.pop("entry", None)
    st.session_state.pop("own_entry", None)
    for key in ("reopened", "shown"):
        kept = st.session_state.get(key, ())
        st.session_state[key] = [one for one in kept if not gone & {file.sha256 for file in one.files}]
