"""A verdict on one screen: what it is, whether to trust it, why, and everything measured."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts.evaluation import probabilities
from neuroclass.charts.evidence import from_database
from neuroclass.charts.theme import download_config
from neuroclass.classification import wording
from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata, command_line
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.errors import RecordingError, RejectedInput
from neuroclass.features import BY_NAME
from neuroclass.report.content import TASKS, question_of
from neuroclass.report.tables import feature_table
from neuroclass.types.models import title_of
from neuroclass.ui import widgets
from neuroclass.ui.cells import sweeps
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.classify import epochs, export, readings, uploads
from neuroclass.ui.evidence import evidence
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped
from neuroclass.ui.turns import TURNS

_METRIC_PX = 236


def refusal(
    one: RejectedInput, cell_input: CellInput | None, metadata: CellMetadata, pairs: Sequence[readings.Pair]
) -> None:
    """A file that was not classified, why, and how it can be read; see `readings.offer`."""
    where = f"{one.source}, cell {one.cell}" if one.cell else one.source
    why = one.error.found if isinstance(one.error, RecordingError) else one.error.plain
    st.error(f"**{escaped(where)}** was refused. {escaped(why, 1200)}", icon=":material/warning:")
    if cell_input is not None:
        readings.accepted(cell_input)
        readings.offer(one, cell_input, metadata, pairs)


def show(cell_input: CellInput, verdict: CellVerdict, metadata: CellMetadata) -> None:
    """The whole verdict."""
    st.subheader(f"{escaped(verdict.source)}: cell {escaped(verdict.cell)}", anchor=False)
    readings.accepted(cell_input)
    with st.container(border=True):
        st.markdown(f"## {escaped(wording.headline(verdict))}")
        st.markdown(escaped(wording.doubt_line(verdict), 900))
        _likeness(verdict)
    left, right = st.columns(2)
    for column, name in zip((left, right), TASKS, strict=True):
        with column, st.container(border=True, height="stretch"):
            prediction = getattr(verdict, name)
            _answer(name, question_of(name, prediction), prediction)
    _trust(verdict)
    get = partial(uploads.analysis_of, cell_input, verdict.cell, metadata)
    lent = Lent(get) if verdict.sweeps and get() is not None else None
    st.subheader("Why", anchor=False)
    TURNS.let_answers_pass()
    verdict = uploads.explained(cell_input, verdict, metadata)
    key, metadata = f"{cell_input.digest[:16]}-{verdict.cell}", uploads.corrected(cell_input, metadata)
    case = Case(key, verdict, metadata, lent, inputs=fingerprint(inputs=cell_input))
    evidence.show(case)
    st.subheader("Everything measured", anchor=False)
    if lent is not None:
        epochs.gallery(key, cell_input, lent)
    _features(verdict)
    if lent is not None:
        sweeps.recording_view(key, lent)
        epochs.table(cell_input, verdict)
    export.show(case, command_line(cell_input, metadata, case.models.named_on_command_line))


def _likeness(verdict: CellVerdict) -> None:
    """One line and a small picture: how like the database's recordings this one is."""
    line = wording.likeness_line(verdict)
    if not line:
        return
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.markdown(f":material/compare_arrows: {escaped(line, 600)}")
    for prediction in (verdict.subclass, verdict.broad):
        promise = wording.promise_line(prediction)
        if promise and not prediction.abstain:
            left.caption(escaped(promise, 600))
            break
    far = verdict.likeness["differs_most"]
    if far:
        right.plotly_chart(
            from_database([BY_NAME[one["feature"]].label for one in far], [one["sd"] for one in far]),
            key="likeness",
            config=download_config("likeness"),
            alt="The features that lie farthest from the database's likeliest class, in its standard deviations",
        )


def _answer(name: str, question: str, prediction: Prediction) -> None:
    st.caption(question)
    if prediction.label:
        share = wording.stated(prediction.probabilities[prediction.label])
        st.markdown(f"### {escaped(label_of(prediction.label))}")
        st.markdown(f"calibrated probability **{share}**")
    else:
        st.markdown("### Cannot say")
        st.markdown(escaped(prediction.abstain, 500))
    st.plotly_chart(
        probabilities(
            list(prediction.probabilities), list(prediction.probabilities.values()), prediction.prediction_set
        ),
        key=f"probabilities-{name}",
        config=download_config(f"probabilities-{name}"),
        alt=f"Calibrated class probabilities by {title_of(prediction.model)}",
    )
    if prediction.prediction_set:
        members = " or ".join(escaped(label_of(c)) for c in prediction.prediction_set)
        st.caption(
            f"{prediction.coverage:.0%} prediction set: **{members}**. Pale: outside the set.{_covered(prediction)}"
        )


def _trust(verdict: CellVerdict) -> None:
    st.subheader("Can it be trusted?", anchor=False)
    total = len(verdict.features) + len(verdict.missing)
    typicality = verdict.broad.typicality
    advice = []
    with st.container(horizontal=True):
        st.metric("Features measured", f"{len(verdict.features)} of {total}", border=True, width=_METRIC_PX)
        st.metric(
            "As unusual or more",
            "–" if typicality is None else f"{typicality:.1%}",
            border=True,
            width=_METRIC_PX,
            help="Share of held-out cells, as the database recorded them and as simulated laboratories measure them, "
            "that are at least as unusual on the features present. Below 1% no label is given.",
        )
        for name, prediction in (("Broad class", verdict.broad), ("Subclass", verdict.subclass)):
            _expected(name, prediction)
            advice += _advice(name, prediction)
    if advice:
        st.caption(" ".join(advice))
    serious = [str(flag["message"]) for flag in verdict.qc if flag.get("severity") == "serious"]
    if serious:
        st.error("\n".join(f"- {escaped(text, 600)}" for text in dict.fromkeys(serious)), icon=":material/error:")
    others = [flag for flag in verdict.qc if flag.get("severity") != "serious"]
    notes = [*(str(flag.get("message") or flag.get("name")) for flag in others), *verdict.warnings]
    if notes:
        st.warning("\n".join(f"- {escaped(text, 500)}" for text in dict.fromkeys(notes)), icon=":material/warning:")


def _covered(prediction: Prediction) -> str:
    """How often such sets held the truth, where as much was known."""
    low, high = prediction.expected.get("coverage_low"), prediction.expected.get("coverage_high")
    if low is None or high is None:
        return ""
    return f" With these features such sets held the truth in {low:.0%} to {high:.0%} of held-out cells."


def _expected(name: str, prediction: Prediction) -> None:
    known = prediction.expected.get("accuracy")
    low, high = prediction.expected.get("low"), prediction.expected.get("high")
    interval = f"{low:.1%} to {high:.1%}" if low is not None and high is not None else None
    st.metric(
        f"{name}: expected accuracy",
        "–" if known is None else f"{known:.1%}",
        interval,
        delta_color="off",
        delta_arrow="off",
        border=True,
        width=_METRIC_PX,
        help=wording.promise_line(prediction) or None,
    )


def _advice(name: str, prediction: Prediction) -> list[str]:
    """Which stimulus to record next."""
    if not prediction.next_sweep:
        return []
    stimulus = str(prediction.next_sweep.get("stimulus", "")).replace("_", " ")
    return [f"{name}: recording a {escaped(stimulus)} would help most, to {prediction.next_sweep['accuracy']:.1%}."]


def _features(verdict: CellVerdict) -> None:
    table = feature_table(verdict)
    with st.expander(f"{len(verdict.features)} features measured, {len(verdict.missing)} missing", expanded=True):
        measured_first = table.drop(columns="feature").sort_values("value", key=lambda v: v.isna(), kind="stable")
        st.dataframe(measured_first, hide_index=True, height=330)
        widgets.csv_button("features-of-cell", table)
