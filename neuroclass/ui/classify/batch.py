"""Many uploads at once: which files are one cell, progress, a table of all cells, and what they are together."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.classification import wording
from neuroclass.classification.doubt import ODD_TYPICALITY
from neuroclass.classification.grouping import suggested_cells
from neuroclass.classification.inputs import CellInput, InputFile
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import Models
from neuroclass.classification.result import Answer, CellVerdict, Prediction
from neuroclass.errors import NeuroClassError, RecordingError, RejectedInput
from neuroclass.types.progress import FEATURE_SET, Progress, ProgressCallback
from neuroclass.ui.classify import uploads
from neuroclass.ui.history import store
from neuroclass.ui.text import escaped

Pair = tuple[CellInput | None, Answer]
_CELL_NAMES = "cell_names"
REFUSED, CONTRADICTION, OUT, UNDECIDED = "refused", "contradiction", "out of distribution", "undecided"
UNRELIABLE, CAREFUL = "do not rely", "caution"
_ORDER = (REFUSED, CONTRADICTION, OUT, UNRELIABLE, UNDECIDED, CAREFUL, "")


def grouping_form(files: Sequence[InputFile]) -> list[CellInput]:
    """Files to classify together; where there are several, the user can say which are one cell."""
    if len(files) < 2:
        return [CellInput((file,)) for file in files]
    cell_names: dict[str, str] = st.session_state.setdefault(_CELL_NAMES, {})
    joined = sum(bool(cell_names.get(_id(file))) for file in files)
    with st.expander(
        "Do several files belong to one cell?" + (f" {joined} files are joined." if joined else ""),
        icon=":material/join:",
    ):
        st.caption(
            "Files with the same cell name are measured together, over all their sweeps. A file without a name stands "
            "for itself."
        )
        table = pd.DataFrame(
            {
                "file": [file.name for file in files],
                "size (kB)": [round(file.size / 1000) for file in files],
                "cell": [cell_names.get(_id(file), "") for file in files],
            }
        )
        with st.form("grouping", border=False):
            edited = st.data_editor(
                table,
                hide_index=True,
                disabled=["file", "size (kB)"],
                key=f"grouping-{len(files)}-{st.session_state.get('suggested', 0)}",
                column_config={"cell": st.column_config.TextColumn(max_chars=80)},
            )
            with st.container(horizontal=True):
                apply = st.form_submit_button("Join files of the same name")
                suggest = st.form_submit_button("Suggest names from the files'", type="tertiary")
        if suggest:
            names = suggested_cells([file.name for file in files])
            edited = table.assign(cell=[name if names.count(name) > 1 else "" for name in names])
            st.session_state["suggested"] = st.session_state.get("suggested", 0) + 1
            if not edited["cell"].any():
                st.caption("No two names differ only in their stimulus: nothing to suggest.")
        if apply or suggest:
            for file, cell in zip(files, edited["cell"], strict=True):
                cell_names[_id(file)] = str(cell or "").strip()
            if edited["cell"].any() or apply:
                st.rerun()
    return grouped(files, {_id(file): cell_names.get(_id(file), "") for file in files})


def _id(file: InputFile) -> str:
    return f"{file.digest} {file.name}"


def grouped(files: Sequence[InputFile], cells: Mapping[str, str]) -> list[CellInput]:
    """Inputs of files whose cells are named by digest and name; in order of each cell's first file."""
    by_cell: dict[str, list[InputFile]] = {}
    for file in files:
        name = cells.get(_id(file), "")
        by_cell.setdefault(f"cell {name}" if name else f"file {_id(file)}", []).append(file)
    return [CellInput(tuple(parts), key[5:] if key.startswith("cell ") else "") for key, parts in by_cell.items()]


def answer_all(cell_inputs: Sequence[CellInput], metadata: CellMetadata) -> list[Pair]:
    """Verdicts on every cell of every input, with progress; a bad one never stops the rest.

    All are written into the history before the first is computed.
    """
    uploads.forget_what_was_not_kept()
    for cell_input in cell_inputs:
        uploads.keep(cell_input, metadata)
    pairs: list[Pair] = []
    models = uploads.loaded_models() if cell_inputs else None
    bar = st.progress(0.0, text="Reading")
    for k, cell_input in enumerate(cell_inputs):
        moved = _moving(bar, escaped(cell_input.name, 80), k, len(cell_inputs))
        pairs += [(cell_input, one) for one in _answer(cell_input, metadata, models, moved)]
    bar.empty()
    return pairs


def _moving(bar: Any, name: str, number: int, total: int) -> ProgressCallback:
    """Move a bar from one input to the next as its cells are classified."""
    text = f"Classifying {name} ({number + 1} of {total})"
    bar.progress(number / total, text=text)

    def moved(progress: Progress) -> None:
        of = progress.total or progress.done
        if progress.stage == FEATURE_SET:
            more = f"fitting models to its {of} other sets of features" if of > 1 else "fitting models to its features"
            bar.progress(
                (number + progress.done / of) / total,
                text=f"{text}: {more}, {progress.done} done. Remove the file, or leave the page, to stop.",
            )
            return
        bar.progress(
            (number + progress.done / of) / total, text=f"{text}: {progress.done:,} of {of:,} cells" if of > 1 else text
        )

    return moved


def _answer(
    cell_input: CellInput, metadata: CellMetadata, models: Models | None, progress: ProgressCallback
) -> list[Answer]:
    try:
        return uploads.answer(cell_input, metadata, models, progress)
    except NeuroClassError as error:
        return [RejectedInput(cell_input.name, error)]
    except OSError as error:
        found = f"{cell_input.name} is no longer on this machine ({error.strerror or error}). Upload it again."
        return [RejectedInput(cell_input.name, RecordingError(found))]


def table_of(pairs: Sequence[Pair]) -> pd.DataFrame:
    """One row per cell or refused file: verdicts, prediction sets, flags."""
    twice = pd.Series([one.cell for _, one in pairs if isinstance(one, CellVerdict)], dtype=object)
    repeated = set(twice[twice.duplicated()])
    rows = [_refused(one) if isinstance(one, RejectedInput) else _row(one, repeated) for _, one in pairs]
    columns = [
        *("attention", "file", "cell", "species", "broad class", "broad probability", "subclass"),
        *("subclass probability", "subclass set", "broad set", "expected accuracy", "like the database", "features"),
        *("typicality (%)", "flags", "note"),
    ]
    return pd.DataFrame(rows).reindex(columns=columns)


def _refused(one: RejectedInput) -> dict[str, Any]:
    refused = "refused, readable as proposed" if getattr(one.error, "proposals", ()) else "refused"
    return {
        "attention": REFUSED,
        "file": one.source,
        "cell": one.cell,
        "broad class": refused,
        "subclass": refused,
        "note": one.error.plain,
    }


def _row(one: CellVerdict, repeated: set[str]) -> dict[str, Any]:
    notes = ["Another uploaded cell has the same name."] if one.cell in repeated else []
    return {
        "attention": attention(one),
        "file": one.source,
        "cell": one.cell,
        "species": one.species,
        "broad class": _short(one.broad),
        "broad probability": _top(one.broad),
        "broad set": _set(one.broad),
        "subclass": _short(one.subclass),
        "subclass probability": _top(one.subclass),
        "subclass set": _set(one.subclass),
        "expected accuracy": _rounded((one.broad if one.subclass.abstain else one.subclass).expected.get("accuracy")),
        "like the database": _rounded(one.likeness.get("probability")),
        "features": len(one.features),
        "typicality (%)": None if one.broad.typicality is None else round(100 * one.broad.typicality, 1),
        "flags": ", ".join(dict.fromkeys(str(flag.get("name")) for flag in one.qc)),
        "note": "; ".join([*notes, *one.warnings]),
    }


def by_doubt(pairs: Sequence[Pair]) -> list[Pair]:
    """Refused files first, then contradictions, cells out of distribution and other doubtful ones, then the rest."""
    return sorted(pairs, key=lambda pair: _ORDER.index(attention(pair[1])))


def attention(one: Answer) -> str:
    """Why an answer needs attention, in a word; empty where it does not."""
    if isinstance(one, RejectedInput):
        return REFUSED
    if wording.contradicts(one):
        return CONTRADICTION
    typicality = one.broad.typicality
    if one.broad.abstain and typicality is not None and typicality < ODD_TYPICALITY:
        return OUT
    caution = wording.caution_line(one)
    if caution.startswith(wording.CAUTIONS[0]):
        return UNRELIABLE
    return UNDECIDED if one.broad.abstain else CAREFUL if caution else ""


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _short(prediction: Prediction) -> str:
    return label_of(prediction.label) if prediction.label else "cannot say"


def _top(prediction: Prediction) -> float | None:
    return round(max(prediction.probabilities.values()), 3) if prediction.probabilities else None


def _set(prediction: Prediction) -> str:
    return " or ".join(label_of(name) for name in prediction.prediction_set)


def link_to(cell_input: CellInput | None, metadata: CellMetadata) -> None:
    """Put the shown cell's link into the page's address."""
    if cell_input is None or not store.lasts():
        return
    entry = uploads.keep(cell_input, metadata)
    if entry is None:
        return
    if st.query_params.get("entry") != entry:
        st.query_params["entry"] = entry
    st.session_state["own_entry"] = entry
