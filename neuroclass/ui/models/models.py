"""The table of models, and what can be done with one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.config import MODELS_DIR
from neuroclass.evaluation.names import SYSTEM_TITLES, Protocol
from neuroclass.library.entry import SHIPPED, TASKS, ModelEntry
from neuroclass.library.library import LONGEST_NAME, LONGEST_NOTE, ModelLibrary
from neuroclass.library.package import SUFFIX, export_model, import_model
from neuroclass.reports.store import ReportStore
from neuroclass.training.job import UNDER_WAY
from neuroclass.types.models import HUMAN_SUBCLASS, SHIPPED_MODELS
from neuroclass.types.shares import DASH, with_interval
from neuroclass.types.visitors import Right, Visitor
from neuroclass.ui import arrivals, model_choice, widgets
from neuroclass.ui.guards import guarded
from neuroclass.ui.identity import visitor
from neuroclass.ui.models import jobs, shipped
from neuroclass.ui.text import escaped

KINDS = {"broad": "excitatory/inhibitory", "subclass": "mouse subclass", HUMAN_SUBCLASS.task: "human subclass"}
_OURS = ", ours"
_SEEN = "seen-upload"
_MOST_ROWS = 12
_CASES = {"accuracy": "Accuracy", "macro_f1": "Macro F1"}


def table_of(entries: list[ModelEntry], default: str) -> pd.DataFrame:
    """A row per model: its set, what it predicts, how it did on held-out cells, what it was trained on.

    Parameters
    ----------
    entries : list of ModelEntry
        The library's; the shipped one stands for its set of models.
    default : str
        Id of the lab's default.

    Returns
    -------
    DataFrame
        Accuracy and macro F1 in percent with 95% interval. Columns that are empty for all models are left out.
    """
    rows = pd.DataFrame([_row(entry, card, default) for entry in entries for card in _cards(entry)])
    spare = [name for name in ("Added", "Protocol", "Note") if not rows[name].astype(bool).any()]
    return rows.drop(columns=[*spare, *(["Default"] if len(entries) < 2 else [])])


def _cards(entry: ModelEntry) -> list[Mapping[str, Any]]:
    """A model's card; of the shipped set, those of its models."""
    if not entry.shipped:
        return [entry.card if not entry.trouble else {}]
    stores = [ReportStore(name, MODELS_DIR / name) for name in SHIPPED_MODELS if (MODELS_DIR / name).is_dir()]
    return [store.card() for store in stores]


def _row(entry: ModelEntry, card: Mapping[str, Any], default: str) -> dict[str, Any]:
    cells, metrics = card.get("training_cells") or {}, card.get("metrics") or {}
    system, task = str(card.get("system") or card.get("model") or entry.system), str(card.get("task") or entry.task)
    protocol = str(card.get("protocol") or "")
    title = HUMAN_SUBCLASS.title if system == HUMAN_SUBCLASS.name else SYSTEM_TITLES.get(system, system)
    return {
        "Set": "Built-in" if entry.shipped else entry.name,
        "Default": "★" if entry.id == default else "",
        "Model": title.removesuffix(_OURS),
        "Predicts": KINDS.get(task, task) if not entry.trouble else "cannot be used",
        **{title: _measured(metrics, name) for name, title in _CASES.items()},
        "Scored on": metrics.get("n_cells"),
        "Trained on": cells.get("n_cells"),
        "Donors": cells.get("n_donors"),
        "Added": f"{datetime.fromtimestamp(entry.added):%d %b %Y}" if entry.added else "",
        "Protocol": "" if protocol == Protocol.DONOR_CV else protocol,
        "Note": entry.trouble or entry.note,
    }


def _measured(metrics: Mapping[str, Any], name: str) -> str:
    value = (metrics.get("metrics") or {}).get(name)
    return with_interval(value) if value else DASH


def show_table() -> None:
    """All models beside each other, folded."""
    library = ModelLibrary()
    table = table_of(library.entries(), library.default)
    with st.expander(f"All models as a table ({len(table)})", icon=":material/table:"):
        st.dataframe(
            table,
            hide_index=True,
            placeholder=DASH,
            height="content" if len(table) <= _MOST_ROWS else 480,
            column_config={
                **{
                    name: st.column_config.NumberColumn(format="localized", help=meaning)
                    for name, meaning in (
                        ("Scored on", "Held-out cells that its accuracy is of."),
                        ("Trained on", "Cells that trained it."),
                        ("Donors", "Donors of the cells that trained it."),
                    )
                },
                "Default": st.column_config.TextColumn(help="The lab's default, used where nothing else is chosen."),
            },
        )
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption(
                "Accuracy and macro F1 on held-out cells, with their 95% confidence interval over donors; scored and "
                "trained on so many cells."
            )
            widgets.csv_button("models", table)


def show_own() -> None:
    """The models that were trained or uploaded here, each with what can be done with it."""
    entries = [one for one in ModelLibrary().entries() if not one.shipped]
    st.subheader("Your models", anchor=False)
    if not entries:
        st.caption(
            "None yet. A finished training run or an uploaded model appears here, to be used like the built-in ones; "
            "then any two models can be compared, on the same cells, below."
        )
        return
    st.caption("Trained or uploaded here. One in use answers its question in place of the built-in model.")
    for entry in entries:
        with st.container(border=True):
            _one(entry)


def _one(entry: ModelEntry) -> None:
    title = SYSTEM_TITLES.get(entry.system, entry.system).removesuffix(_OURS)
    star = " ★ lab's default" if ModelLibrary().default == entry.id else ""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        said = KINDS.get(entry.task, entry.task)
        st.markdown(f"**{escaped(entry.name)}**: {escaped(said)} ({escaped(title)}){star}")
        if not entry.trouble:
            shipped.use_button(entry.id)
    if entry.note:
        st.caption(escaped(entry.note, 400))
    left, right = st.columns([2, 3])
    with left:
        shipped.accuracy(entry.card)
    with right:
        shipped.facts(entry.card)
    if entry.trouble:
        st.warning(f"It cannot be used: {escaped(entry.trouble, 600)}.", icon=":material/warning:")
    with guarded(stop=False):
        actions(entry)


def actions(entry: ModelEntry) -> None:
    """What can be done with a model."""
    me = visitor()
    changeable = entry.belongs_to(me.owner) or me.may(Right.MANAGE_OTHERS)
    with st.container(horizontal=True):
        if not entry.trouble:
            st.link_button("Classify with it", f"classify?model={entry.id}", icon=":material/upload_file:")
            st.link_button("Its report", f"performance?model={entry.id}", icon=":material/grid_on:")
            st.download_button(
                "Download",
                lambda: export_model(entry),
                file_name=f"{entry.id}{SUFFIX}",
                mime="application/zip",
                icon=":material/download:",
                on_click="ignore",
                key=f"download-{entry.id}",
                help="One file of safetensors and JSON with checksums, to upload elsewhere. An estimator's file can "
                "hold standardised features of training cells (an SVC its support vectors).",
            )
        _promotion(entry, me)
        if changeable:
            with st.popover("Delete", icon=":material/delete:", key=f"deleting-{entry.id}"):
                st.write("Its files go for good; download it first to keep it.")
                if st.button("Delete this model", type="primary", key=f"delete-{entry.id}"):
                    _delete(entry)
    if changeable:
        with st.expander("Name and note", icon=":material/edit:"):
            _naming(entry)
    else:
        st.caption(
            "Another browser or the command line brought this model here: it can be renamed or deleted there, or on "
            "the command line."
        )
    if not entry.trouble and not entry.card.get("metrics"):
        jobs.offer(entry)


def _promotion(entry: ModelEntry, me: Visitor) -> None:
    if entry.trouble or ModelLibrary().default == entry.id:
        return
    if me.may(Right.PROMOTE):
        if st.button("Make it the lab's default", icon=":material/star:", key=f"promote-{entry.id}"):
            with guarded(stop=False):
                ModelLibrary().promote(entry.id, me)
                st.rerun()
        return
    with st.popover("The lab's default", icon=":material/star:"):
        st.write("The model that visitors get who choose none. Whoever runs this server sets it:")
        st.code(f"python -m neuroclass models default {entry.id}", language=None, wrap_lines=True)


def _delete(entry: ModelEntry) -> None:
    with guarded(stop=False):
        ModelLibrary().delete(entry.id, visitor())
        if model_choice.entry().id == entry.id or st.session_state.get("chosen-model") == entry.id:
            model_choice.use(SHIPPED)
        st.toast(f"{escaped(entry.name)} was deleted.")
        st.rerun()


def _naming(entry: ModelEntry) -> None:
    with st.form(f"naming-{entry.id}", border=False):
        left, right, button = st.columns([2, 4, 1], vertical_alignment="bottom")
        name = left.text_input("Name", entry.name, max_chars=LONGEST_NAME)
        note = right.text_input("Note", entry.note, max_chars=LONGEST_NOTE)
        if button.form_submit_button("Save"):
            with guarded(stop=False):
                library = ModelLibrary()
                if name != entry.name:
                    library.rename(entry.id, name, visitor())
                library.annotate(entry.id, note, visitor())
                st.rerun()


def upload() -> None:
    """Take a model from a file, of those who may add one."""
    if not visitor().may(Right.ADD_MODELS):
        return
    with st.expander("Upload a model", icon=":material/upload:"):
        st.caption(
            f"A file that Download wrote here or elsewhere ({SUFFIX}). Names, sizes and checksums are checked, its "
            "parts are read as data, and nothing in it is executed. Its figures are what the file states."
        )
        file = st.file_uploader("Model file", type=["zip"], key="model-file")
        if file is None or st.session_state.get(_SEEN) == file.file_id:
            return
        with guarded(stop=False), st.spinner("Checking the file"):
            entry = import_model(ModelLibrary(), arrivals.opened(file).read(), owner=visitor())
            st.session_state[_SEEN] = file.file_id
            st.toast(f"{escaped(entry.name)} is in the library.", icon=":material/check:")
            st.rerun()


def train() -> None:
    """Train any system on the loaded cells, as a job, where that is allowed."""
    if not visitor().may(Right.TRAIN):
        return
    job = jobs.registry().about(jobs.TRAINING)
    if job is not None and job.state in UNDER_WAY:
        jobs.watch(job, "A model is being trained")
    with st.expander("Train another system on the loaded cells", icon=":material/model_training:"):
        st.caption(
            "Any system that the Performance page compares can be kept as a model. It is calibrated on left-out "
            "donors, and gets prediction sets and typicality like the built-in ones. To choose settings of DANN or "
            "LSPIN and watch them learn, use the Train page."
        )
        left, middle, right = st.columns(3, vertical_alignment="bottom")
        known = list(SYSTEM_TITLES)
        system = str(left.selectbox("System", known, known.index("svc"), format_func=SYSTEM_TITLES.__getitem__))
        both = not system.startswith(("dann", "lspin"))
        offered = list(TASKS) if both else ["broad" if system.startswith("dann") else "subclass"]
        task = str(middle.selectbox("Predicts", offered[::-1], format_func=KINDS.__getitem__))
        name = right.text_input("Name", placeholder=f"my {system}", max_chars=LONGEST_NAME).strip()
        if st.button("Train", icon=":material/play_arrow:", key="train-system"):
            with guarded(stop=False):
                if name:
                    ModelLibrary().checked_name(name)
                words = ["train", system, "--task", task, *(["--name", name] if name else []), *jobs.data_arguments()]
                jobs.registry().queue(words, jobs.TRAINING, visitor())
                st.rerun()
        if job is not None and job.state.value == "failed":
            st.error("The last training here failed; its process' last words:", icon=":material/warning:")
            st.code(job.message or "none", language=None)
