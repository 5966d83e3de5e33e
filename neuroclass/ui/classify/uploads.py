"""The answers on what users bring to the Classify page, and the recordings behind them."""

import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata, to_json
from neuroclass.classification.result import Answer, CellVerdict
from neuroclass.classification.summary import summary_of
from neuroclass.errors import HistoryError, NeuroClassError, Proposal, QuotaError, RejectedInput, TableError
from neuroclass.features import Stimulus
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.history import StoredFile
from neuroclass.predictors.priors import Prior
from neuroclass.types.progress import ProgressCallback, ignore_progress
from neuroclass.ui import cache, little_trace, model_choice
from neuroclass.ui.cells import own_cells
from neuroclass.ui.classify import sheets
from neuroclass.ui.history import store
from neuroclass.ui.housekeeping import give_back
from neuroclass.ui.identity import visitor
from neuroclass.ui.kept import Kept
from neuroclass.ui.text import escaped

if TYPE_CHECKING:
    from neuroclass.classification.analysis import RecordingAnalysis
    from neuroclass.classification.measurement import MeasuredCell
    from neuroclass.classification.models import Models

_OF_UPLOADS = (
    *("received", "entries", "finished", "reopened", "shown", "not-kept", "own_entry", "made-links"),
    *("stress-results", "quality-effects", "report-of", "third-domain", "lab-shown", "cell_names", "readings"),
    *("left-out", "dropped", "batch-known", own_cells.KEPT),
)
_OF_A_FILE = re.compile(r"(?<![0-9a-f])([0-9a-f]{16}|[0-9a-f]{64})(?![0-9a-f])")
"""The checksum of a file, or its beginning, in the name of what a session keeps of it."""
FEW_CELLS = 20
TRACE = "trace"
"""Where a verdict in the history has its response in little."""
MOST_CELLS, MOST_KEPT_CELLS = 20_000, 20_000


@st.cache_resource
def _slots() -> threading.BoundedSemaphore:
    """At most two inputs are measured and classified at once, so that memory and waiting times stay bounded."""
    return threading.BoundedSemaphore(2)


def answers_under(
    cell_input: CellInput, metadata: CellMetadata, models: "Models", progress: ProgressCallback = ignore_progress
) -> list[Answer]:
    """Verdicts under exactly these metadata, computed once; of many cells without reasons, which `explained` adds."""
    key = fingerprint(inputs=cell_input, metadata=metadata, models=models)
    answers = _verdicts().get(key)
    if answers is None:
        from neuroclass.ui import metrics

        with metrics.timed():
            answers = _computed(cell_input, metadata, models, progress)
        metrics.count(answers)
        _verdicts().put(key, answers)
        give_back()
    return answers


def _computed(
    cell_input: CellInput, metadata: CellMetadata, models: "Models", progress: ProgressCallback = ignore_progress
) -> list[Answer]:
    from neuroclass.classification.classify import classify_cells, prepared

    with _slots():
        cells = _measured(cell_input, metadata)
        if len(cells) > MOST_CELLS:
            raise TableError(
                f"{cell_input.name} has {len(cells):,} cells; at most {MOST_CELLS:,} are classified here at "
                "once. Split it, or classify it on the command line."
            )
    judged = prepared(cells, models, progress)  # fits wait for each other, and nobody else for them
    with _slots():
        return classify_cells(judged, models, len(judged) <= FEW_CELLS, metadata.prior, progress)


@st.cache_resource
def _verdicts() -> Kept[list[Answer]]:
    return Kept(MOST_KEPT_CELLS, len, cache.IDLE_S)


def has_reasons(verdict: CellVerdict) -> bool:
    """Whether a verdict's reasons were computed; True where no feature was measured, so that there are none."""
    return bool(verdict.broad.reasons or verdict.subclass.reasons or not verdict.features)


def explained(cell_input: CellInput, verdict: CellVerdict, metadata: CellMetadata, models: "Models") -> CellVerdict:
    """A verdict under exactly these metadata with its reasons, computed where they are not there yet."""
    return verdict if has_reasons(verdict) else _explained(cell_input, metadata, verdict, models)


@st.cache_resource(max_entries=400, show_spinner="Computing the reasons", hash_funcs=cache.HASHES)
def _explained(
    cell_input: CellInput,  # noqa: ARG001 (part of the key of the cache)
    metadata: CellMetadata,  # noqa: ARG001
    verdict: CellVerdict,
    models: "Models",
) -> CellVerdict:
    from neuroclass.classification.classify import reasons_for

    return reasons_for(verdict, models)


def _measured(cell_input: CellInput, metadata: CellMetadata) -> "list[MeasuredCell | RejectedInput]":
    """Every cell of an input; recordings are kept, up to a number of bytes, for all that is shown of them."""
    from neuroclass.classification.measurement import measure

    cells = _recordings().get(_recording_key(cell_input, metadata))
    if cells is None:
        cells = measure(cell_input, metadata)
        _recordings().put(_recording_key(cell_input, metadata), cells)
    return cells


def _recording_key(cell_input: CellInput, metadata: CellMetadata) -> str:
    """Everything that measured cells depend on; the names are in it because cells and warnings carry them."""
    return fingerprint(inputs=cell_input, metadata=replace(metadata, prior=Prior()))


def corrected(cell_input: CellInput, metadata: CellMetadata) -> CellMetadata:
    """Metadata with what was chosen for this input: protocols, sweeps left out, reading of its channels, sheet."""
    accepted = reading(cell_input)
    mapping = ChannelMapping(**accepted.options) if accepted else metadata.mapping  # type: ignore[arg-type]
    return replace(
        metadata,
        assignments=corrections(cell_input),
        mapping=mapping,
        sheet=sheets.chosen(cell_input),
        without_sweeps=left_out(cell_input),
    )


def reading(cell_input: CellInput) -> Proposal | None:
    """The reading of an input's channels that the user accepted."""
    return st.session_state.get("readings", {}).get(cell_input.digest)


def accept(cell_inputs: Sequence[CellInput], proposal: Proposal | None) -> None:
    """Keep a reading of some inputs' channels; None forgets it."""
    readings: dict[str, Proposal | None] = st.session_state.setdefault("readings", {})
    readings.update(dict.fromkeys((one.digest for one in cell_inputs), proposal))


def keep(cell_input: CellInput, metadata: CellMetadata) -> str | None:
    """Write an input into the history before it is classified; returns its entry's id, None where it is not kept."""
    kept: dict[tuple[str, str], tuple[str, str]] = st.session_state.setdefault("entries", {})
    metadata = corrected(cell_input, metadata)
    try:
        history = store.history()
        place, given = (history.generation(), fingerprint(inputs=cell_input)), fingerprint(metadata=metadata)
        if place not in kept or kept[place][0] != given:
            files = [StoredFile(file.name, file.digest, file.size) for file in cell_input.files]
            entry = history.begin(visitor(), files, to_json(metadata), cell_input.cell)
            kept[place] = (given, entry)
            _finished().pop(entry, None)
        return kept[place][1]
    except (HistoryError, QuotaError) as error:
        _not_kept(error)
        return None


def loaded_models() -> "Models":
    """The models that answer now: those chosen on this page; see `load_models`."""
    return model_choice.models()


def answer(
    cell_input: CellInput,
    metadata: CellMetadata,
    models: "Models | None" = None,
    progress: ProgressCallback = ignore_progress,
) -> list[Answer]:
    """Verdicts on the cells of an input under the user's corrections, by the models that answer now; kept."""
    entry, models = keep(cell_input, metadata), models or loaded_models()
    metadata = corrected(cell_input, metadata)
    answers = answers_under(cell_input, metadata, models, progress)
    own_cells.keep(fingerprint(inputs=cell_input), answers)
    place = fingerprint(inputs=cell_input, metadata=metadata, models=models)
    if entry is not None and place not in _finished().get(entry, ()):
        payload, summary = _payload(cell_input, metadata, answers), summary_of(answers)
        try:
            store.history().finish(visitor(), entry, models.version, payload, summary, context=to_json(metadata))
            _finished().setdefault(entry, set()).add(place)
        except HistoryError as error:
            _not_kept(error)
    return answers


def _payload(cell_input: CellInput, metadata: CellMetadata, answers: list[Answer]) -> Iterator[dict[str, Any]]:
    """What the history keeps of answers: the verdicts, and beside that of a single cell a response, if at hand."""
    cells = _recordings().get(_recording_key(cell_input, metadata)) if len(answers) == 1 else None
    analyses = [one.analysis for one in cells or () if not isinstance(one, RejectedInput) and one.analysis]
    trace = little_trace.kept(analyses[0]) if analyses else None
    for one in answers:
        yield one.to_json() | ({TRACE: trace} if trace else {})


def _finished() -> dict[str, set[str]]:
    """Fingerprints of the answers that an entry holds since it was begun."""
    found: dict[str, set[str]] = st.session_state.setdefault("finished", {})
    return found


def _not_kept(error: NeuroClassError) -> None:
    later = "" if isinstance(error, QuotaError) else ", and are kept once this page is used again with the history back"
    st.session_state["not-kept"] = f"The verdicts below hold all the same{later}. {error}"


def forget_what_was_not_kept() -> None:
    """Begin anew: this run tries to keep everything again."""
    st.session_state.pop("not-kept", None)


def what_was_not_kept() -> None:
    """Say that verdicts of this run are not in the history, and why; nothing where they are."""
    trouble = st.session_state.get("not-kept", "")
    if trouble:
        st.warning(
            f"**Not kept in the history.** {escaped(trouble, 700)}",
            icon=":material/history_toggle_off:",
        )


def _bytes(cells: "Sequence[MeasuredCell | RejectedInput]") -> int:
    """Bytes of the recordings behind cells; 0 for a table's rows."""
    return sum(one.analysis.n_bytes for one in cells if not isinstance(one, RejectedInput) and one.analysis)


@st.cache_resource
def _recordings() -> "Kept[list[MeasuredCell | RejectedInput]]":
    return Kept(cache.SAMPLE_BYTES, _bytes, cache.IDLE_S)


def analysis_of(cell_input: CellInput, cell: str, metadata: CellMetadata) -> "RecordingAnalysis | None":
    """The recording measured under exactly these metadata; None for a table's row or a file that is gone."""
    cells = measured(cell_input, metadata)
    return next((one.analysis for one in cells if not isinstance(one, RejectedInput) and one.cell == cell), None)


def measured(cell_input: CellInput, metadata: CellMetadata) -> "list[MeasuredCell | RejectedInput]":
    """Every cell of an input under exactly these metadata."""
    kept = _recordings().get(_recording_key(cell_input, metadata))
    if kept is not None:
        return kept
    with _slots(), st.spinner("Reading the sweeps"):
        return _measured(cell_input, metadata)


def _correction_key(cell_input: CellInput) -> str:
    return f"assignments-{cell_input.digest}"


def corrections(cell_input: CellInput) -> Mapping[tuple[int, int], Stimulus | None]:
    """The user's corrections of an input's protocols."""
    return dict(st.session_state.get(_correction_key(cell_input), {}))


def correct(cell_input: CellInput, assignments: Mapping[tuple[int, int], Stimulus | None]) -> None:
    """Keep corrections of an input's protocols; empty forgets them."""
    st.session_state[_correction_key(cell_input)] = dict(assignments)


def left_out(cell_input: CellInput) -> frozenset[int]:
    """Numbers of the sweeps that the user leaves out of an input."""
    chosen: dict[str, frozenset[int]] = st.session_state.get("left-out", {})
    return chosen.get(cell_input.digest, frozenset())


def leave_out(cell_input: CellInput, numbers: Collection[int]) -> None:
    """Keep which sweeps are left out of an input; none takes all back in."""
    chosen: dict[str, frozenset[int]] = st.session_state.get("left-out", {})
    st.session_state["left-out"] = {**chosen, cell_input.digest: frozenset(numbers)}


def uncorrected(cell_input: CellInput, cell: str, metadata: CellMetadata) -> CellVerdict | None:
    """A cell's verdict with its stimuli as recognised and all its sweeps; None where there is none."""
    plain = replace(corrected(cell_input, metadata), assignments={}, without_sweeps=frozenset())
    try:
        answers = answers_under(cell_input, plain, loaded_models())
    except NeuroClassError:
        return None
    return next((one for one in answers if isinstance(one, CellVerdict) and one.cell == cell), None)


def forget_all() -> int:
    """Delete everything of this browser: entries, files, cached answers and prepared reports; returns how many entries.

    Caches are the server's, so that other visitors' answers are computed again when they are next shown.
    """
    count = store.history().delete_all(visitor())
    st.cache_data.clear()
    _recordings().clear()
    _verdicts().clear()
    for key in [key for key in map(str, st.session_state) if key in _OF_UPLOADS or _OF_A_FILE.search(key)]:
        st.session_state.pop(key, None)
    return count
