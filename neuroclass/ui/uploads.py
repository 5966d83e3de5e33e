"""What a user brings to the Classify page: files, and what is known of the cells."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from neuroclass.cell_types import Species
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import SettingsError
from neuroclass.features import BY_NAME, PERSON_FEATURES, Stimulus
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.feature_table import template_csv, template_guide
from neuroclass.io.recordings import read_recordings
from neuroclass.measure import Context
from neuroclass.ui.text import escaped
from neuroclass.verdict import CellVerdict, Refusal

MAX_FILES = 200
UNKNOWN = "unknown"
_UNITS_V, _UNITS_A = ("mV", "V", "uV"), ("pA", "nA", "A")
Answer = CellVerdict | Refusal


@dataclass(frozen=True)
class Upload:
    """One uploaded file: its name, SHA-256 and content."""

    name: str
    digest: str
    content: bytes


def files() -> list[Upload]:
    """The upload field, and the files in it."""
    found = st.file_uploader(
        "Recordings (ABF, NWB and others) or feature tables (CSV, Parquet, XLSX); the content decides, not the name",
        accept_multiple_files=True,
        key="files",
        help="Files stay in this server's memory. Remove one with its cross; all go when you close the page.",
    )
    if len(found) > MAX_FILES:
        raise SettingsError(f"{len(found)} files were uploaded; at most {MAX_FILES} are taken at once. Remove some.")
    contents = [(file.name, file.getvalue()) for file in found]
    return [Upload(name, hashlib.sha256(content).hexdigest(), content) for name, content in contents]


def empty_state() -> None:
    """What to do where nothing is uploaded yet."""
    st.info(
        "Drop one or many files above. A recording gives the features its sweeps allow; a table may lack columns and "
        "values. Nothing leaves this machine.",
        icon=":material/info:",
    )
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


def context() -> Context:
    """What the user says about the cells; remembered for the session."""
    with st.expander("What is known of the cells (optional)", icon=":material/edit_note:", expanded=True):
        columns = st.columns(3)
        species = columns[0].segmented_control(
            "Species, where the file does not tell",
            [UNKNOWN, *(s.value for s in Species)],
            default=UNKNOWN,
            required=True,
            key="species",
            bind="query-params",
        )
        entered = {}
        for column, name in zip(columns[1:], PERSON_FEATURES, strict=False):
            spec = BY_NAME[name]
            value = column.number_input(
                f"{spec.label} ({spec.shown_unit})",
                0.0,
                1e5,
                None,
                key=name,
                persist_state="session",
                help=spec.definition,
            )
            if value:
                entered[name] = float(value)
        mapping = _mapping()
    return Context(None if species == UNKNOWN else species, entered, mapping)


def _mapping() -> ChannelMapping | None:
    """Channels and units that override a file's header."""
    if not st.toggle("The file's channels or units are wrong", key="override"):
        return None
    columns = st.columns(4)
    response = columns[0].text_input("Channel of the potential", key="response", placeholder="name or number")
    unit_v = columns[1].selectbox(
        "Unit of the potential", _UNITS_V, index=None, key="response_unit", placeholder="as in the file"
    )
    stimulus = columns[2].text_input("Channel of the current", key="stimulus", placeholder="name or number")
    unit_a = columns[3].selectbox(
        "Unit of the current", _UNITS_A, index=None, key="stimulus_unit", placeholder="as in the file"
    )
    return ChannelMapping(response.strip() or None, stimulus.strip() or None, unit_v, unit_a)


def _key(given: Context) -> str:
    assigned = sorted((list(k), v.value if v else None) for k, v in given.assignments.items())
    return json.dumps([given.species, dict(given.entered), repr(given.mapping), assigned])


@st.cache_data(max_entries=400, show_spinner=False)
def _answers(digest: str, name: str, key: str, _content: bytes, _context: Context) -> list[Answer]:  # noqa: ARG001
    from neuroclass.workflows import classify_bytes

    return classify_bytes([(name, _content)], _context)


def answer(upload: Upload, given: Context) -> list[Answer]:
    """Verdicts on the cells of one file under the user's corrections of its protocols."""
    corrected = replace(given, assignments=st.session_state.get(_correction_key(upload), {}))
    return _answers(upload.digest, upload.name, _key(corrected), upload.content, corrected)


def answer_all(uploads: list[Upload], given: Context) -> list[tuple[Upload, Answer]]:
    """Verdicts on every cell of every file, with progress by file."""
    pairs = []
    bar = st.progress(0.0, text="Reading")
    for k, upload in enumerate(uploads):
        bar.progress(k / len(uploads), text=f"Classifying {escaped(upload.name, 80)} ({k + 1} of {len(uploads)})")
        pairs += [(upload, one) for one in answer(upload, given)]
    bar.empty()
    return pairs


@st.cache_resource(max_entries=6, show_spinner="Reading the sweeps")
def _recordings(
    digest: str,  # noqa: ARG001 (the key of the cache)
    name: str,
    key: str,  # noqa: ARG001 (the key of the cache)
    _content: bytes,
    _mapping: ChannelMapping | None,
) -> tuple[Recording, ...]:
    return read_recordings(_content, name=name, mapping=_mapping or ChannelMapping())


def recording_of(upload: Upload, cell: str, given: Context) -> Recording | None:
    """Sweeps of one cell of an uploaded recording."""
    found = _recordings(upload.digest, upload.name, repr(given.mapping), upload.content, given.mapping)
    return next((recording for recording in found if recording.cell == cell), None)


def _correction_key(upload: Upload) -> str:
    return f"assignments-{upload.digest}"


def corrections(upload: Upload) -> Mapping[tuple[int, int], Stimulus | None]:
    """The user's corrections of a file's protocols."""
    return dict(st.session_state.get(_correction_key(upload), {}))


def correct(upload: Upload, assignments: Mapping[tuple[int, int], Stimulus | None]) -> None:
    """Keep corrections of a file's protocols; empty forgets them."""
    st.session_state[_correction_key(upload)] = dict(assignments)


def command_line(upload: Upload, given: Context) -> str:
    """The command that gives the same numbers."""
    import shlex

    words: list[Any] = ["python", "-m", "neuroclass", "classify", upload.name, "--json"]
    if given.species:
        words += ["--species", given.species]
    for name, value in given.entered.items():
        words += ["--enter", f"{name}={value:g}"]
    mapping = given.mapping or ChannelMapping()
    for option in ("response", "stimulus", "response_unit", "stimulus_unit"):
        value = getattr(mapping, option)
        if value:
            words += [f"--{option.replace('_', '-')}", value]
    return shlex.join(words)
