"""Figures of a search for settings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import ACCENT, PALETTE, UNKNOWN, escape, finish, note

SCORE = "Balanced accuracy"
_PERCENT = ".1%"
HEIGHT = 340
_COLUMNS, _PANEL_PX = 3, 240


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
    for state, name, colour, symbol in (
        ("complete", "complete", PALETTE[0], "circle"),
        ("pruned", "stopped early", UNKNOWN, "x"),
    ):
        rows = trials[trials["state"] == state]
        fig.add_scatter(
            x=rows["trial"],
            y=rows["score"],
            mode="markers",
            name=name,
            marker={"color": colour, "symbol": symbol, "size": 8},
            hovertemplate=f"trial %{{x}}, {name}: %{{y:.1%}}<extra></extra>",
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
    return finish(fig, height=HEIGHT, x="Importance (% of the variation)", simulated=simulated, legend=False)


def by_setting(trials: pd.DataFrame, space: Mapping[str, Mapping[str, Any]], simulated: bool = False) -> go.Figure:
    """The score of every trial against each setting, a panel a setting; the best trial stands out.

    Parameters
    ----------
    trials : DataFrame
        One column per setting, ``trial`` (from 1), ``state`` (``complete``, ``pruned``) and ``score``.
    space : mapping of str to mapping
        Of each setting ``options``, or ``low``, ``high`` and ``log``; panels in this order.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
        Settings searched on a logarithmic scale are drawn on one, which their axis says.
    """
    if trials.empty:
        return note("Waiting for the first trial.", height=HEIGHT)
    names = [name for name in space if name in trials]
    n_columns = min(_COLUMNS, len(names))
    n_rows = -(-len(names) // n_columns)
    height = 60 + n_rows * _PANEL_PX
    fig = make_subplots(
        n_rows, n_columns, shared_yaxes=True, horizontal_spacing=0.05, vertical_spacing=0.34 / n_rows
    )  # fmt: skip
    complete = trials["state"] == "complete"
    best = trials.index == trials.loc[complete, "score"].idxmax() if complete.any() else complete & False
    for number, name in enumerate(names):
        place = {"row": 1 + number // n_columns, "col": 1 + number % n_columns}
        for rows, kind, colour, symbol, size in (
            (~complete, "stopped early", UNKNOWN, "x", 7),
            (complete & ~best, "complete", PALETTE[0], "circle", 8),
            (best & complete, "best trial", PALETTE[1], "star", 15),
        ):
            part = trials[rows]
            fig.add_scatter(
                x=part[name], y=part["score"], mode="markers", name=kind, legendgroup=kind,
                showlegend=number == 0 and len(part) > 0, customdata=part[["trial"]],
                marker={"color": colour, "symbol": symbol, "size": size},
                hovertemplate=f"trial %{{customdata[0]}}, {kind}: {escape(name)} %{{x}}, %{{y:.1%}}<extra></extra>",
                **place,
            )  # fmt: skip
        fig.update_xaxes(**_scale(name, space[name]), **place)
    finish(fig, height=height, simulated=simulated)
    fig.update_yaxes(tickformat=".0%", nticks=6)
    fig.update_yaxes(title_text=SCORE, col=1)
    return fig


def _scale(name: str, dimension: Mapping[str, Any]) -> dict[str, Any]:
    """A setting's axis, with its name and whether it is logarithmic."""
    label = escape(name.replace("_", " "))
    if "options" in dimension:
        options = [str(one) for one in dimension["options"]]
        return {"title_text": label, "type": "category", "categoryorder": "array", "categoryarray": options,
                "range": [-0.5, len(options) - 0.5]}  # fmt: skip
    low, high = float(dimension["low"]), float(dimension["high"])
    if not dimension["log"]:
        pad = 0.05 * (high - low)
        return {"title_text": label, "range": [low - pad, high + pad], "nticks": 5}
    ends = np.log10([low, high])
    powers = np.arange(np.ceil(ends[0] - 1e-9), np.floor(ends[1] + 1e-9) + 1)
    ticks = 10.0**powers if len(powers) > 1 else np.array([low, np.sqrt(low * high), high])
    pad = 0.05 * (ends[1] - ends[0])
    return {"title_text": f"{label} (log scale)", "type": "log", "range": [ends[0] - pad, ends[1] + pad],
            "tickvals": ticks, "ticktext": [f"{tick:.2g}" for tick in ticks]}  # fmt: skip


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
