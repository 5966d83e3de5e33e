"""The first minute: one verdict with its reason on the spike, where to begin, what can be asked."""

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from neuroclass.cell_types import COLOURS, SUBCLASS_ORDER, label_of
from neuroclass.charts import front as charts
from neuroclass.charts.theme import ACCENT
from neuroclass.charts.traces import Trace
from neuroclass.classification import wording
from neuroclass.classification.result import CellVerdict, Reason, by_quantity
from neuroclass.cohort.class_shape import typical_sweep
from neuroclass.cohort.demo import load_demo, simulate_demo_cell
from neuroclass.cohort.examples import EXAMPLES
from neuroclass.config import SHIPPED_DIR
from neuroclass.ephys.sweep import SIMULATED_WARNING
from neuroclass.features import BY_NAME, Stimulus, with_unit
from neuroclass.ui import warmup, widgets
from neuroclass.ui.address import page_of
from neuroclass.ui.classify import dropped, examples
from neuroclass.ui.text import escaped

if TYPE_CHECKING:
    from neuroclass.report.deciding import Deciding

SHOWN = "fast-spiking"
N_REASONS = 3
_HEADLINE = "font-size:1.5rem;font-weight:600;padding-left:.6rem;border-left:.35rem solid "
_PAGES = SHIPPED_DIR / "pages"
_CAN = {
    "It says": (
        "**Excitatory or inhibitory**, in mouse and human cortex",
        "**Mouse subclass**: Glutamatergic, Pvalb, Sst, Vip, Htr3a+|Vip−",
        "**Human subclass**: Glutamatergic, Pvalb, Sst, Vip, Lamp5/Pax6",
        "**How sure it is**: calibrated probability, 90% prediction set, accuracy on held-out donors with the same "
        "features",
    ),
    "It needs": (
        "**Whole-cell current clamp**, from any rig",
        "**Long squares** suffice for an answer",
        "Each further stimulus (short square, ramp, noise) makes it surer, and the page says by how much",
    ),
    "It does not say": (
        "Transcriptomic types below the subclass",
        "What cells outside the cortex are; voltage clamp is refused",
        "Very unusual cells (less than 1% of held-out cells are as unusual): they get no label. The answer for a "
        "doubtful recording is grey, with the reason",
    ),
}


@dataclass(frozen=True, eq=False)
class Showcase:
    """A classified example, and the spike on which its strongest reason was measured."""

    verdict: CellVerdict
    reasons: tuple[Reason, ...]
    deciding: "Deciding"


@st.cache_resource(max_entries=2, show_spinner="Classifying a simulated cell")
def _showcase(model_version: str) -> Showcase | None:  # noqa: ARG001 (part of the key of the cache)
    from neuroclass.classification.classify import classify_cells
    from neuroclass.classification.measurement import measured_recording
    from neuroclass.classification.metadata import CellMetadata
    from neuroclass.classification.models import load_models
    from neuroclass.report.content import own_trace
    from neuroclass.report.deciding import deciding
    from neuroclass.report.places import quantity_of

    cell = measured_recording(simulate_demo_cell(EXAMPLES[SHOWN].cell_id), CellMetadata("mouse"))
    (verdict,) = classify_cells([cell], load_models())
    if not isinstance(verdict, CellVerdict) or cell.analysis is None:
        return None
    reasons = verdict.subclass.reasons
    at_spikes = [one for one in reasons if quantity_of(one.feature)]
    at_spikes.sort(
        key=lambda one: BY_NAME[one.feature].stimulus is not Stimulus.LONG_SQUARE
    )  # which most laboratories use
    found = deciding(own_trace(verdict, cell.analysis, simulated=True), at_spikes)
    if found is None:
        return None
    drawn = BY_NAME[found.reason.feature].called
    leading = [one for one, _ in by_quantity(reasons)]
    rank = [BY_NAME[one.feature].called for one in leading].index(drawn)
    beside = () if rank < N_REASONS else (found.reason,)
    return Showcase(verdict, (*leading[:N_REASONS], *beside), found)


def verdict() -> None:
    """A living example: sweep, deciding spike, verdict and its three strongest reasons."""
    from neuroclass.classification.models import load_models

    warmup.wait()
    found = _showcase(load_models().version)
    if found is None:
        return
    spike = found.deciding
    left, right = st.columns([3, 1.4], vertical_alignment="center")
    with left:
        widgets.figure(
            charts.decisive_spike(spike.sweep, spike.panel, spike.zero_s, spike.panel.subtitle),
            "front-spike",
            alt=f"A sweep of a simulated cell, and marked on one of its spikes: {spike.panel.subtitle}",
            simulated=True,
        )
    with right:
        st.caption("The built-in models classify this simulated cell as")
        colour = COLOURS.get(str(found.verdict.subclass.label), ACCENT)
        st.html(f"<div style='{_HEADLINE}{colour}'>{html.escape(wording.headline(found.verdict))}</div>")
        figures = {name: text for name, text, _ in wording.doubt_figures(found.verdict)}
        sure = [f"{name} {figures[name]}" for name in ("Probability", "Expected accuracy") if name in figures]
        st.caption(escaped("; ".join(sure), 300), help=wording.DOUBT_HELP)
        st.caption("Its three strongest reasons, then ★ the one that is drawn:")
        label = label_of(str(found.verdict.subclass.label))
        lines = [
            f"- {'★ ' if one.feature == spike.reason.feature else ''}{escaped(BY_NAME[one.feature].label)} "
            f"{escaped(with_unit(one.feature, one.value))} "
            f"({100 * abs(one.shap):.0f} points {_side(one)} {escaped(label)})"
            for one in found.reasons
        ]
        st.markdown("\n".join(lines))
        st.caption(f"{SIMULATED_WARNING} Points: percentage points of probability (SHAP values).")


def _side(reason: Reason) -> str:
    return "towards" if reason.shap > 0 else "away from"


def start() -> None:
    """Where to begin: one's own recording, an example, the cells."""
    left, right = st.columns([1, 1], gap="medium")
    with left, st.container(border=True, height="stretch", key="front-own"):
        st.markdown("**Your recording**")
        dropped.field()
        st.caption(
            "ABF, NWB, HEKA, WinWCP, Igor, AxoGraph, MATLAB and others, or a table of features (CSV, Parquet, XLSX)."
        )
        with st.container(horizontal=True):
            if st.button("Set species and conditions first", icon=":material/edit_note:", key="front-drop"):
                st.switch_page(page_of(_PAGES / "classify.py"))
            if st.button("Published recordings", icon=":material/public:", key="front-archive"):
                st.switch_page(page_of(_PAGES / "archive.py"))
    with right, st.container(border=True, height="stretch", key="front-examples"):
        st.markdown("**Or an example, simulated**")
        examples.listed()


def loaded(title: str) -> None:
    """Title of what is loaded, and the way to its cells."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader(title, anchor=False, width="content")
        if st.button("Explore these cells", icon=":material/scatter_plot:", key="front-explore"):
            st.switch_page(page_of(_PAGES / "explore.py"))


def scope() -> None:
    """What the tool can and cannot say."""
    for column, (title, lines) in zip(st.columns([5, 4, 4]), _CAN.items(), strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown("\n".join((f"**{title}**\n", *(f"- {line}" for line in lines))))


@st.cache_resource(show_spinner=False)
def _class_sweeps() -> Mapping[str, Trace]:
    cells = load_demo().frame
    found = {}
    for name in SUBCLASS_ORDER:
        sweep = typical_sweep(cells[cells["subclass"] == name])
        found[name] = Trace(name, sweep.v_mv, sweep.i_pa, sweep.rate_hz)
    return found


def classes() -> None:
    """One simulated sweep per class."""
    widgets.figure(
        charts.by_class(_class_sweeps()),
        "front-classes",
        caption="Responses to the onset of a long square of about twice rheobase: of each mouse subclass the simulated "
        "cell nearest to its medians that fires to the end.",
        simulated=True,
    )
