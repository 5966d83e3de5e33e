"""Figures of the reproduced paper that no other page has."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import ACCENT, PALETTE, UNKNOWN, escape, finish

CHOSEN, BY_VALIDATION = PALETTE[8], "#7F8C98"
LEVELS = (("#AA4499", "dash"), ("#4C78B8", "dot"))
"""Colour and dash of the published accuracy, then of ours."""


WAY_COLOURS = (PALETTE[1], PALETTE[3], PALETTE[4], ACCENT)
WAY_SYMBOLS = ("diamond", "triangle-up", "square", "circle")
"""Of the ways in which a table's numbers came about, in their order."""
_APART = 0.17
"""Distance between the ways of one system, in rows."""


def ways(numbers: pd.DataFrame, *, x: str, simulated: bool = False) -> go.Figure:
    """The same metric of each system by several ways of training and testing, with what is known of its spread.

    Parameters
    ----------
    numbers : DataFrame
        Columns ``system``, ``way``, ``value``, ``low`` and ``high`` (fractions; NaN where there is no spread), in the
        order to show.
    x : str
        Title of the axis, with unit.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    systems, kinds = list(dict.fromkeys(numbers["system"])), list(dict.fromkeys(numbers["way"]))
    fig = go.Figure()
    for k, (way, colour, symbol) in enumerate(zip(kinds, WAY_COLOURS, WAY_SYMBOLS, strict=False)):
        rows = numbers[numbers["way"] == way]
        places = [systems.index(name) + _APART * (k - (len(kinds) - 1) / 2) for name in rows["system"]]
        fig.add_scatter(
            x=100 * rows["value"],
            y=places,
            mode="markers",
            name=escape(way),
            marker={"size": 9, "color": colour, "symbol": symbol},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": 100 * (rows["high"] - rows["value"]).fillna(0.0),
                "arrayminus": 100 * (rows["value"] - rows["low"]).fillna(0.0),
                "color": colour,
                "thickness": 1.5,
                "width": 4,
            },
            customdata=rows[["system"]],
            hovertemplate=f"%{{customdata[0]}}, {escape(way)}: %{{x:.1f}}%<extra></extra>",
        )
    fig.update_yaxes(
        tickvals=list(range(len(systems))),
        ticktext=[escape(name) for name in systems],
        range=[len(systems) - 0.45, -0.55],
    )
    return finish(fig, height=120 + 62 * len(systems), x=x, simulated=simulated)


def search_course(
    trials: pd.DataFrame,
    strips: Mapping[str, Sequence[float]],
    levels: Mapping[str, float],
    *,
    y: str,
    simulated: bool = False,
) -> go.Figure:
    """How selection on the test cells raises their accuracy, and what the same settings reach when trained again.

    Parameters
    ----------
    trials : DataFrame
        ``trial`` (from 1), ``value`` (accuracy on the test cells, fraction), ``chosen`` (of the best so far by the test
        cells) and, where there are any, ``honest`` (of the best so far by validation cells).
    strips : mapping of str to sequence of float
        Accuracies of runs without selection, by name.
    levels : mapping of str to float
        Accuracies to draw as lines, by name: the published one, then ours.
    y : str
        Title of the axis, with cells and unit.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    fig = make_subplots(1, 2, shared_yaxes=True, column_widths=[0.68, 0.32], horizontal_spacing=0.03)
    tip = "network %{x}: %{y:.1%}<extra></extra>"
    grey = {"size": 6, "color": UNKNOWN}
    fig.add_scatter(
        x=trials["trial"], y=trials["value"], mode="markers", name="networks tried", marker=grey, hovertemplate=tip,
        row=1, col=1,
    )  # fmt: skip
    lines = [("chosen", "best on the test cells so far", CHOSEN)]
    lines += [("honest", "best on validation cells so far", BY_VALIDATION)] if "honest" in trials else []
    for column, name, colour in lines:
        line = {"color": colour, "width": 2.5, "shape": "hv"}
        fig.add_scatter(
            x=trials["trial"], y=trials[column], mode="lines", name=name, line=line, hovertemplate=tip, row=1, col=1
        )
    for number, (name, values) in enumerate(strips.items()):
        spread = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(len(values))
        style = {"size": 8, "color": ACCENT, "opacity": 0.8, "line": {"width": 0}}
        fig.add_scatter(
            x=number + spread, y=list(values), mode="markers", marker=style, name=escape(name), showlegend=False,
            hovertemplate=f"{escape(name)}: %{{y:.1%}}<extra></extra>", row=1, col=2,
        )  # fmt: skip
        fig.add_scatter(
            x=[number - 0.3, number + 0.3], y=[float(np.mean(values))] * 2, mode="lines", showlegend=False,
            line={"color": ACCENT, "width": 2.5}, hovertemplate="mean %{y:.1%}<extra></extra>", row=1, col=2,
        )  # fmt: skip
    for (colour, dash), (name, value) in zip(LEVELS, levels.items(), strict=False):
        for panel, span in ((1, [0.5, float(trials["trial"].max()) + 0.5]), (2, [-0.5, len(strips) - 0.5])):
            fig.add_scatter(
                x=span, y=[value, value], mode="lines", name=escape(name), showlegend=False,
                line={"dash": dash, "color": colour, "width": 1.8},
                hovertemplate=f"{escape(name)}: %{{y:.1%}}<extra></extra>", row=1, col=panel,
            )  # fmt: skip
        above = value == max(levels.values())
        fig.add_annotation(
            x=1, xref="paper", y=value, yref="y", xanchor="left", yanchor="bottom" if above else "top",
            showarrow=False, align="left", font={"color": colour, "size": 13}, text=f"{escape(name)} {value:.1%}",
        )  # fmt: skip
    finish(fig, height=470, simulated=simulated)
    n = int(trials["trial"].nunique())
    fig.update_xaxes(title_text=f"{n} networks, in the order tried", row=1, col=1)
    names = [escape(name).replace(" ", "<br>") for name in strips]
    fig.update_xaxes(
        title_text="Runs without selection",
        tickvals=list(range(len(strips))),
        ticktext=names,
        tickangle=0,
        row=1,
        col=2,
    )
    fig.update_yaxes(title_text=y, row=1, col=1)
    fig.update_yaxes(tickformat=".0%")
    fig.update_layout(legend={"y": 1.02}, margin_t=84, margin_r=130)
    return fig


def rows_of(counts: pd.DataFrame, column: str = "cells") -> pd.DataFrame:
    """A table with a row per cell from one with a row a kind of cell and their number."""
    return counts.loc[counts.index.repeat(counts[column])].drop(columns=column).reset_index(drop=True)
