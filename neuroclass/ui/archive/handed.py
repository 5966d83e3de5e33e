"""A recording fetched from the archive that the page Classify opens."""

import re
from pathlib import Path, PurePosixPath

import streamlit as st

from neuroclass.classification.inputs import InputFile
from neuroclass.errors import RecordingError
from neuroclass.io.origin import origin_of
from neuroclass.ui.history import store
from neuroclass.ui.identity import visitor

ADDRESS = "fetched"
_DIGEST = re.compile(r"[0-9a-f]{64}")


def hand_over(file: Path) -> str:
    """Put a fetched file among this browser's recordings; returns its checksum, for the address.

    Raises
    ------
    RecordingError
        It is gone.
    """
    try:
        with file.open("rb") as content:
            return store.spool().put(content, visitor().owner)[0]
    except OSError as error:
        raise RecordingError(f"{file.name} is no longer here ({error.strerror or error}). Fetch it again.") from error


def chosen() -> list[InputFile]:
    """The recording that the address names; none without one, or if it was not fetched from an archive."""
    digest = st.query_params.get(ADDRESS, "")
    if not _DIGEST.fullmatch(digest):
        return []
    origin, path = origin_of(None, digest), store.spool().path(digest)
    if not origin.get("path") or not path.is_file():
        return []
    return [InputFile(PurePosixPath(origin["path"]).name, path, digest)]


def leave() -> None:
    """Say where the recording is from, and offer to close it."""
    for file in chosen():
        origin = origin_of(None, file.sha256)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                f":material/public: From dandiset {origin.get('dandiset')}, version {origin.get('version')}; the "
                "Methods paragraph cites it."
            )
            st.button("Close", type="tertiary", key=f"{ADDRESS}-leave", on_click=_put_away)


def _put_away() -> None:
    digest = st.query_params.pop(ADDRESS, "")
    st.query_params.pop("entry", None)
    st.session_state.pop("own_entry", None)
    for key in ("reopened", "shown"):
        st.session_state[key] = [one for one in st.session_state.get(key, ()) if one.digest != digest]
