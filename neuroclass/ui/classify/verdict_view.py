"""A verdict on one screen: what it is, whether to trust it, why, and everything measured."""

from functools import partial

import pandas as pd
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
from neuroclass.errors import RejectedInput, UnitsError
from neuroclass.features import BY_NAME, Stimulus
from neuroclass.report.content import TASKS, TITLES
from neuroclass.report.tables import feature_table
from neuroclass.ui import widgets
from neuroclass.ui.cells import sweeps
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.classify import export, uploads
from neuroclass.ui.evidence import evidence
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

_METRIC_PX = 236
_STIMULI = {"none": None, **{s.value: s for s in Stimulus if s is not Stimulus.NONE}}


def refusal(one: RejectedInput) -> None:
    """A file that was not classified, and why."""
    where = f"{one.source}, cell {one.cell}" if one.cell else one.source
    st.error(
        f"**{escaped(where)}** was refused. {one.error.kind}: {escaped(one.error, 1200)}", icon=":material/warning:"
    )
    if isinstance(one.error, UnitsError):
        st.info(
            "Here you say it under **What is known of the cells**: switch on **The file's channels or units are "
            "wrong**.",
            icon=":material/tune:",
        )


def show(cell_input: CellInput, verdict: CellVerdict, metadata: CellMetadata) -> None:
    """The whole verdict."""
    st.subheader(f"{escaped(verdict.source)}: cell {escaped(verdict.cell)}", anchor=False)
    with st.container(border=True):
        st.markdown(f"## {escaped(wording.headline(verdict))}")
        st.markdown(escaped(wording.doubt_line(verdict), 900))
        _likeness(verdict)
    left, right = st.columns(2)
    for column, (name, question) in zip((left, right), TASKS.items(), strict=True):
        with column, st.container(border=True, height="stretch"):
            prediction = getattr(verdict, name)
            _answer(name, TITLES.get(prediction.model, question), prediction)
    _trust(verdict)
    get = partial(uploads.analysis_of, cell_input, verdict.cell, metadata)
    lent = Lent(get) if verdict.sweeps and get() is not None else None
    st.subheader("Why", anchor=False)
    verdict = uploads.explained(cell_input, verdict, metadata)
    key, metadata = f"{cell_input.digest[:16]}-{verdict.cell}", uploads.corrected(cell_input, metadata)
    case = Case(key, verdict, metadata, lent, inputs=fingerprint(inputs=cell_input))
    evidence.show(case)
    st.subheader("Everything measured", anchor=False)
    _features(verdict)
    if lent is not None:
        sweeps.recording_view(key, lent)
        _protocols(cell_input, verdict)
    export.show(case, command_line(cell_input, metadata))


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
        alt=f"Calibrated class probabilities by {prediction.model.upper()}",
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
    notes = [*(str(flag.get("message") or flag.get("name")) for flag in verdict.qc), *verdict.warnings]
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


def _protocols(cell_input: CellInput, verdict: CellVerdict) -> None:
    """The stimulus found in each epoch, to be corrected; then all is measured anew."""
    rows = []
    for sweep in verdict.sweeps:
        for index, epoch in enumerate(sweep.get("epochs", ())):
            rows.append(
                {
                    "sweep": sweep["number"],
                    "epoch": index,
                    "stimulus": epoch.get("stimulus") or "none",
                    "start (s)": epoch.get("start_s"),
                    "end (s)": epoch.get("end_s"),
                    "amplitude (pA)": epoch.get("amplitude_pa"),
                    "spikes in the sweep": sweep.get("n_spikes"),
                }
            )
    if not rows:
        return
    table = pd.DataFrame(rows)
    fixed = [c for c in table.columns if c != "stimulus"]
    with (
        st.expander("Stimulus found in each sweep: correct it here"),
        st.form(f"protocols-{cell_input.digest[:16]}", border=False),
    ):
        edited = st.data_editor(
            table,
            hide_index=True,
            disabled=fixed,
            column_config={"stimulus": st.column_config.SelectboxColumn(options=list(_STIMULI), required=True)},
            key=f"editor-{cell_input.digest[:16]}-{verdict.cell}",
        )
        if st.form_submit_button("Measure and classify again"):
            changed = edited["stimulus"] != table["stimulus"]
            assigned = {
                (int(row["sweep"]), int(row["epoch"])): _STIMULI[row["stimulus"]]
                for _, row in edited[changed].iterrows()
            }
            uploads.correct(cell_input, {**uploads.corrections(cell_input), **assigned})
            st.rerun()
    if uploads.corrections(cell_input) and st.button("Forget the corrections", key=f"forget-{cell_input.digest[:16]}"):
        uploads.correct(cell_input, {})
        st.rerun()
