"""The answer and its evidence on one screen: headline, doubt, the strongest reason drawn, three reasons, quality."""

from collections.abc import Sequence

import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts.theme import download_config
from neuroclass.charts.verdict import strips
from neuroclass.classification import wording
from neuroclass.classification.result import CellVerdict, Prediction, Reason, by_quantity
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.features import BY_NAME, FEATURE_NAMES, signed, with_unit
from neuroclass.library.entry import SHIPPED
from neuroclass.reference.ranges import LEVELS, compared_with
from neuroclass.ui import widgets
from neuroclass.ui.classify import junction, quality, shown_reason
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped, ordinal

N_REASONS = 3
IF_CORRECTED = "If junction-corrected"
POINTS_HELP = (
    "Percentage points by which the value moves the class' probability, against typical cells with the same features "
    "measured (SHAP value); the same quantity under other stimuli stands beside it, as 'also'; an eye marks the reason "
    "that is drawn above."
)
_TRACE_PX = 224


def of_headline(verdict: CellVerdict) -> Prediction:
    """The prediction that the headline rests on: the subclass where one is given, else the broad class."""
    return verdict.broad if verdict.subclass.abstain else verdict.subclass


def answer(case: Case) -> None:
    """What the cell is, how sure that is, and what has to be known beside it."""
    verdict = case.verdict
    doubtful = wording.caution_line(verdict)
    if doubtful:
        st.warning(escaped(doubtful, 400), icon=":material/error:")
    left, right = st.columns([2, 3], vertical_alignment="center")
    with left, st.container(gap="xxsmall"):
        st.caption(_origin(verdict))
        headline = escaped(wording.headline(verdict))
        st.markdown(f"## :gray[{headline}]" if doubtful else f"## {headline}")
    with right, st.container(key="verdict-strips"):
        st.plotly_chart(
            strips({"Broad class": verdict.broad, "Subclass": verdict.subclass}, named=True),
            key="strips",
            config={**download_config("probabilities"), "displayModeBar": False},
            alt="Calibrated probabilities of the broad class and of the subclass; outlined: outside the prediction set",
        )
    _doubt(case, bool(doubtful))
    for text in _beside(verdict):
        st.caption(text)


def _doubt(case: Case, doubtful: bool) -> None:
    """Each figure with its name and what it means; where there is no label, why.

    Held-out cells were healthy neurons, so that an accuracy on them is no promise for a recording that is not.
    """
    verdict, corrected = case.verdict, junction.corrected(case)
    figures = [one for one in wording.doubt_figures(verdict) if not doubtful or one[0] != "Expected accuracy"]
    if not figures:
        st.markdown(escaped(wording.doubt_line(verdict), 900), help=wording.DOUBT_HELP)
        return
    if corrected is not None and wording.depends_on_junction(verdict, corrected):
        instead = wording.headline(corrected)
        figures.append((IF_CORRECTED, instead[:1].lower() + instead[1:] if corrected.broad.abstain else instead,
                        f"Not stated. {wording.junction_line(verdict, corrected)}"))  # fmt: skip
    with st.container(horizontal=True, gap="small", key="verdict-doubt"):
        for name, text, meaning in figures:
            shown = f":gray[{escaped(text)}]" if doubtful else f"**{escaped(text)}**"
            st.markdown(f":small[{name}] {shown}", width="content", help=meaning)
    if verdict.subclass.abstain:
        st.caption(f"Subclass: cannot say, because {escaped(verdict.subclass.abstain, 600)}.")


def _origin(verdict: CellVerdict) -> str:
    """The cell's name, its species and how much of it was measured."""
    total = len(FEATURE_NAMES)
    species = verdict.species if verdict.species != "unknown" else "species not given, subclass as of a mouse cell"
    name = verdict.source if verdict.source.startswith(verdict.cell) else f"{verdict.source}, cell {verdict.cell}"
    chosen = sorted({one["name"] for one in verdict.judged_by.values() if one["id"] != SHIPPED})
    judge = f"; classified by {escaped(' and '.join(chosen))}" if chosen else ""
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
    """What the strongest reason was measured on, the strongest reasons, and the quality of the recording."""
    prediction = of_headline(case.verdict)
    leading = [first for first, _ in by_quantity(prediction.reasons)]
    found = shown_reason.shown(case, leading, N_REASONS, _TRACE_PX)
    if found is not None:
        widgets.keep_figure("deciding", found.figure, None, case.simulated)
        with st.container(key="verdict-trace"), widgets.wide("deciding"):
            st.plotly_chart(
                found.figure,
                key=f"deciding-{case.key}",
                config=download_config("deciding"),
                alt=found.words,
            )
    _reasons(case.verdict, prediction, None if found is None else found.reason.feature)
    quality.show(case)


def _reasons(verdict: CellVerdict, prediction: Prediction, drawn: str | None) -> None:
    """The strongest quantities side by side; an eye at the one that is drawn, a warning at values that are spoiled."""
    strongest = by_quantity(prediction.reasons)[:N_REASONS]
    if not strongest:
        st.caption("No feature was measured, so there is no reason to show.")
        return
    label = max(prediction.probabilities, key=lambda name: prediction.probabilities[name])
    with st.container(key="verdict-reasons"):
        for column, (reason, others) in zip(st.columns(N_REASONS), strongest, strict=False):
            words = _in_words(reason, others, label, verdict.species, reason.feature == drawn)
            column.markdown(words, help=POINTS_HELP if reason is strongest[0][0] else None)
            if caveat := verdict.provenance.get(reason.feature, {}).get("caveat"):
                text = escaped(str(caveat), 300)
                column.caption(f":orange[:material/warning:] {text[:1].upper()}{text[1:]}.")


def _in_words(reason: Reason, others: Sequence[Reason], label: str, species: str, drawn: bool) -> str:
    spec = BY_NAME[reason.feature]
    arrow, side = ("north_east", "towards") if reason.shap > 0 else ("south_east", "away from")
    star = ":violet[:material/visibility:] " if drawn else ""
    where = "" if spec.stimulus.value == "none" else f" \\({spec.stimulus.label}\\)"
    value = escaped(with_unit(reason.feature, reason.value)).replace(" ", "\u00a0")
    points = f"{100 * abs(reason.shap):.0f} points {side} {escaped(label_of(label))}"
    return (
        f"{star}:material/{arrow}: **{escaped(spec.called)}**{where} {value}"
        f"  \n:small[{points}{_percentile(reason, label, species)}{_also(others)}]"
    )


def _also(others: Sequence[Reason]) -> str:
    """The same quantity under other stimuli."""
    listed = ", ".join(f"{BY_NAME[one.feature].stimulus.label} {signed(100 * one.shap, 0)}" for one in others)
    return f"; also {escaped(listed)}" if listed else ""


def _percentile(reason: Reason, label: str, species: str) -> str:
    """Where the value lies among the database's cells of the class; known from its 5th to its 95th percentile."""
    if reason.percentile is None:
        return ""
    end = {round(100 * LEVELS[0], 1): "≤ ", round(100 * LEVELS[-1], 1): "≥ "}.get(reason.percentile, "")
    compared = compared_with(species, label)
    cells = "the class" if compared == label else f"{escaped(label_of(compared))} cells"
    return f"; {end}{ordinal(reason.percentile)} percentile of {cells}"
