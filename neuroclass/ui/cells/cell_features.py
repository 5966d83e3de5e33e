"""A cell's 41 features with percentiles, and where each was measured."""

from dataclasses import asdict
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import cohort as charts
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation.summaries import percentile_in
from neuroclass.features import BY_NAME, FEATURE_NAMES, FEATURES, USUAL_ORDER, with_unit
from neuroclass.ui import address as address_of
from neuroclass.ui import widgets
from neuroclass.ui.cells import sweeps
from neuroclass.ui.cells.lent import Lent
from neuroclass.ui.guards import guarded
from neuroclass.ui.text import escaped, ordinal

ADDRESS = "feature"
NONE = "none"
_HEAD_PX, _ROW_PX = 35, 30
_EXTREME, _NAMED = 95, 5
"""Percentile from which a value is unusual, on either side; how many are named."""


def feature_table(cells: Cohort, row: pd.Series) -> pd.DataFrame:
    """The 41 features of a cell with units and percentiles in its class, in its species and in all cells."""
    frame = cells.frame[cells.frame["species"] == row["species"]]
    column = "subclass" if row["subclass"] else "broad"
    mates = frame[frame[column] == row[column]]
    records = []
    for spec in sorted(FEATURES, key=lambda one: USUAL_ORDER.index(one.stimulus)):
        value = float(row[spec.name])
        records.append(
            {
                "feature": spec.name,
                "label": spec.label,
                "stimulus": spec.stimulus.label,
                "value": value * spec.display_factor,
                "unit": spec.shown_unit or "ratio",
                "percentile": percentile_in(mates[spec.name], value),
                "percentile in species": percentile_in(frame[spec.name], value),
                "percentile in all": percentile_in(cells.frame[spec.name], value),
                "shown": with_unit(spec.name, value),
            }
        )
    return pd.DataFrame(records)


def outermost(table: pd.DataFrame, label: str) -> str:
    """Which features are among the outermost 5% of the cell's class on either side; empty where none is."""
    far = table[(table["percentile"] - 50).abs() >= _EXTREME - 50].copy()
    if far.empty:
        return ""
    far = far.iloc[(far["percentile"] - 50).abs().argsort(kind="stable")[::-1]]
    pairs = zip(far["feature"], far["percentile"], strict=True)
    told = [f"{BY_NAME[name].named} {ordinal(place)}" for name, place in pairs]
    more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return f"Unusual for {label}, by percentile: {', '.join(told[:_NAMED])}{more}."


@st.fragment
def show(cells: Cohort, row: pd.Series, lent: Lent | None) -> None:
    """Show the features with percentile bars; a ticked one is drawn on the sweeps it was measured on."""
    with guarded():
        analysis = None if lent is None else lent()
    table = feature_table(cells, row)
    label = label_of(row["subclass"]) if row["subclass"] else row["broad"]
    named = [BY_NAME[name].named for name in table["feature"]]
    shown = pd.DataFrame({"Feature": named, "Value": table["shown"]})
    bars = {"percentile": "Percentile in class", "percentile in species": "Percentile in species"}
    shown = shown.join(table[list(bars)].rename(columns=bars))
    config: dict[str, Any] = {
        name: st.column_config.ProgressColumn(format="%.0f", min_value=0, max_value=100, width=110)
        for name in bars.values()
    }
    config |= {"Feature": st.column_config.TextColumn(width=220), "Value": st.column_config.TextColumn(width=100)}
    if finding := outermost(table, label or "its class"):
        widgets.say(finding)
    options: dict[str, Any] = {}
    if analysis is not None:
        shown.insert(2, "Measured on", [_place(analysis, name) for name in table["feature"]])
        options = {"on_select": partial(_chosen, f"features-{row['id']}"), "selection_mode": "single-row"}
    st.dataframe(
        shown,
        hide_index=True,
        height=_HEAD_PX + _ROW_PX * len(shown),
        key=f"features-{row['id']}",
        column_config=config,
        row_height=_ROW_PX,
        **options,
    )
    widgets.figure_footer(
        f"features-{row['id']}",
        table.drop(columns="shown"),
        caption=f"Percentile among the loaded {escaped(label or 'unclassified')} cells of its species, and among all "
        "its species." + (" Tick a feature to see where it was measured." if analysis is not None else ""),
        simulated=cells.simulated,
    )
    if analysis is not None:
        _chosen_place(cells, row, analysis)
    if st.toggle("Percentiles as a figure", key="percentile-figure"):
        widgets.figure(
            charts.feature_percentiles(table, cells.simulated),
            "percentiles",
            table.drop(columns="shown"),
            caption=f"Percentile among the loaded {escaped(label or 'unclassified')} cells of its species; the band "
            "holds their middle half; purple: outermost 5% on either side.",
            simulated=cells.simulated,
        )


def _place(analysis: RecordingAnalysis, name: str) -> str:
    """Describe where a feature was measured, or why it was not."""
    features = analysis.features
    place = features.provenance.get(name)
    if place is None:
        return features.missing.get(name, "not measured")
    numbers = [str(n) for n in place.sweeps]
    listed = ", ".join(numbers[:4]) + ("…" if len(numbers) > 4 else "")
    time = f", {place.time_s:.4f} s" if place.time_s is not None else ""
    return f"sweep {listed}{time}"


def _chosen(table: str) -> None:
    """Store the ticked feature."""
    rows = st.session_state[table].selection.rows
    st.session_state[ADDRESS] = FEATURE_NAMES[rows[0]] if rows else NONE


def _chosen_place(cells: Cohort, row: pd.Series, analysis: RecordingAnalysis) -> None:
    address_of.take(ADDRESS, (NONE, *FEATURE_NAMES), NONE)
    feature = str(
        st.selectbox(
            "Show where it was measured",
            (NONE, *FEATURE_NAMES),
            key=ADDRESS,
            format_func=lambda name: BY_NAME[name].title if name in BY_NAME else "–",
        )
    )
    address_of.put(ADDRESS, feature, NONE)
    if feature == NONE:
        return
    features = analysis.features
    if feature not in features.provenance:
        st.info(
            f"{BY_NAME[feature].label}: {escaped(features.missing.get(feature, 'not measured'))}",
            icon=":material/info:",
        )
        return
    sweeps.measured_on(f"cell-{row['id']}", analysis, feature, asdict(features.provenance[feature]), cells.simulated)
