"""Two uploaded cells side by side: verdicts, sweeps where they differ most, features in standard deviations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from neuroclass.charts.comparison import Panel, side_by_side
from neuroclass.charts.evidence import changes, feature_name
from neuroclass.charts.theme import download_config
from neuroclass.charts.verdict import strips
from neuroclass.classification import wording
from neuroclass.classification.differences import Differences, differences
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.result import CellVerdict
from neuroclass.features import signed, with_unit
from neuroclass.report.content import own_trace
from neuroclass.report.places import Traced, aligned_on, panel_of
from neuroclass.ui import widgets
from neuroclass.ui.classify import uploads
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

LISTED = 10


@dataclass(frozen=True, eq=False)
class Other:
    """Another cell on the page."""

    cell_input: CellInput
    verdict: CellVerdict


def show(case: Case, others: Sequence[Other], given: CellMetadata) -> None:
    """The chosen cell beside the one on the page."""
    number = st.selectbox(
        "Compare with",
        range(len(others)),
        key=f"compare-{case.key}",
        format_func=lambda k: f"{others[k].verdict.cell} ({others[k].verdict.source})",
    )
    other = others[number or 0]
    for column, one in zip(st.columns(2), (case.verdict, other.verdict), strict=True):
        with column:
            _verdict(one)
    found = differences(case.verdict, other.verdict, case.models.dann.predictor.preprocessor)
    _traces(case, other, given, found)
    _features(case.verdict, other.verdict, found)


def _verdict(verdict: CellVerdict) -> None:
    st.markdown(f"#### {escaped(verdict.cell)}: {escaped(wording.headline(verdict))}")
    st.caption(escaped(wording.doubt_line(verdict), 600))
    st.plotly_chart(
        strips({"Broad class": verdict.broad, "Subclass": verdict.subclass}),
        key=f"strips-{verdict.source}-{verdict.cell}",
        config={**download_config("probabilities"), "displayModeBar": False},
        alt="Calibrated probabilities of the broad class and of the subclass",
    )


def _traces(case: Case, other: Other, given: CellMetadata, found: Differences) -> None:
    """Both cells' sweeps for the feature that differs most among those measured on sweeps of both."""
    metadata = uploads.corrected(other.cell_input, given)
    analysis = uploads.analysis_of(other.cell_input, other.verdict.cell, metadata) if other.verdict.sweeps else None
    mine = case.traced
    if mine is None or analysis is None:
        return
    theirs = own_trace(other.verdict, analysis, analysis.simulated)
    for one in found.moved:
        panels = _panels(mine, theirs, one.feature)
        if panels:
            named = [
                replace(panel, title=verdict.cell)
                for panel, verdict in zip(panels, (case.verdict, other.verdict), strict=True)
            ]
            widgets.figure(
                side_by_side(named, aligned_on(one.feature), height=340),
                "compared-sweeps",
                caption=f"{escaped(feature_name(one.feature))}, the feature that differs most ({signed(one.sd)} SD).",
                simulated=case.simulated or analysis.simulated,
                needs_room=True,
            )
            return


def _panels(mine: Traced, theirs: Traced, feature: str) -> tuple[Panel, Panel] | None:
    first, second = panel_of(mine, feature), panel_of(theirs, feature)
    return None if first is None or second is None else (first, second)


def _features(first: CellVerdict, second: CellVerdict, found: Differences) -> None:
    rows = [
        (one.feature, with_unit(one.feature, one.first), with_unit(one.feature, one.second), one.sd)
        for one in found.moved
    ]
    table = pd.DataFrame(rows, columns=["feature", "now", "then", "delta_z"])
    if table.empty:
        st.caption("The two cells share no feature with different values.")
    else:
        named = table.rename(columns={"now": first.cell, "then": second.cell, "delta_z": "difference (SD)"})
        widgets.figure(
            changes(
                table.head(LISTED), x=f"{second.cell} minus {first.cell} (standard deviations of the training cells)"
            ),
            "compared-features",
            named if named.columns.is_unique else table,
            caption=f"The {min(LISTED, len(table))} of {len(table)} shared features that differ most; text: "
            f"{escaped(first.cell, 60)} → {escaped(second.cell, 60)}.",
        )
    lacking = [
        f"only {escaped(verdict.cell, 60)} has {escaped(', '.join(map(feature_name, names)), 400)}"
        for verdict, names in ((first, found.gone), (second, found.appeared))
        if names
    ]
    if lacking:
        text = "; ".join(lacking)
        st.caption(f"{text[:1].upper()}{text[1:]}.")
