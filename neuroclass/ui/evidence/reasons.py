"""Reasons for a prediction: SHAP values and gates, and the samples behind a clicked feature."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import COLOURS, label_of
from neuroclass.charts import evidence as charts
from neuroclass.charts.comparison import Panel, side_by_side
from neuroclass.charts.theme import download_config
from neuroclass.classification.result import Prediction
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.report.content import likeliest
from neuroclass.report.places import aligned_on, panel_of
from neuroclass.report.tables import place_text, reasons_table
from neuroclass.types.models import SHIPPED_MODELS, title_of
from neuroclass.ui import cache, widgets
from neuroclass.ui.evidence import references
from neuroclass.ui.evidence.case import Case
from neuroclass.ui.text import escaped

FAR = 1.5
"""Distance, standard deviations per feature, from which no reference cell is called close."""


def show(case: Case, prediction: Prediction) -> None:
    """Show the reasons for one prediction, and where one feature was measured."""
    table = reasons_table(prediction)
    label = likeliest(prediction)[0]
    name = f"reasons-{prediction.model}-{case.key}"
    with widgets.wide(name):
        event: Any = st.plotly_chart(
            charts.reasons(table, label, simulated=case.simulated, pooled=prediction.model in SHIPPED_MODELS),
            key=name,
            config=download_config(f"reasons-{prediction.model}"),
            on_select="rerun",
            selection_mode="points",
            alt=f"SHAP values towards {label_of(label)} by {title_of(prediction.model)}",
        )
    gated = bool(table["gate"].notna().any())
    gates = " A gate is LSPIN's switch on a feature for this cell; the other models have none." if gated else ""
    who = f"{title_of(prediction.model)} pooled with models without gates" if gated else title_of(prediction.model)
    click = " **Click a bar** to see where it was measured." if case.recording is not None else ""
    widgets.figure_footer(
        f"reasons-{prediction.model}",
        table,
        caption=f"What speaks for {escaped(label_of(label))}, by {who}: SHAP values, relative to prototypes of the "
        f"training cells with the same features present.{gates}{click}",
        simulated=case.simulated,
    )
    with st.expander("The reasons as a table"):
        places = [place_text(case.verdict.provenance.get(f, {})) for f in table["feature"]]
        shown = table.assign(feature=table["feature"].map(charts.feature_name), **{"measured on": places})
        names = {"shown": "value", "percentile": "percentile in the class (%)"}
        st.dataframe(shown.dropna(axis=1, how="all").rename(columns=names).round(3), hide_index=True)
    _place(case, prediction, table, _clicked(event))


def _clicked(event: Any) -> str | None:
    """The feature of a clicked bar."""
    for point in event.selection.points:
        feature = point.get("customdata")
        feature = feature[0] if isinstance(feature, list) and feature else feature
        if feature in BY_NAME:
            return str(feature)
    return None


def _place(case: Case, prediction: Prediction, table: pd.DataFrame, clicked: str | None) -> None:
    """Show the sweeps a feature was measured on, here and in the nearest reference cells."""
    ordered = [*table["feature"], *(f for f in FEATURE_NAMES if f not in set(table["feature"]))]
    mine = case.traced
    located = set(mine.places) if mine else {f for f in case.verdict.features if BY_NAME[f].stimulus != "none"}
    options = [feature for feature in ordered if feature in located]
    if not options:
        return
    near = references.nearest(case, prediction)
    illustrated = case.simulated
    if mine is None and not case.simulated and all(cell.simulated for cell in near.values()):
        illustrated = st.toggle(
            "Show simulated cells as an illustration, not as evidence",
            key=f"simulated-{case.key}",
            help="This cell has no sweeps here on which a reason could be shown.",
        )
        if not illustrated:
            return
    key, seen = f"place-{prediction.model}-{case.key}", f"clicked-{prediction.model}-{case.key}"
    if clicked in options and st.session_state.get(seen) != clicked:
        st.session_state[seen] = st.session_state[key] = clicked
    elif clicked and clicked not in options:
        st.caption(f"{escaped(charts.feature_name(clicked))} was not measured on a sweep.")
    feature = str(st.selectbox("Where it was measured", options, key=key, format_func=charts.feature_name))
    own = panel_of(mine, feature) if mine else None
    others: list[Panel] = []
    for label, cell in near.items():
        title = f"Nearest {label_of(label)}"
        found = references.panel(cell.cell_id, cell.simulated, cache.cohort().source, feature, title)
        others += [replace(found, colour=COLOURS.get(label, ""))] if found else []
    panels = [own, *others] if own else [one for one in others if illustrated or not one.simulated]
    if not panels:
        st.info("Neither this cell nor a reference cell has sweeps for this feature.", icon=":material/info:")
        return
    fig, gated = side_by_side(panels, aligned_on(feature)), bool(table["gate"].notna().any())
    widgets.figure(
        fig,
        f"beside-{prediction.model}-{case.key}",
        references_table(case, feature, near),
        caption=f"{escaped(BY_NAME[feature].definition, 500)} {_references_text(near, gated)}",
        simulated=case.simulated,
        needs_room=True,
    )


def _references_text(near: Mapping[str, Any], gated: bool) -> str:
    parts = []
    for label, cell in near.items():
        kind = "simulated cell" if cell.simulated else "recorded cell"
        parts.append(
            f"{escaped(label_of(label))}: {kind} {escaped(cell.cell_id)} ({cell.species}), {cell.distance:.2f} "
            f"standard deviations per feature away"
        )
    if not parts:
        return ""
    n_shared = min(cell.n_shared for cell in near.values())
    close = "" if min(cell.distance for cell in near.values()) < FAR else " **None is close.**"
    return (
        f"Nearest reference cells with sweeps on this machine, compared in the {n_shared} features that both have"
        f"{' and whose gates are open' if gated else ''}: {'; '.join(parts)}.{close}"
    )


def references_table(case: Case, feature: str, near: Mapping[str, Any]) -> pd.DataFrame:
    """The feature's value here and in the reference cells."""
    spec = BY_NAME[feature]
    column = f"{feature} ({spec.unit or 'ratio'})"
    rows = [{"cell": case.verdict.cell, "class": "", "simulated": case.simulated, "distance (sd)": 0.0,
             column: case.verdict.features.get(feature)}]  # fmt: skip
    for label, cell in near.items():
        rows.append({"cell": cell.cell_id, "class": label, "simulated": cell.simulated,
                     "distance (sd)": cell.distance, column: cell.features.get(feature)})  # fmt: skip
    return pd.DataFrame(rows)
