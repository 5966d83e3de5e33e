"""Parts of the SHAP page: one feature, and one cell."""

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import shap_charts as charts
from neuroclass.features import BY_NAME, with_unit
from neuroclass.reports.store import Table
from neuroclass.types.arrays import Floats
from neuroclass.ui import cache, widgets
from neuroclass.ui.explain import findings
from neuroclass.ui.explain.shap_values import Shown, deciles, values_of
from neuroclass.ui.text import escaped


def dependence(shown: Shown) -> None:
    """A feature's SHAP value against its value, coloured by another feature."""
    rows = shown.rows
    left, right = st.columns(2)
    with left:
        feature = widgets.pick("Feature", shown.ranking, "feature", format_func=charts.feature_label)
    table = deciles(shown.model, rows["id"], shown.players)
    strengths = interactions(rows[feature].to_numpy(dtype=float), table, feature)
    others = list(strengths.index)
    with right:
        other = st.selectbox(
            "Colour (the strongest interaction first)",
            others,
            key=f"other-{shown.key}-{feature}",
            format_func=lambda name: f"{charts.feature_label(name)} ({strengths[name]:.2f})",
            help="In brackets: how far, 0 to 1, this feature's decile goes with what the feature's own decile leaves "
            "of its SHAP values (|Pearson correlation|).",
        )
    known = values_of(rows["id"], feature)
    points = pd.DataFrame(
        {
            "id": rows["id"].to_numpy(),
            "value": known if known is not None else table[feature].to_numpy(),
            "shap": rows[feature].to_numpy(),
            "decile": table[other].to_numpy(),
        }
    ).dropna(subset=["value"])
    note = "" if known is not None else " Values are not loaded with these cells, only the decile each falls in."
    if feature not in BY_NAME:
        note = " Of a quantity of several stimuli, the mean of its deciles is drawn; of a single feature, its value."
    widgets.figure(
        charts.dependence(
            points, feature, other, unit=shown.unit, marked=st.query_params.get("cell"), deciles=known is None
        ),
        f"dependence-{shown.key}-{feature}",
        points,
        finding=findings.slope(
            points["value"].to_numpy(float),
            points["shap"].to_numpy(float),
            feature,
            label_of(shown.name),
            others[0],
            float(strengths.iloc[0]),
        ),
        caption=f"{shown.title}, towards {label_of(shown.name)}: {shown.cells}.{note}",
    )


def interactions(shap: Floats, table: pd.DataFrame, feature: str) -> "pd.Series[float]":
    """How far each other feature's decile goes with what the feature's own decile leaves of its SHAP values.

    Returns
    -------
    Series by feature
        |Pearson correlation|, 0 to 1, the largest first.
    """
    own = table[feature].round().fillna(0).to_numpy()
    rest = shap - pd.Series(shap).groupby(own).transform("mean").to_numpy()
    strength = table.drop(columns=feature).corrwith(pd.Series(rest, index=table.index)).abs()
    return strength.fillna(0.0).sort_values(ascending=False)


def one_cell(shown: Shown) -> None:
    """How far each feature moves the model in one cell."""
    rows = shown.rows
    predictions = cache.table(shown.model, Table.PREDICTIONS).drop_duplicates("id").set_index("id")
    ids = rows["id"].drop_duplicates().tolist()

    def described(cell: str) -> str:
        found = predictions.loc[cell] if cell in predictions.index else None
        return cell if found is None else f"{cell}: {label_of(found['truth'])}, {found['species']}"

    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with left:
        cell = widgets.pick("Cell", ids, "cell", format_func=described)
    row = rows[rows["id"] == cell].iloc[0]
    if not cache.cohort().simulated:
        right.link_button("Open its sweeps", f"explore?cell={cell}", icon=":material/show_chart:")
    texts = _texts(shown, cell)
    contributions = row[shown.players].astype(float)
    base = float(row["base_value"])
    total = base + float(contributions.sum())
    start, end = (f"{v:.1%}" if shown.unit == "probability" else f"{v:.3f} {shown.unit}" for v in (base, total))
    table = pd.DataFrame({"feature": shown.players, "shap": contributions.to_numpy(), "value": texts})
    found = predictions.loc[cell] if cell in predictions.index else None
    known = "" if found is None else f" True class: {escaped(label_of(found['truth']))}."
    caption = (
        f"Held-out cell {escaped(cell)}, {shown.title} towards {label_of(shown.name)}.{known} From {start}, the "
        f"mean over the prototypes of its species, the values add up to {end}. A value given as decile: 1 is the "
        "lowest tenth of its species, 10 the highest."
    )
    widgets.figure(
        charts.contributions(contributions, texts, unit=shown.unit),
        f"one-cell-{shown.key}-{cell}",
        table,
        finding=findings.main_reasons(base, contributions, label_of(shown.name), shown.unit),
        caption=f"{caption} Purple: towards {label_of(shown.name)}; green: away from it.",
    )


def _texts(shown: Shown, cell: str) -> list[str]:
    """Value of each player in one cell, as people read it."""
    ids = pd.Series([cell])
    places = deciles(shown.model, ids, shown.players).iloc[0]
    texts = []
    for name in shown.players:
        known = values_of(ids, name)
        if known is not None and np.isfinite(known[0]):
            texts.append(with_unit(name, known[0] / BY_NAME[name].display_factor))
        else:
            texts.append(f"decile {places[name]:.0f}" if np.isfinite(places[name]) else "missing")
    return texts
