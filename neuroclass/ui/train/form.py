"""The form of the Train page: which cells, which system, which settings, and what to evaluate."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from neuroclass.adaptation.labelled_table import LabelledTable, read_labelled
from neuroclass.config import ValidationSettings, data_folder, declared
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import DIVIDING
from neuroclass.reference.template import labelled_template_csv
from neuroclass.training.command_line import command
from neuroclass.training.runs import MOST_NAME, Cells, RunConfig
from neuroclass.training.settings import (
    OURS,
    PRESET_MEANING,
    PRESET_TITLES,
    PRESETS,
    TITLES,
    NamedSetting,
    differing,
    named_settings,
    parse_setting,
)
from neuroclass.types.models import DANN, LSPIN, MODELS, QUESTIONS
from neuroclass.types.visitors import Right
from neuroclass.ui import arrivals
from neuroclass.ui.guards import guarded
from neuroclass.ui.identity import visitor
from neuroclass.ui.text import escaped
from neuroclass.ui.train import plan, sections
from neuroclass.ui.train.plan import NONE, ONCE, REPORT, processes, protocol_of
from neuroclass.ui.train.registry import JOB, registry

KINDS = {"broad": "excitatory/inhibitory label", "subclass": "subclass label"}
CELLS = {Cells.LOADED: "Loaded cells", Cells.OWN: "My labelled table", Cells.BOTH: "Both"}
PROTOCOLS = {
    Protocol.DONOR_CV: "On unseen donors, 5 folds, 5 repeats",
    Protocol.PAPER_SPLIT: "On the paper's split",
    Protocol.LEAVE_SPECIES_OUT: "Human labels hidden",
    Protocol.MASKED: "Stimuli missing",
    Protocol.LAB_SHIFT: "Simulated laboratories",
}
EVALUATION = "protocol"
_UNITS = ("mV", "cells")
"""Units that a title does not say."""
PARTS = {"": "Network", "optimiser": "Training", "augment": "Augmentation"}
_COLUMNS = 3


def form() -> None:
    """Choose cells, system and settings, and start a run."""
    if not _allowed():
        return
    with st.container(border=True):
        st.session_state.setdefault("train_model", LSPIN.name)
        system = str(
            st.segmented_control(
                "Task", [DANN.name, LSPIN.name], required=True, format_func=QUESTIONS.__getitem__, key="train_model"
            )
        )
        st.caption("The human subclass model pools several kinds of models and is trained on the command line only.")
        left, right = st.columns([3, 2])
        with left:
            cells, upload, own = _cells(system)
        with right:
            st.session_state.setdefault(f"{system}-preset", OURS)
            preset = str(
                st.segmented_control(
                    "Start from the settings of", list(PRESETS[system]), required=True, key=f"{system}-preset",
                    format_func=PRESET_TITLES.__getitem__,
                    help=" ".join(f"{PRESET_TITLES[one]}: {meaning}" for one, meaning in PRESET_MEANING.items()),
                )
            )  # fmt: skip
        with guarded(stop=False):
            values, folded = _settings(system, preset)
            left, right = st.columns(2, vertical_alignment="bottom")
            with left:
                asked = _evaluation(system, bool(values))
            report = asked == REPORT
            with folded:
                validation = _validation(report)
            name = right.text_input("Name of the model", max_chars=MOST_NAME, key="model_name", placeholder="optional")
            config = RunConfig(
                system=system,
                settings=values,
                validation=validation,
                name=name.strip(),
                data=str(folder.resolve()) if (folder := data_folder()) else "",
                cells=cells if own else Cells.LOADED,
                own=own.name if own else "",
                report=report,
                protocol="" if report else protocol_of(asked),
                repeats=1 if asked == ONCE else None,
                jobs=processes(),
                **(_own_cells(cells) if own else {}),
            )
            waits = cells is not Cells.LOADED and own is None
            st.markdown(plan.summary(system, cells, own, asked, validation.share))
            with st.container(horizontal=True, vertical_alignment="center"):
                if st.button(
                    "Start training", type="primary", icon=":material/play_arrow:", key="start", disabled=waits
                ):
                    content = arrivals.opened(upload).read() if upload else None
                    st.session_state[JOB] = registry().start(config, owner=visitor(), own=content)
                    sections.go(sections.RUNS)
                st.caption("Upload the labelled table first." if waits else plan.time(system, asked, own is not None))
            with st.expander("Terminal command", icon=":material/terminal:"):
                st.code(command(config), language=None, wrap_lines=True)


def _allowed() -> bool:
    """Whether whoever is on the page may train; says so if not."""
    allowed = visitor().may(Right.TRAIN)
    with guarded(stop=False):
        visitor().require(Right.TRAIN)
    return allowed


def _cells(system: str) -> tuple[Cells, UploadedFile | None, LabelledTable | None]:
    """Which cells train; the user's table, where it is needed."""
    task = MODELS[system].task
    names = [one.value for one in Cells]
    st.session_state.setdefault("train_cells", names[0])
    cells = Cells(
        str(
            st.segmented_control(
                "Train on", names, required=True, format_func=lambda one: CELLS[Cells(one)], key="train_cells"
            )
        )
    )
    if cells is Cells.LOADED:
        return cells, None, None
    upload = st.file_uploader(
        "Labelled table", key="train_own",
        help="The upload format of the Classify page, with the columns cell, donor, species and label.",
    )  # fmt: skip
    if upload is None:
        st.download_button(
            "Template (CSV)",
            labelled_template_csv(),
            file_name="neuroclass-labelled-template.csv",
            mime="text/csv",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            key="labelled-template",
        )
        return cells, None, None
    table = None
    with guarded(stop=False):
        table = _table(arrivals.opened(upload).read(), upload.name)
    if table is not None:
        mine = table.cells.labelled(task)
        n_donors = mine.frame["donor"].nunique()
        st.caption(f"{len(mine):,} cells of {n_donors:,} donors in {escaped(table.name)} have a {KINDS[task]}.")
        for line in table.notes:
            st.caption(escaped(line))
    return cells, upload, table


@st.cache_data(show_spinner="Reading the table", max_entries=8)
def _table(content: bytes, name: str) -> LabelledTable:
    return read_labelled(content, name)


def _settings(system: str, preset: str) -> tuple[dict[str, Any], DeltaGenerator]:
    """The settings that are not the shipped model's, and the place below them for more."""
    start = PRESETS[system][preset]
    values: dict[str, Any] = {}
    with st.expander("Settings", icon=":material/tune:"):
        for part, title in PARTS.items():
            own = {name: one for name, one in named_settings(system).items() if one.part == part}
            st.markdown(f"**{title}**")
            columns = st.columns(_COLUMNS)
            for number, (name, one) in enumerate(own.items()):
                with columns[number % _COLUMNS]:
                    key = f"{system}-{name}" if preset == OURS else f"{system}-{preset}-{name}"
                    values[name] = _value(system, one, start, key)
        place = st.container()
    return differing(system, values), place


def _value(system: str, one: NamedSetting, start: Mapping[str, Any], key: str) -> Any:
    """Input of one setting; layers as text."""
    setting, default = one.setting, start.get(one.name, one.default)
    label = f"{TITLES[one.name]} ({setting.unit})" if setting.unit in _UNITS else TITLES[one.name]
    about = f"{setting.meaning}. From {setting.low:g} to {setting.high:g}; built-in model: "
    if isinstance(one.default, tuple):
        about += f"{', '.join(map(str, one.default))}, one number per layer."
        st.session_state.setdefault(key, ", ".join(map(str, default)))
        return parse_setting(system, f"{one.name}={st.text_input(label, key=key, help=about)}")[1]
    about += f"{one.default:g}."
    if isinstance(one.default, int):
        st.session_state.setdefault(key, int(default))
        return int(st.number_input(label, int(setting.low), int(setting.high), step=1, key=key, help=about))
    step = max(abs(float(default)) / 10, 1e-4)
    st.session_state.setdefault(key, float(default))
    return float(
        st.number_input(label, float(setting.low), float(setting.high), step=step, format="%g", key=key, help=about)
    )


def _validation(report: bool) -> ValidationSettings:
    """Donors that judge, and when to stop."""
    known, usual = declared(ValidationSettings), ValidationSettings()
    st.markdown("**Following the learning**")
    st.caption(
        "All cells of some donors are held out; after each epoch the network is scored on them, which draws the "
        "learning curves. They stop the training only if early stopping is above 0."
    )
    left, right, _ = st.columns(_COLUMNS)
    st.session_state.setdefault(key := f"validation-{report}", 0 if report else round(100 * usual.share))
    percent = left.number_input(
        "Held out (% of cells)", round(100 * known["share"].low), round(100 * known["share"].high), step=5,
        key=key, help="Whole donors, which together hold this percentage of the labelled cells. 0: all cells train, "
        "and no curve of held-out cells is drawn.",
    )  # fmt: skip
    st.session_state.setdefault("patience", usual.patience)
    patience = right.number_input(
        "Early stopping (epochs; 0 = never)", 0, int(known["patience"].high), step=1, key="patience",
        help="Training stops after this many epochs without a better macro F1 on the held-out cells, and the best "
        "epoch's weights are kept. 0: it trains to the end, and the last weights are kept.", disabled=not percent,
    )  # fmt: skip
    return ValidationSettings(percent / 100, int(patience) if percent else 0)


def _evaluation(system: str, changed: bool) -> str:
    """How the settings are evaluated afterwards: a protocol, the full report of the shipped settings, or not at all."""
    offered = [one for one in DIVIDING if one is not Protocol.LEAVE_SPECIES_OUT or system == DANN.name]
    titles = {ONCE: "On unseen donors, 5 folds", **{one.value: PROTOCOLS[one] for one in offered}}
    titles |= {} if changed else {REPORT: "Full report"}
    titles[NONE] = "No evaluation"
    if st.session_state.get(EVALUATION) not in titles:
        st.session_state[EVALUATION] = ONCE
    return str(
        st.selectbox(
            "Evaluate", [*titles], format_func=lambda one: titles[one], key=EVALUATION,
            help="After the training, on the loaded cells, by donor-grouped cross-validation: each of 5 folds trains "
            "the model again, so the accuracy is that on cells of unseen donors. Stimuli missing and simulated "
            "laboratories change the held-out cells. Without evaluation the accuracy stays unknown. The full "
            "report is what the result pages read; it is offered for the built-in model's settings "
            "only. Evaluations can be paused.",
        )
    )  # fmt: skip


def _own_cells(cells: Cells) -> dict[str, Any]:
    """What to do with own cells."""
    st.session_state.setdefault("compare_own", True)
    left, right = st.columns(2)
    found: dict[str, Any] = {
        "compare": left.toggle("Measure what my cells add on my donors (11 to 16 trainings)", key="compare_own")
    }
    if cells is Cells.BOTH:
        found["align"] = right.toggle(
            "Shift my cells onto the loaded cells of their class", key="align",
            help="Before training only. A cell classified with the model later is not shifted.",
        )  # fmt: skip
    return found
