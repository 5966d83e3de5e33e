"""Figures of a search for settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts.theme import ACCENT, PALETTE, UNKNOWN, escape, finish, note

SCORE = "Balanced accuracy"
_PERCENT = ".1%"
HEIGHT = 340
_TICKS, _LINEAR_TICKS = 4, 6


def history(trials: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Inner score of each trial, and the best so far.

    Parameters
    ----------
    trials : DataFrame
        Columns ``trial`` (from 1), ``state`` (``complete``, ``pruned``) and ``score``.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    if trials.empty:
        return note("Waiting for the first trial.", height=HEIGHT)
    fig = go.Figure()
    for state, colour, symbol in (("complete", PALETTE[0], "circle"), ("pruned", UNKNOWN, "x")):
        rows = trials[trials["state"] == state]
        fig.add_scatter(
            x=rows["trial"],
            y=rows["score"],
            mode="markers",
            name=state,
            marker={"color": colour, "symbol": symbol, "size": 8},
            hovertemplate=f"trial %{{x}}, {state}: %{{y:.1%}}<extra></extra>",
        )
    best = trials["score"].where(trials["state"] == "complete").cummax()
    fig.add_scatter(
        x=trials["trial"],
        y=best.ffill(),
        mode="lines",
        name="best so far",
        line={"color": PALETTE[1], "width": 2, "shape": "hv"},
        hovertemplate="best of %{x} trials: %{y:.1%}<extra></extra>",
    )
    fig.update_yaxes(tickformat=_PERCENT)
    return finish(fig, height=HEIGHT, x="Trial", y=SCORE, simulated=simulated)


def importance(shares: Mapping[str, float], simulated: bool = False) -> go.Figure:
    """How much each setting explains of how scores vary.

    Parameters
    ----------
    shares : mapping of str to float
        Fraction by setting.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    if not shares:
        return note("Importance is known once the search is over, from four complete trials on.", height=HEIGHT)
    names = sorted(shares, key=lambda name: shares[name])
    fig = go.Figure(
        go.Bar(
            x=[shares[name] for name in names],
            y=[escape(name.replace("_", " ")) for name in names],
            orientation="h",
            marker={"color": ACCENT},
            hovertemplate="%{y}: %{x:.0%}<extra></extra>",
        )
    )
    fig.update_xaxes(tickformat=".0%")
    return finish(fig, height=HEIGHT, x="Importance", simulated=simulated, legend=False)


def parallel(trials: pd.DataFrame, space: Mapping[str, Mapping[str, Any]], simulated: bool = False) -> go.Figure:
    """Parallel coordinates: one line per trial through its settings, coloured by its score.

    Parameters
    ----------
    trials : DataFrame
        One column per setting, and ``score``.
    space : mapping of str to mapping
        Of each setting ``options``, or ``low``, ``high`` and ``log``.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
        Settings searched on a logarithmic scale are drawn on one.
    """
    if trials.empty:
        return note("Waiting for the first trial.", height=HEIGHT)
    scores = trials["score"]
    dimensions = [_axis(name, trials[name], one) for name, one in space.items() if name in trials]
    low, high = float(scores.min()), float(scores.max())
    dimensions.append({"label": "score", "values": scores, **_ticks(low, high, _PERCENT)})
    fig = go.Figure(
        go.Parcoords(
            dimensions=dimensions,
            line={"color": scores, "colorscale": "Viridis", "showscale": True, "colorbar": {
                "title": {"text": "score"}, "thickness": 10, "tickformat": _PERCENT}},
            labelangle=-25,
            labelside="top",
        )
    )  # fmt: skip
    fig = finish(fig, height=HEIGHT + 60, simulated=simulated, legend=False)
    return fig.update_layout(margin={"l": 50, "r": 30, "t": 90, "b": 20})


def _axis(name: str, values: "pd.Series[Any]", dimension: Mapping[str, Any]) -> dict[str, Any]:
    label = escape(name.replace("_", " "))
    if "options" in dimension:
        options = [str(one) for one in dimension["options"]]
        places = [options.index(str(value)) if str(value) in options else -1 for value in values]
        return {"label": label, "values": places, "tickvals": list(range(len(options))), "ticktext": options,
                "range": [-0.2, len(options) - 0.8]}  # fmt: skip
    low, high = float(dimension["low"]), float(dimension["high"])
    if not dimension["log"]:
        return {"label": label, "values": values, "range": [low, high], **_ticks(low, high, ".2g")}
    ticks = np.linspace(np.log10(low), np.log10(high), _TICKS)
    return {
        "label": label,
        "values": np.log10(values.astype(float)),
        "range": [ticks[0], ticks[-1]],
        "tickvals": ticks,
        "ticktext": [f"{10**tick:.2g}" for tick in ticks],
    }


def _ticks(low: float, high: float, shown: str) -> dict[str, Any]:
    """Ticks of an axis; without any plotly would write its ends once more, beside the axis' name."""
    ticks = np.unique(np.linspace(low, high, _LINEAR_TICKS))
    return {"tickvals": ticks, "ticktext": [f"{tick:{shown}}" for tick in ticks]}


def inner_and_outer(folds: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Inner and outer score of the setting chosen in each outer fold.

    Parameters
    ----------
    folds : DataFrame
        Columns ``fold`` (from 1), ``inner`` and ``outer``, fractions.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    if folds.empty:
        return note("Outer scores follow once all searches are over.", height=HEIGHT)
    fig = go.Figure()
    kinds: Sequence[tuple[str, str, str, str]] = (
        ("inner", "inner folds", PALETTE[1], "circle-open"),
        ("outer", "outer folds", PALETTE[0], "circle"),
    )
    for row in folds.itertuples():
        fig.add_scatter(
            x=[row.fold, row.fold], y=[row.inner, row.outer], mode="lines", line={"color": UNKNOWN, "width": 1},
            showlegend=False, hoverinfo="skip",
        )  # fmt: skip
    for column, name, colour, symbol in kinds:
        fig.add_scatter(
            x=folds["fold"],
            y=folds[column],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 2}},
            hovertemplate=f"outer fold %{{x}}, {column}: %{{y:.1%}}<extra></extra>",
        )
    fig.update_xaxes(dtick=1, range=[0.5, len(folds) + 0.5])
    fig.update_yaxes(tickformat=_PERCENT)
    return finish(fig, height=HEIGHT, x="Outer fold", y=SCORE, simulated=simulated)
