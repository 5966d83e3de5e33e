"""The answer and its evidence on one screen: headline, doubt, the deciding samples, three reasons, quality."""

import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import front as spike_charts
from neuroclass.charts.theme import download_config
from neuroclass.charts.verdict import strips
from neuroclass.classification import wording
from neuroclass.classification.left_out import sweeps_text
from neuroclass.classification.result import CellVerdict, Prediction, Reason
from neuroclass.features import BY_NAME, FEATURE_NAMES, with_unit
from neuroclass.library.entry import SHIPPED
from neuroclass.report.deciding import deciding
from neuroclass.report.places import SPIKE, aligned_on, quantity_of
from neuroclass.ui import widgets
from neuroclass.ui.classify import quality
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

N_REASONS = 3
_TRACE_PX = 236


def of_headline(verdict: CellVerdict) -> Prediction:
    """The prediction that the headline rests on: the subclass where one is given, else the broad class."""
    return verdict.broad if verdict.subclass.abstain else verdict.subclass


def answer(verdict: CellVerdict) -> None:
    """What the cell is, how sure that is, and what has to be known beside it."""
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left, st.container(gap="xxsmall"):
        st.caption(_origin(verdict))
        st.markdown(f"## {escaped(wording.headline(verdict))}")
    with right, st.container(key="verdict-strips"):
        st.plotly_chart(
            strips({"Broad class": verdict.broad, "Subclass": verdict.subclass}),
            key="strips",
            config={**download_config("probabilities"), "displayModeBar": False},
            alt="Calibrated probabilities of the broad class and of the subclass; pale: outside the prediction set",
        )
    st.markdown(escaped(wording.doubt_line(verdict), 900), help=wording.DOUBT_HELP)
    for text in _beside(verdict):
        st.caption(text)


def _origin(verdict: CellVerdict) -> str:
    """The cell's name, its species and how much of it was measured."""
    total = len(FEATURE_NAMES)
    species = verdict.species if verdict.species != "unknown" else "species not given"
    name = verdict.source if verdict.source.startswith(verdict.cell) else f"{verdict.source}, cell {verdict.cell}"
    chosen = sorted({one["name"] for one in verdict.judged_by.values() if one["id"] != SHIPPED})
    judge = f"; judged by {escaped(' and '.join(chosen))}" if chosen else ""
    without = f", without {sweeps_text(set(verdict.without_sweeps))}" if verdict.without_sweeps else ""
    return f"{escaped(name)}: {escaped(species)}, {len(verdict.features)} of {total} features{without}{judge}"


def _beside(verdict: CellVerdict) -> list[str]:
    """Contradiction, a recording unlike the database's, classes left out: what changes how the answer is read."""
    contradictions = filter(wording.is_contradiction, verdict.warnings)
    lines = [f":material/call_split: {escaped(text, 600)}" for text in contradictions]
    if verdict.likeness and verdict.likeness["probability"] <= wording.UNLIKE:
        lines.append(f":material/compare_arrows: {escaped(wording.likeness_line(verdict), 600)}")
    prediction = of_headline(verdict)
    if not prediction.abstain and (text := wording.left_out_line(prediction)):
        lines.append(f":material/rule: {escaped(text, 600)}")
    return lines


def evidence(case: Case) -> None:
    """The samples that decide, the strongest reasons, and the quality of the recording."""
    prediction = of_headline(case.verdict)
    _samples(case, prediction)
    _reasons(prediction)
    quality.show(case)


def _samples(case: Case, prediction: Prediction) -> None:
    traced = case.traced
    strongest = prediction.reasons[:N_REASONS]
    at_spikes = [reason for reason in strongest if quantity_of(reason.feature)]
    found = None if traced is None else deciding(traced, [*at_spikes, *prediction.reasons])
    if found is None:
        return
    zero = "the peak" if aligned_on(found.reason.feature) == SPIKE else aligned_on(found.reason.feature)
    fig = spike_charts.decisive_spike(
        found.sweep, found.panel, found.zero_s, found.panel.subtitle, height=_TRACE_PX, aligned_on=zero
    )
    widgets.keep_figure("deciding", fig, None, case.simulated)
    with st.container(key="verdict-trace"):
        st.plotly_chart(
            fig,
            key=f"deciding-{case.key}",
            config=download_config("deciding"),
            alt=f"A sweep, and beside it where the strongest reason was measured: {found.panel.subtitle}",
        )


def _reasons(prediction: Prediction) -> None:
    strongest = prediction.reasons[:N_REASONS]
    if not strongest:
        st.caption("No feature was measured, so there is no reason to show.")
        return
    label = label_of(max(prediction.probabilities, key=lambda name: prediction.probabilities[name]))
    with st.container(key="verdict-reasons"):
        for column, reason in zip(st.columns(N_REASONS), strongest, strict=False):
            column.markdown(_in_words(reason, label))


def _in_words(reason: Reason, label: str) -> str:
    spec = BY_NAME[reason.feature]
    arrow, side = ("north_east", "for") if reason.shap > 0 else ("south_east", "against")
    percentile = "" if reason.percentile is None else f", {_ordinal(reason.percentile)} percentile of its species"
    where = "" if spec.stimulus.value == "none" else f" \\({spec.stimulus.label}\\)"
    value = escaped(with_unit(reason.feature, reason.value).replace("-", "−"))
    return (
        f":material/{arrow}: **{escaped(spec.label)}**{where} {value}"
        f"  \n:small[{side} {escaped(label)}: SHAP {escaped(f'{reason.shap:+.2f}'.replace('-', '−'))}{percentile}]"
    )


def _ordinal(percent: float) -> str:
    number = round(percent)
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number // 10 % 10 != 1 else 0, "th")
    return f"{number}{ending}"
