"""Figures of unsupervised types: e-types against the labels, and cells on a circle."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from neuroclass.cell_types import COLOURS
from neuroclass.charts.theme import ACCENT, UNKNOWN, class_label, finish, ordered

_SCALE = [[0, "#EEF3F6"], [0.5, "#5B9DBF"], [1, "#07445A"]]


def contingency(table: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Contingency table of e-types and labels: counts, shaded by their share of the e-type.

    Parameters
    ----------
    table : DataFrame
        Columns ``truth`` and ``etype``, one row per cell.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    counts = pd.crosstab(table["truth"], table["etype"]).reindex(ordered(table["truth"]))
    share = counts / counts.sum(axis=0) * 100
    fig = go.Figure(
        go.Heatmap(
            z=share.to_numpy(),
            zmin=0,
            zmax=100,
            x=[str(name) for name in counts.columns],
            y=[class_label(name) for name in counts.index],
            text=counts.to_numpy(),
            customdata=share.to_numpy(),
            texttemplate="%{text}",
            colorscale=_SCALE,
            xgap=2,
            ygap=2,
            colorbar={"title": {"text": "% of the e-type"}, "len": 0.9},
            hovertemplate="e-type %{x}, labelled %{y}: %{text} cells, %{customdata:.1f}% of the e-type<extra></extra>",
        )
    )
    fig.update_yaxes(autorange="reversed")
    fig.update_xaxes(type="category")
    return finish(fig, height=330, x="E-type (number)", y="Label", simulated=simulated, legend=False)


def bic_curve(bic: dict[str, float]) -> go.Figure:
    """Bayesian information criterion against the number of e-types; the minimum is chosen."""
    numbers = [int(name) for name in bic]
    values = list(bic.values())
    best = int(np.argmin(values))
    fig = go.Figure(go.Scatter(x=numbers, y=values, mode="lines+markers", line={"color": ACCENT}, name="BIC"))
    fig.add_scatter(
        x=[numbers[best]], y=[values[best]], mode="markers", marker={"size": 13, "color": "#D55E00"}, name="chosen"
    )
    return finish(fig, height=330, x="E-types (number)", y="BIC (nats × 2, lower is better)")


def circle(table: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Cells by angle and distance in the plane of the first two principal components, coloured by class.

    Parameters
    ----------
    table : DataFrame
        Columns ``id``, ``truth``, ``angle`` (degrees), ``distance`` (standard deviations).
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    for name in ordered(table["truth"]):
        part = table[table["truth"] == name]
        fig.add_scatterpolar(
            theta=part["angle"],
            r=part["distance"],
            mode="markers",
            name=class_label(name),
            marker={"size": 5, "color": COLOURS.get(name, UNKNOWN), "opacity": 0.75},
            text=part["id"],
            hovertemplate=f"%{{text}}, {class_label(name)}: %{{theta:.0f}}°, %{{r:.1f}} sd<extra></extra>",
        )
    fig.update_polars(
        angularaxis={"ticksuffix": "°"},
        radialaxis={"ticksuffix": " sd", "angle": 22, "tickangle": 22},
        bgcolor="rgba(0,0,0,0)",
    )
    finish(fig, height=520, simulated=simulated)
    return fig.update_layout(margin={"t": 70, "b": 30})


def angle_densities(table: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Number of cells per class by angle, in 10° bins.

    Parameters
    ----------
    table : DataFrame
        Columns ``truth`` and ``angle`` (degrees).
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    edges = np.arange(-180, 181, 10)
    fig = go.Figure()
    for name in ordered(table["truth"]):
        counts = np.histogram(table.loc[table["truth"] == name, "angle"], edges)[0]
        fig.add_scatter(
            x=edges[:-1] + 5,
            y=counts,
            mode="lines",
            line={"shape": "hvh", "color": COLOURS.get(name, UNKNOWN), "width": 2},
            name=class_label(name),
            hovertemplate=f"{class_label(name)}, %{{x}}°: %{{y}} cells<extra></extra>",
        )
    fig.update_xaxes(tickvals=np.arange(-180, 181, 60))
    return finish(fig, height=520, x="Angle (degrees)", y="Cells a bin of 10° (number)", simulated=simulated)
