"""What a user brings to the Classify page: files, which of them are one cell, and the answers on them."""

import ctypes
import hashlib
import shlex
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from neuroclass.classification.measurement import CellMetadata, InputFile, read_joined
from neuroclass.classification.metadata import to_cli_arguments, to_json
from neuroclass.classification.result import CellVerdict
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import RecordingError, RejectedInput, SettingsError
from neuroclass.features import Stimulus
from neuroclass.io.archives import is_archive, shown_name, unpack
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.history import StoredFile
from neuroclass.io.recordings import read_recordings
from neuroclass.reference.template import template_csv, template_guide
from neuroclass.ui.history import store
from neuroclass.ui.history.browser_identity import owner

MAX_FILES = 500
RECORDING_BYTES = 150_000_000
Answer = CellVerdict | RejectedInput


@dataclass(frozen=True)
class Upload:
    """What is classified together: a file with its cells, or several files that are one cell.

    Attributes
    ----------
    files : tuple of StoredFile
        The files, in the order in which their sweeps are numbered.
    cell : str
        The cell's name where several files are one; else empty.
    """

    files: tuple[StoredFile, ...]
    cell: str = ""

    @property
    def name(self) -> str:
        """The files' names."""
        return " + ".join(file.name for file in self.files)

    @property
    def digest(self) -> str:
        """Tells this upload from others by its content."""
        if len(self.files) == 1 and not self.cell:
            return self.files[0].digest
        return hashlib.sha256("\n".join([self.cell, *(file.digest for file in self.files)]).encode()).hexdigest()

    def sources(self) -> tuple[InputFile, ...]:
        """The files with where they lie on this machine."""
        return tuple(InputFile(file.name, path_of(file)) for file in self.files)


def path_of(file: StoredFile) -> Path:
    """Where a file lies on this machine."""
    return store.history().spool.path(file.digest)


def receive() -> tuple[list[StoredFile], list[RejectedInput]]:
    """The upload field; the files in it, unpacked and on this machine's disk, and those that are refused.

    Raises
    ------
    SettingsError
        If there are more files than are taken at once.
    """
    found = st.file_uploader(
        "Recordings (ABF, NWB and others), feature tables (CSV, Parquet, XLSX), or zip archives of them; the content "
        "decides, not the name",
        accept_multiple_files=True,
        key="files",
        help=store.in_words(),
    )
    received: dict[str, list[StoredFile | RejectedInput]] = st.session_state.setdefault("received", {})
    for gone in set(received) - {file.file_id for file in found}:
        del received[gone]
    for file in found:
        if file.file_id not in received:
            received[file.file_id] = _keep(file)
    everything = [one for file in found for one in received[file.file_id]]
    if len(everything) > MAX_FILES:
        raise SettingsError(
            f"{len(everything)} files were uploaded; at most {MAX_FILES} are taken at once. Remove some, or classify "
            "the folder on the command line: python -m neuroclass classify FOLDER."
        )
    files = {f.digest + f.name: f for f in everything if isinstance(f, StoredFile)}
    return list(files.values()), [one for one in everything if isinstance(one, RejectedInput)]


def _keep(file: Any) -> list[StoredFile | RejectedInput]:
    """Write an uploaded file to disk, or what an archive holds."""
    name = shown_name(file.name)
    try:
        return _unpacked(file, name)
    except OSError as error:
        advice = "The server's disk may be full; delete uploads on the History page, or tell who runs the server."
        return [RejectedInput(name, RecordingError(f"{name} cannot be kept ({error.strerror or error}). {advice}"))]


def _unpacked(file: Any, name: str) -> list[StoredFile | RejectedInput]:
    spool = store.history().spool
    digest, size = spool.put(file)
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
            spool.adopt(member.path, member.digest)
            kept.append(StoredFile(member.name, member.digest, size))
    spool.remove([digest])
    return kept


def empty_state() -> None:
    """What to do where nothing is uploaded yet."""
    st.info(
        "Drop one or many files above, or a zip of them. A recording gives the features its sweeps allow; a table may "
        "lack columns and values. Nothing leaves this machine.",
        icon=":material/info:",
    )
    st.caption(store.in_words())
    left, right = st.columns([1, 3], vertical_alignment="center")
    left.download_button(
        "Template (CSV)",
        template_csv(),
        file_name="neuroclass-template.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    right.caption("One row a cell; a column a feature, in the units listed here. `cell` and `species` are optional.")
    with st.expander("Columns, units and definitions"):
        st.dataframe(template_guide(), hide_index=True)


@st.cache_resource
def _slots() -> threading.BoundedSemaphore:
    """Two cells are measured and judged at once; others wait, so that memory and answers stay bounded."""
    return threading.BoundedSemaphore(2)


@st.cache_data(max_entries=400, show_spinner=False)
def _answers(digest: str, name: str, key: str, models: str, _upload: Upload, _context: CellMetadata) -> list[Answer]:  # noqa: ARG001
    from neuroclass.classification.inputs import CellInput, classify_input

    with _slots():
        answers = classify_input(CellInput(_upload.sources(), _upload.cell), _context)
    _give_back()
    return answers


def _give_back() -> None:
    """Return freed memory to the system, which glibc keeps otherwise; elsewhere nothing."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _key(given: CellMetadata) -> str:
    return repr(to_json(given))


def corrected(upload: Upload, given: CellMetadata) -> CellMetadata:
    """What the user said, with the corrections of this upload's protocols."""
    return replace(given, assignments=corrections(upload))


def keep(upload: Upload, given: CellMetadata) -> str:
    """Write an upload into the history before it is classified; returns its entry's id."""
    kept: dict[tuple[str, str], str] = st.session_state.setdefault("entries", {})
    metadata = corrected(upload, given)
    place = (upload.digest, _key(metadata))
    if place not in kept:
        kept[place] = store.history().begin(owner(), upload.files, to_json(metadata), upload.cell)
    return kept[place]


def answer(upload: Upload, given: CellMetadata) -> list[Answer]:
    """Verdicts on the cells of an upload under the user's corrections; kept in the history."""
    metadata, models = corrected(upload, given), store.model_version()
    entry = keep(upload, given)
    answers = _answers(upload.digest, upload.name, _key(metadata), models, upload, metadata)
    finished: set[tuple[str, str, str]] = st.session_state.setdefault("finished", set())
    place = (entry, _key(metadata), models)
    if place not in finished:
        told = [one.to_json() for one in answers]
        store.history().finish(owner(), entry, models, told, summary_of(answers))
        finished.add(place)
    return answers


def summary_of(answers: list[Answer]) -> str:
    """Cells and their labels in a line, to find them by."""
    parts = []
    for one in answers[:200]:
        if isinstance(one, RejectedInput):
            parts.append(f"{one.cell} refused ({one.error.kind})".strip())
        else:
            labels = " / ".join(task.label or "cannot say" for task in (one.broad, one.subclass))
            parts.append(f"{one.cell} ({one.species}): {labels}")
    return "; ".join(parts) + (f"; and {len(answers) - 200} more" if len(answers) > 200 else "")


class _Recordings:
    """The recording looked at last, and others before it up to a number of bytes together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Recording, ...]] = OrderedDict()

    def get(self, key: str) -> tuple[Recording, ...] | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, recordings: tuple[Recording, ...]) -> None:
        with self._lock:
            self._kept[key] = recordings
            while len(self._kept) > 1 and sum(map(_bytes, self._kept.values())) > RECORDING_BYTES:
                self._kept.popitem(last=False)


def _bytes(recordings: tuple[Recording, ...]) -> int:
    return sum(s.v_mv.nbytes + s.i_pa.nbytes for r in recordings for s in r.sweeps)


@st.cache_resource
def _recordings() -> _Recordings:
    return _Recordings()


def recording_of(upload: Upload, cell: str, given: CellMetadata) -> Recording | None:
    """Sweeps of one cell of an upload.

    Raises
    ------
    NeuroClassError
        If its files cannot be read.
    """
    key = f"{upload.digest} {given.mapping!r}"
    found = _recordings().get(key)
    if found is None:
        with _slots(), st.spinner("Reading the sweeps"):
            found = _read(upload, given.mapping)
        _recordings().put(key, found)
    return next((recording for recording in found if recording.cell == cell), None)


def _read(upload: Upload, mapping: ChannelMapping | None) -> tuple[Recording, ...]:
    if upload.cell:
        recording, _ = read_joined(upload.cell, upload.sources(), mapping)
        return () if recording is None else (recording,)
    (source,) = upload.sources()
    return read_recordings(source.content, name=source.name, mapping=mapping or ChannelMapping())


def _correction_key(upload: Upload) -> str:
    return f"assignments-{upload.digest}"


def corrections(upload: Upload) -> Mapping[tuple[int, int], Stimulus | None]:
    """The user's corrections of an upload's protocols."""
    return dict(st.session_state.get(_correction_key(upload), {}))


def correct(upload: Upload, assignments: Mapping[tuple[int, int], Stimulus | None]) -> None:
    """Keep corrections of an upload's protocols; empty forgets them."""
    st.session_state[_correction_key(upload)] = dict(assignments)


def command_line(upload: Upload, given: CellMetadata) -> str:
    """The command that gives the same numbers, for a folder in which the files lie, unpacked."""
    names = [_own_name(file.name) for file in upload.files]
    words = ["python", "-m", "neuroclass", "classify"]
    if upload.cell:
        for name in names:
            words += ["--group", f"{upload.cell}={name}"]
    else:
        words += [f"./{names[0]}" if names[0].startswith("-") else names[0]]
    return shlex.join([*words, "--json", *to_cli_arguments(corrected(upload, given))])


def _own_name(name: str) -> str:
    """A file's name without the archive it came from."""
    head, _, rest = name.partition(".zip/")
    return rest or head


def forget_all() -> int:
    """Delete everything that this browser has in the history; returns how many entries."""
    count = store.history().delete_all(owner())
    for key in ("received", "entries", "finished", "reopened", "shown"):
        st.session_state.pop(key, None)
    return count
