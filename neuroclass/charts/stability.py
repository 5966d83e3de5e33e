"""Figures of how well explanations agree with each other and after retraining."""

import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import PALETTE, finish

_COLOURS = {"SHAP": PALETTE[0], "permutation": PALETTE[3], "gates": PALETTE[2]}
_SYMBOLS = {"SHAP": "circle", "permutation": "diamond", "gates": "square"}


def rank_ranges(table: pd.DataFrame) -> go.Figure:
    """Rank of each feature by each method, with the range over retrainings.

    Parameters
    ----------
    table : DataFrame
        Columns feature, method, rank (mean over runs), low and high (over runs), flagged; the first feature on top.

    Returns
    -------
    Figure
        Flagged features have a triangle.
    """
    features = list(dict.fromkeys(table["feature"]))
    flagged = set(table.loc[table["flagged"], "feature"])
    place = {name: len(features) - k for k, name in enumerate(features)}
    methods = list(dict.fromkeys(table["method"]))
    fig = go.Figure()
    for k, method in enumerate(methods):
        rows = table[table["method"] == method]
        offset = 0.22 * (k - (len(methods) - 1) / 2)
        fig.add_scatter(
            x=rows["rank"],
            y=[place[name] - offset for name in rows["feature"]],
            mode="markers",
            name=method,
            marker={"color": _COLOURS.get(method, PALETTE[4]), "symbol": _SYMBOLS.get(method, "x"), "size": 8},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (rows["high"] - rows["rank"]).tolist(),
                "arrayminus": (rows["rank"] - rows["low"]).tolist(),
                "thickness": 1.2,
                "width": 0,
            },
            customdata=[[feature_label(name)] for name in rows["feature"]],
            hovertemplate=f"%{{customdata[0]}}, {method}: mean rank %{{x:.1f}}<extra></extra>",
        )
    fig.update_yaxes(
        tickvals=[place[name] for name in features],
        ticktext=[f"▲ {feature_label(name)}" if name in flagged else feature_label(name) for name in features],
        range=[0.3, len(features) + 0.7],
    )
    fig.update_xaxes(range=[0, 42])
    height = 130 + 26 * len(features)
    return finish(fig, height=height, x="Rank (1 the most important of 41)")


def agreement(table: pd.DataFrame) -> go.Figure:
    """Rank agreement of every two methods; the diagonal compares retrainings of one method.

    Parameters
    ----------
    table : DataFrame
        Columns first, second, kendall, spearman, pairs.

    Returns
    -------
    Figure
    """
    names = list(dict.fromkeys([*table["first"], *table["second"]]))
    value = {(a, b): k for a, b, k in zip(table["first"], table["second"], table["kendall"], strict=True)}
    z = [[value.get((a, b), value.get((b, a))) for b in names] for a in names]
    fig = go.Figure(
        go.Heatmap(
            z=z,
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            xgap=2,
            ygap=2,
            colorscale=[[0, "#F4F4F4"], [1, "#0B4F6C"]],
            text=[["" if v is None else f"{v:.2f}" for v in row] for row in z],
            texttemplate="%{text}",
            showscale=False,
            hovertemplate="%{y} and %{x}: Kendall τ %{z:.2f}<extra></extra>",
        )
    )
    fig.update_yaxes(autorange="reversed")
    return finish(fig, height=300, legend=False)
