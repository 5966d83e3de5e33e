"""Curves on held-out cells: ROC, precision–recall, accuracy against number of cells or labels."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from neuroclass.cell_types import COLOURS
from neuroclass.charts.theme import ACCENT, PALETTE, UNKNOWN, class_label, escape, finish


def roc(curves: pd.DataFrame, areas: pd.DataFrame) -> go.Figure:
    """ROC curve of each class against the rest.

    Parameters
    ----------
    curves : DataFrame
        Columns ``class``, ``threshold``, ``false_positives``, ``recall`` (fractions).
    areas : DataFrame
        Columns ``class``, ``roc_auc`` (fraction of 1).

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    fig.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line={"color": UNKNOWN, "dash": "dash"}, name="guessing")
    _classes(fig, curves, areas.set_index("class")["roc_auc"], "false_positives", "recall", "area")
    return finish(
        fig,
        height=420,
        x="False positive rate (%)",
        y="Recall (%)",
    )


def precision_recall(curves: pd.DataFrame, areas: pd.DataFrame) -> go.Figure:
    """Precision against recall of each class.

    Parameters
    ----------
    curves : DataFrame
        Columns ``class``, ``threshold``, ``recall``, ``precision`` (fractions).
    areas : DataFrame
        Columns ``class``, ``average_precision`` (fraction of 1).

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    _classes(fig, curves, areas.set_index("class")["average_precision"], "recall", "precision", "mean")
    return finish(fig, height=420, x="Recall (%)", y="Precision (%)")


def _classes(fig: go.Figure, curves: pd.DataFrame, areas: "pd.Series[float]", x: str, y: str, what: str) -> None:
    for name, part in curves.groupby("class", sort=False):
        fig.add_scatter(
            x=100 * part[x],
            y=100 * part[y],
            mode="lines",
            name=f"{class_label(name)}, {what} {areas[name]:.3f}",
            line={"color": COLOURS.get(str(name), ACCENT), "width": 2},
            customdata=part[["threshold"]],
            hovertemplate=f"{class_label(name)}: %{{y:.1f}}% at %{{x:.1f}}%, from a probability of "
            "%{customdata[0]:.3f}<extra></extra>",
        )
    fig.update_xaxes(range=[-2, 102])
    fig.update_yaxes(range=[-2, 104])


def against_number(table: pd.DataFrame, titles: Mapping[str, str], x: str, metric: str) -> go.Figure:
    """A metric against a number of cells or labels, on a logarithmic axis, with 95% intervals.

    Parameters
    ----------
    table : DataFrame
        Columns ``model``, ``number``, ``mean``, ``low``, ``high`` (fractions).
    titles : mapping of str to str
        Title of each model.
    x : str
        Title of the horizontal axis with its unit.
    metric : str
        Name of the metric.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    for (name, part), colour in zip(table.groupby("model", sort=False), PALETTE * 3, strict=False):
        rows = part.sort_values("number")
        fig.add_scatter(
            x=rows["number"],
            y=100 * rows["mean"],
            mode="lines+markers",
            name=escape(titles.get(str(name), name)),
            line={"color": colour, "width": 2},
            marker={"size": 8},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": 100 * (rows["high"] - rows["mean"]),
                "arrayminus": 100 * (rows["mean"] - rows["low"]),
                "thickness": 1.2,
            },
            hovertemplate="%{x:.0f}: %{y:.1f}%<extra></extra>",
        )
    ticks = sorted({round(value) for value in table["number"]})
    fig.update_xaxes(type="log", tickvals=ticks, ticktext=[str(tick) for tick in ticks])
    return finish(fig, height=400, x=x, y=f"{metric} (%)")
