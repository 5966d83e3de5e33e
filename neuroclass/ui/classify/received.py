"""The upload field, and the files that came through it: unpacked and on this machine's disk."""

from pathlib import Path
from typing import Any

import streamlit as st

from neuroclass.classification.inputs import CellInput, InputFile
from neuroclass.errors import RecordingError, RejectedInput, SettingsError
from neuroclass.io.archives import is_archive, shown_name, unpack
from neuroclass.io.history import Entry, StoredFile
from neuroclass.ui import arrivals
from neuroclass.ui.history import store
from neuroclass.ui.housekeeping import release
from neuroclass.ui.identity import is_logged_in, visitor
from neuroclass.ui.text import escaped

MAX_FILES = 500


def input_file(file: StoredFile) -> InputFile:
    """A file in the spool, under the name that this visitor gave it."""
    return InputFile(file.name, store.spool().path(file.digest), file.digest)


def from_entry(entry: Entry) -> CellInput:
    """The files of an entry of the history."""
    return CellInput(tuple(map(input_file, entry.files)), entry.cell)


def title(brought: bool) -> str:
    """Title of what is uploaded and said of it: with the files' names where there are any."""
    if not brought:
        return "Recordings and recording conditions"
    names = [shown_name(file.name) for file in st.session_state.get("files") or ()]
    listed = f"{names[0]} and {len(names) - 1} more" if len(names) > 2 else ", ".join(names)
    return f"Recordings and recording conditions{f': {escaped(listed, 90)}' if names else ''}"


def receive() -> tuple[list[InputFile], list[RejectedInput]]:
    """The upload field; the files in it, unpacked and on this machine's disk, and those that are rejected.

    Raises
    ------
    SettingsError
        If there are more files than the limit.
    """
    found = st.file_uploader(
        "Drop recordings (ABF, NWB, HEKA, WinWCP, Igor, AxoGraph, MATLAB and others), feature tables (CSV, Parquet, "
        "XLSX) or zip archives of them; their format is detected",
        accept_multiple_files=True,
        key="files",
        help=store.retention_notice(is_logged_in()),
    )
    received: dict[str, list[StoredFile | RejectedInput]] = st.session_state.setdefault("received", {})
    for gone in set(received) - {file.file_id for file in found}:
        del received[gone]
    for file in found:
        if file.file_id not in received:
            received[file.file_id] = taken(file)
    everything = [one for file in found for one in received[file.file_id]]
    if len(everything) > MAX_FILES:
        raise SettingsError(
            f"{len(everything)} files were uploaded; at most {MAX_FILES} are taken at once. Remove some, or classify "
            "the folder on the command line: python -m neuroclass classify FOLDER."
        )
    files = {f.digest + f.name: f for f in everything if isinstance(f, StoredFile)}
    return [input_file(file) for file in files.values()], [one for one in everything if isinstance(one, RejectedInput)]


def taken(file: Any) -> list[StoredFile | RejectedInput]:
    """As `_keep`; the disk then has the file, so that memory need not."""
    released: set[str] = st.session_state.setdefault("released", set())
    if file.file_id in released:
        gone = RecordingError(f"{shown_name(file.name)} was deleted with all of this browser's uploads; drop it again.")
        return [RejectedInput(shown_name(file.name), gone)]
    kept = _keep(file)
    if any(isinstance(one, StoredFile) for one in kept):
        released.add(file.file_id)
        release(file)
    return kept


def _keep(file: Any) -> list[StoredFile | RejectedInput]:
    """Write an uploaded file to disk, or what an archive holds."""
    name = shown_name(file.name)
    try:
        return _unpacked(file, name)
    except OSError as error:
        advice = "The server's disk may be full; delete uploads on the History page, or tell who runs the server."
        return [RejectedInput(name, RecordingError(f"{name} cannot be kept ({error.strerror or error}). {advice}"))]


def _unpacked(file: Any, name: str) -> list[StoredFile | RejectedInput]:
    spool = store.spool()
    digest, size = spool.put(arrivals.opened(file), visitor().owner)
    path = spool.path(digest)
    if not is_archive(path):
        return [StoredFile(name, digest, size)]
    kept: list[StoredFile | RejectedInput] = []
    with spool.workplace() as folder:
        for member in unpack(path, name, Path(folder)):
            if isinstance(member, RejectedInput):
                kept.append(member)
                continue
            size = member.path.stat().st_size
            spool.adopt(member.path, member.digest, visitor().owner)
            kept.append(StoredFile(member.name, member.digest, size))
    spool.release([digest], visitor().owner)
    spool.remove([digest])
    return kept
