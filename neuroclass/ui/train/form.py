"""The form of the Train page: which cells, which system, which settings, and what to evaluate."""

import os
from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from neuroclass.adaptation.labelled_table import LabelledTable, read_labelled
from neuroclass.config import ValidationSettings, data_folder, declared
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import DIVIDING
from neuroclass.training.command_line import command
from neuroclass.training.job import number
from neuroclass.training.runs import MOST_NAME, Cells, RunConfig
from neuroclass.training.settings import (
    OURS,
    PRESET_MEANING,
    PRESETS,
    NamedSetting,
    differing,
    named_settings,
    parse_setting,
)
from neuroclass.types.models import DANN, LSPIN, MODELS
from neuroclass.types.visitors import Right
from neuroclass.ui import arrivals, cache
from neuroclass.ui.guards import guarded
from neuroclass.ui.identity import visitor
from neuroclass.ui.text import escaped
from neuroclass.ui.train.registry import JOB, registry

KINDS = {"broad": "broad class", "subclass": "subclass"}
CELLS = {Cells.LOADED: "Loaded cells", Cells.OWN: "My labelled table", Cells.BOTH: "Both"}
PROTOCOLS = {
    Protocol.DONOR_CV: "donor-grouped 5-fold cross-validation, 5 repeats",
    Protocol.PAPER_SPLIT: "the paper's split, 5 seeds",
    Protocol.LEAVE_SPECIES_OUT: "human labels hidden, 5 seeds",
    Protocol.MASKED: "donor-grouped, by the stimuli present",
    Protocol.LAB_SHIFT: "donor-grouped, as other laboratories would measure",
}
PARTS = {"": "Network", "optimiser": "Training", "augment": "Augmentation"}
_COLUMNS = 3
_LOOKED_AT = 50


def form() -> None:
    """Choose cells, system and settings, and start a run."""
    if not _allowed():
        return
    with st.container(border=True):
        left, middle, right = st.columns([2, 2, 3], vertical_alignment="bottom")
        with left:
            system = str(
                st.segmented_control(
                    "Model", list(MODELS), default=LSPIN.name, required=True, format_func=str.upper, key="train_model"
                )
            )
        with middle:
            preset = str(
                st.segmented_control(
                    "Settings to start from", list(PRESETS[system]), default=OURS, required=True,
                    key=f"{system}-preset", help=" ".join(f"{k}: {v}" for k, v in PRESET_MEANING.items()),
                )
            )  # fmt: skip
        with right:
            name = st.text_input("Name of the model", max_chars=MOST_NAME, key="model_name", placeholder="optional")
        cells, upload, own = _cells(system)
        with guarded(stop=False):
            values = _settings(system, preset)
            validation = _validation(report := _report_asked(system, bool(values)))
            config = RunConfig(
                system=system,
                settings=values,
                validation=validation,
                name=name.strip(),
                data=str(folder.resolve()) if (folder := data_folder()) else "",
                cells=cells if own else Cells.LOADED,
                own=own.name if own else "",
                report=report,
                **_evaluation(system, own is not None, report, cells),
            )
            st.caption("The same in a terminal:")
            st.code(command(config), language=None, wrap_lines=True)
            waits = cells is not Cells.LOADED and own is None
            if st.button("Start training", type="primary", icon=":material/play_arrow:", key="start", disabled=waits):
                content = arrivals.opened(upload).read() if upload else None
                st.session_state[JOB] = registry().start(config, owner=visitor(), own=content)
            if waits:
                st.caption("Upload the labelled table first.")


def _allowed() -> bool:
    """Whether whoever is on the page may train; says so if not."""
    allowed = visitor().may(Right.TRAIN)
    with guarded(stop=False):
        visitor().require(Right.TRAIN)
    return allowed


def _cells(system: str) -> tuple[Cells, UploadedFile | None, LabelledTable | None]:
    """Which cells train; the user's table, where it is needed."""
    loaded, task = cache.cohort(), MODELS[system].task
    labelled = int(loaded.frame[task].notna().sum())
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        names = [one.value for one in Cells]
        cells = Cells(
            st.segmented_control(
                "Cells", names, default=names[0], required=True, format_func=lambda one: CELLS[Cells(one)],
                key="train_cells",
            )
        )  # fmt: skip
    with right:
        st.caption(
            f"{labelled:,} of the {len(loaded):,} cells from {escaped(loaded.source)} have a {KINDS[task]} to learn "
            "from."
        )
    if cells is Cells.LOADED:
        return cells, None, None
    upload = st.file_uploader(
        "Labelled table", key="train_own",
        help="The upload format of the Classify page, with the columns cell, donor, species and label.",
    )  # fmt: skip
    if upload is None:
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


def _settings(system: str, preset: str) -> dict[str, Any]:
    """The settings that are not the recipe's."""
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
    return differing(system, values)


def _value(system: str, one: NamedSetting, start: Mapping[str, Any], key: str) -> Any:
    """Input of one setting; layers as text."""
    setting, default = one.setting, start.get(one.name, one.default)
    words = one.name.removeprefix("n_").removesuffix("_mv").replace("_", " ").capitalize()
    label = f"{words} ({setting.unit or 'number'})"
    about = f"{setting.meaning}. From {setting.low:g} to {setting.high:g}; the recipe's is "
    if isinstance(one.default, tuple):
        about += f"{', '.join(map(str, one.default))}, one number a layer."
        text = st.text_input(label, ", ".join(map(str, default)), key=key, help=about)
        return parse_setting(system, f"{one.name}={text}")[1]
    about += f"{one.default:g}."
    if isinstance(one.default, int):
        return int(st.number_input(label, int(setting.low), int(setting.high), int(default), 1, key=key, help=about))
    step = max(abs(float(default)) / 10, 1e-4)
    return float(
        st.number_input(
            label, float(setting.low), float(setting.high), float(default), step, format="%g", key=key, help=about
        )
    )


def _validation(report: bool) -> ValidationSettings:
    """Donors that judge, and when to stop."""
    known, usual = declared(ValidationSettings), ValidationSettings()
    left, right = st.columns(2)
    share = left.number_input(
        "Validation donors (fraction of the cells)", float(known["share"].low), float(known["share"].high),
        0.0 if report else usual.share, 0.05, key=f"validation-{report}", help=known["share"].meaning,
    )  # fmt: skip
    patience = right.number_input(
        "Patience (epochs)", 0, int(known["patience"].high), usual.patience, 1, key="patience",
        help=f"{known['patience'].meaning}. The best epoch's weights are then kept.", disabled=not share,
    )  # fmt: skip
    return ValidationSettings(float(share), int(patience) if share else 0)


def _report_asked(system: str, changed: bool) -> bool:
    asked = st.toggle(
        "Evaluate the recipe as well, by donor-grouped cross-validation (takes many minutes)",
        key="report",
        disabled=changed,
        help="Writes the report that the result pages read. It evaluates the recipe as it ships, so only with its own "
        "settings; a report that was cut off is resumed where it was.",
    )
    if not asked or changed:
        return False
    st.caption(_report_time(system))
    return True


def _report_time(system: str) -> str:
    """How long the report will take, from the last run of the recipe on this machine."""
    from neuroclass.reports.estimate import report_seconds

    known = [
        number(job.metrics.get("training_s"))
        for job in registry().recent(_LOOKED_AT)
        if job.model == system and not job.config.get("settings") and job.metrics.get("training_s")
    ]
    if not known:
        return "How long it takes is known once the training itself is done, and is then among the run's messages."
    minutes = report_seconds(system, False, known[0], processes()) / 60
    return (
        f"About {max(1, minutes):.0f} min with {processes()} processes, going by the last run of the recipe here "
        f"({known[0]:.0f} s). It can be paused and resumed."
    )


def processes() -> int:
    """Processes of an evaluation: one core is left for the pages."""
    return max(1, (os.cpu_count() or 1) - 1)


def _evaluation(system: str, own: bool, report: bool, cells: Cells) -> dict[str, Any]:
    """What to do with own cells, and under which protocol to evaluate."""
    offered = [one for one in DIVIDING if one is not Protocol.LEAVE_SPECIES_OUT or system == DANN.name]
    titles: dict[str, str] = {"": "none", **{one.value: PROTOCOLS[one] for one in offered}}
    left, right = st.columns(2)
    protocol = left.selectbox(
        "Evaluate these settings under a protocol", [*titles], format_func=lambda one: titles[one], key="protocol",
        help="On the loaded cells; the fit of each fold takes as long as the training itself.", disabled=report,
    )  # fmt: skip
    found: dict[str, Any] = {
        "protocol": "" if report else str(protocol or ""),
        "jobs": processes(),
    }
    if own:
        with right:
            found["compare"] = st.toggle(
                "Does training with my cells help on my donors? (11 to 16 more fits)", True, key="compare_own"
            )
            if cells is Cells.BOTH:
                found["align"] = st.toggle(
                    "Move my cells to where the loaded ones of their classes lie", key="align",
                    help="Before training only. A cell classified with the model later is not moved.",
                )  # fmt: skip
    return found
