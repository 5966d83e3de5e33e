"""Everything behind an answer, one section at a time; the address keeps which, and only that one is computed."""

from dataclasses import dataclass

import streamlit as st

from neuroclass.charts.evaluation import probabilities
from neuroclass.charts.evidence import from_database
from neuroclass.charts.theme import download_config
from neuroclass.classification import wording
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata, command_line
from neuroclass.classification.result import Prediction
from neuroclass.features import BY_NAME
from neuroclass.report.tables import feature_table
from neuroclass.types.models import title_of
from neuroclass.ui import widgets
from neuroclass.ui.cells import sweeps
from neuroclass.ui.classify import compare, epochs, export, first_screen, junction, uploads
from neuroclass.ui.evidence import evidence, reasons
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.guards import guarded
from neuroclass.ui.history import links
from neuroclass.ui.text import escaped

REASONS, SURE, SWEEPS, FEATURES, WHAT_IF = "Reasons", "How sure", "Sweeps", "Features", "What if"
COMPARE, EXPORT = "Compare", "Export"
ADDRESS = "section"


@dataclass(frozen=True, eq=False)
class Shown:
    """The cell on the page.

    Attributes
    ----------
    case : Case
        Its verdict and recording.
    cell_input : CellInput
        Its files.
    given : CellMetadata
        What the user says of all cells.
    others : tuple of Other
        The page's other cells.
    read_only : bool
        Whether nothing can be corrected or tried on the page.
    """

    case: Case
    cell_input: CellInput
    given: CellMetadata
    others: tuple[compare.Other, ...] = ()
    read_only: bool = False


@st.fragment
def show(shown: Shown) -> None:
    """The chosen section."""
    names = [REASONS, SURE, *([SWEEPS] if shown.case.recording is not None else []), FEATURES]
    names += [WHAT_IF] if not shown.read_only else []
    names += [*([COMPARE] if shown.others else []), EXPORT]
    with st.container(key="verdict-sections"):
        chosen = widgets.choice("Section", names, ADDRESS, label_visibility="collapsed")
    with guarded(stop=False):
        {
            REASONS: _reasons,
            SURE: _how_sure,
            SWEEPS: _sweeps,
            FEATURES: _features,
            WHAT_IF: _what_if,
            COMPARE: _compare,
            EXPORT: _export,
        }[chosen](shown)


def _reasons(shown: Shown) -> None:
    case = shown.case
    prediction = evidence.question(case)
    if prediction.reasons:
        reasons.show(case, prediction)
    else:
        st.caption("No feature was measured, so there is no reason to show.")


def _how_sure(shown: Shown) -> None:
    prediction = evidence.question(shown.case)
    _probabilities(prediction, told=prediction is first_screen.of_headline(shown.case.verdict))
    _expectation(shown.case, prediction)


def _probabilities(prediction: Prediction, told: bool) -> None:
    """The probability of every class, and what the set means; classes left out of it unless they are told above."""
    left, right = st.columns(2, vertical_alignment="center")
    left.plotly_chart(
        probabilities(
            list(prediction.probabilities), list(prediction.probabilities.values()), prediction.prediction_set
        ),
        key=f"probabilities-{prediction.model}",
        config=download_config("probabilities"),
        alt=f"Calibrated class probabilities by {title_of(prediction.model)}",
    )
    if prediction.abstain:
        right.markdown(f"**No label**, because {escaped(prediction.abstain, 600)}.")
    text = wording.set_line(prediction)
    if text:
        right.markdown(escaped(text, 1200), help=wording.set_rule(prediction))
        if not told and (outside := wording.left_out_line(prediction)):
            right.markdown(escaped(outside, 600))
        low, high = prediction.expected.get("coverage_low"), prediction.expected.get("coverage_high")
        if low is not None and high is not None:
            right.caption(
                f"With these features such sets held the true class in {low:.0%} to {high:.0%} of held-out cells."
            )
        right.caption("Outlined bars: outside the set.")


def _expectation(case: Case, prediction: Prediction) -> None:
    """Expected accuracy, typicality, likeness and the best next protocol."""
    verdict = case.verdict
    lines = []
    if promise := wording.promise_line(prediction):
        lines.append(f"**Expected accuracy.** {escaped(promise.removeprefix('Expected accuracy '), 700)}")
    if prediction.next_sweep:
        stimulus = str(prediction.next_sweep.get("stimulus", "")).replace("_", " ")
        lines.append(
            f"**Best next protocol.** A {escaped(stimulus)} would raise the expected accuracy most, to "
            f"{prediction.next_sweep['accuracy']:.1%}."
        )
    if verdict.broad.typicality is not None:
        lines.append(
            f"**Typicality (out of distribution).** {verdict.broad.typicality:.1%} of held-out cells, as the database "
            "recorded them and as simulated laboratories measure them, are at least as unusual on its features. "
            "Below 1% no label is given."
        )
    if likeness := wording.likeness_line(verdict):
        lines.append(f"**Recording conditions.** {escaped(likeness, 600)}")
    if (corrected := junction.corrected(case)) is not None:
        line = escaped(wording.junction_line(verdict, corrected), 600)
        lines.append(f"**Junction potential**, which is not stated. {line}")
    with st.container(key="expectation"):
        left, right = st.columns([3, 2], vertical_alignment="center")
    left.markdown("\n".join(f"- {line}" for line in lines))
    far = verdict.likeness.get("differs_most", ())
    if far:
        right.plotly_chart(
            from_database([BY_NAME[one["feature"]].named for one in far], [one["sd"] for one in far]),
            key="likeness",
            config=download_config("likeness"),
            alt="The features most distant from the database's likeliest class, in its standard deviations",
        )


def _sweeps(shown: Shown) -> None:
    case = shown.case
    if case.recording is None:
        return
    epochs.gallery(case.key, shown.cell_input, case.recording, shown.read_only)
    sweeps.recording_view(case.key, case.recording)
    epochs.table(shown.cell_input, case.verdict, shown.read_only)


def _features(shown: Shown) -> None:
    verdict = shown.case.verdict
    table = feature_table(verdict)
    st.caption(f"{len(verdict.features)} features measured, {len(verdict.missing)} missing.")
    measured_first = table.drop(columns="feature").sort_values("value", key=lambda v: v.isna(), kind="stable")
    st.dataframe(measured_first.rename(columns={"label": "feature"}), hide_index=True, height=520)
    widgets.csv_button("features-of-cell", table)


def _what_if(shown: Shown) -> None:
    evidence.show_what_if(shown.case)


def _compare(shown: Shown) -> None:
    compare.show(shown.case, shown.others, shown.given)


def _export(shown: Shown) -> None:
    case = shown.case
    export.show(case, command_line(shown.cell_input, case.metadata, case.models.named_on_command_line))
    if not shown.read_only:
        cells = 1 + sum(one.cell_input is shown.cell_input for one in shown.others)
        links.manage(uploads.keep(shown.cell_input, shown.given), case.models.version, cells)
