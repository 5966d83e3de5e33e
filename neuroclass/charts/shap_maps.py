"""SHAP figures: heat map over cells, force plot of one cell, comparison of systems."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.shap_charts import drawn_in, feature_label
from neuroclass.charts.theme import NEGATIVE, POSITIVE, class_label, colours_of, escape, finish

_DIVERGING = [[0.0, NEGATIVE], [0.5, "#F4F4F4"], [1.0, POSITIVE]]
_SEQUENTIAL = [[0.0, "#F4F4F4"], [1.0, "#0B4F6C"]]


def heat(values: pd.DataFrame, truth: Sequence[str], features: Sequence[str], *, unit: str) -> go.Figure:
    """Heat map of SHAP values, features × cells, under each cell's true class.

    Parameters
    ----------
    values : DataFrame, cells × features
        SHAP values in the order to show, from left to right; the index holds the cells' ids.
    truth : sequence of str
        Class of each cell, in the same order.
    features : sequence of str
        Features to show, the most important first.
    unit : str
        Unit of the SHAP values.

    Returns
    -------
    Figure
    """
    factor, drawn, digits = drawn_in(unit)
    shown = factor * values[list(features)].to_numpy(dtype=np.float64).T
    limit = max(float(np.quantile(np.abs(shown), 0.99)), 1e-6) if shown.size else 1.0
    names = [class_label(name) for name in truth]
    fig = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.04, 0.96], vertical_spacing=0.008)
    kinds = list(colours_of(truth))
    colours = [colours_of(truth)[name] for name in kinds]
    steps = np.linspace(0, 1, len(kinds) + 1)
    scale = [[edge, colour] for k, colour in enumerate(colours) for edge in (steps[k], steps[k + 1])]
    codes = np.array([kinds.index(str(name)) for name in truth], dtype=float)
    fig.add_heatmap(
        z=codes[None, :], zmin=-0.5, zmax=len(kinds) - 0.5, colorscale=scale, showscale=False, hoverinfo="skip"
    )
    for name, colour in zip(kinds, colours, strict=True):
        marker = {"symbol": "circle", "size": 11, "color": colour}
        fig.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=class_label(name))
    hover = np.array([f"{escape(cell)}, {name}" for cell, name in zip(values.index, names, strict=True)])
    fig.add_heatmap(
        z=shown.round(4),
        y=[feature_label(name) for name in features],
        zmin=-limit,
        zmax=limit,
        colorscale=_DIVERGING,
        text=np.repeat(hover[None, :], len(features), axis=0),
        hovertemplate=f"%{{text}}<br>%{{y}}: %{{z:.{digits}f}}<extra></extra>",
        colorbar={"title": {"text": f"SHAP value<br>({drawn})"}, "thickness": 12, "len": 0.7},
        row=2,
        col=1,
    )
    finish(fig, height=130 + 22 * len(features))
    fig.update_xaxes(showticklabels=False, showgrid=False, ticks="")
    fig.update_xaxes(title_text=f"Cells ({len(values)}), clustered within their true class", row=2, col=1)
    fig.update_yaxes(showticklabels=False, showgrid=False, ticks="", row=1, col=1)
    fig.update_yaxes(autorange="reversed", ticks="", tickfont={"size": 12}, row=2, col=1)
    fig.update_layout(legend_y=1.02)
    return fig


def shares(table: pd.DataFrame) -> go.Figure:
    """Each feature's share of a system's explanation.

    Parameters
    ----------
    table : DataFrame, features × systems
        Share of the system's summed mean |SHAP|, fractions of 1; the most important feature first.

    Returns
    -------
    Figure
    """
    rows = table.iloc[::-1]
    fig = go.Figure(
        go.Heatmap(
            z=rows.to_numpy(dtype=np.float64).round(4),
            x=[escape(name) for name in rows.columns],
            y=[feature_label(str(name)) for name in rows.index],
            colorscale=_SEQUENTIAL,
            zmin=0,
            xgap=2,
            ygap=1,
            text=[[f"{100 * value:.0f}" for value in row] for row in rows.to_numpy()],
            texttemplate="%{text}",
            hovertemplate="%{x}: %{y} carries %{z:.1%}<extra></extra>",
            showscale=False,
        )
    )
    fig.update_xaxes(side="top")
    return finish(fig, height=80 + 28 * len(rows), legend=False)
