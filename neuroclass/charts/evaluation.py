"""Figures of a model's performance on held-out cells."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from neuroclass.cell_types import COLOURS
from neuroclass.charts.theme import (
    ACCENT,
    UNKNOWN,
    WARNING,
    class_label,
    escape,
    finish,
    hollow,
    lines,
    ordered,
    wrapped,
)

_LOW_TO_HIGH = [[0, "#EEF3F6"], [0.5, "#5B9DBF"], [1, "#07445A"]]


def agreement(counts: pd.DataFrame, first: str, second: str, simulated: bool = False) -> go.Figure:
    """How often two models' labels go together.

    Parameters
    ----------
    counts : DataFrame, labels of the first model × labels of the second
        Numbers of cells.
    first, second : str
        Names of the models.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    share = counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0) * 100
    fig = go.Figure()
    fig.add_heatmap(
        z=share.to_numpy(dtype=float),
        zmin=0,
        zmax=100,
        x=list(counts.columns),
        y=list(counts.index),
        text=counts.to_numpy(),
        texttemplate="%{text}",
        textfont={"size": 13},
        colorscale=_LOW_TO_HIGH,
        showscale=False,
        xgap=2,
        ygap=2,
        hovertemplate="first %{y}, second %{x}: %{text} cells, %{z:.1f}% of the row<extra></extra>",
    )
    height = 130 + 56 * max(3, len(counts))
    finish(fig, height=height, x=f"{second} (label)", simulated=simulated, legend=False)
    fig.update_yaxes(autorange="reversed", title_text=f"{first} (label)")
    fig.update_layout(margin_t=40)
    return fig


def confusion(counts: pd.DataFrame, simulated: bool = False, what: str = "predictions") -> go.Figure:
    """Confusion matrix as counts and row percentages, as in the paper's Figures 8 and 10.

    Parameters
    ----------
    counts : DataFrame, true classes × predicted classes
        Numbers of predictions, or of cells where these are means over repeats.
    simulated : bool
        Whether the cells are simulated.
    what : str
        What is counted.

    Returns
    -------
    Figure
    """
    total = counts.sum(axis=1).replace(0, np.nan)
    share = counts.div(total, axis=0) * 100
    labels_x = [class_label(name) for name in counts.columns]
    labels_y = [class_label(name) for name in counts.index]
    text = [
        [
            f"<b>{part:.1f}%</b><br><span style='font-size:11px'>{_number(n)}</span>" if n else "0"
            for n, part in zip(*row, strict=True)
        ]
        for row in zip(counts.to_numpy(), share.to_numpy(dtype=float), strict=True)
    ]
    fig = go.Figure(
        go.Heatmap(
            z=share.to_numpy(dtype=float),
            zmin=0,
            zmax=100,
            x=labels_x,
            y=labels_y,
            text=text,
            texttemplate="%{text}",
            textfont={"size": 15},
            colorscale=_LOW_TO_HIGH,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate="true %{y}, predicted %{x}: %{text}<extra></extra>",
        )
    )
    _handles(fig, counts, labels_x, labels_y)
    title = f"Predicted class<br>{wrapped(f'(% of the true class; small: {what})')}"
    finish(fig, height=146 + 60 * max(3, len(labels_y)), x=title, y="True class", simulated=simulated, legend=False)
    return fig.update_yaxes(autorange="reversed")


def _number(n: float) -> str:
    """Cells as people count them; a few, where these are a mean, to a tenth."""
    return f"{n:,.0f}" if n % 1 == 0 or n >= 10 else f"{n:.1f}"


def _handles(fig: go.Figure, counts: pd.DataFrame, labels_x: Sequence[str], labels_y: Sequence[str]) -> None:
    """Invisible markers that make the fields selectable; those of a heat map are not."""
    places = [(i, j) for i in range(len(labels_y)) for j in range(len(labels_x))]
    fig.add_scatter(
        x=[labels_x[j] for _, j in places],
        y=[labels_y[i] for i, _ in places],
        customdata=[(str(counts.index[i]), str(counts.columns[j])) for i, j in places],
        mode="markers",
        marker={"symbol": "square", "size": 44, "color": "rgba(0,0,0,0)"},
        hovertemplate="true %{y}, predicted %{x}; click for the cells<extra></extra>",
    )


def systems(table: pd.DataFrame, metric: str, ours: str = "", same_protocol: bool = True) -> go.Figure:
    """One metric for every system with its 95% interval; published figures are hollow, ours stands out.

    Parameters
    ----------
    table : DataFrame
        Columns ``system``, ``mean``, ``low``, ``high`` (fractions; the last two NaN if unknown), ``published`` (bool)
        and, where there is something to say of the systems, ``about``.
    metric : str
        Name of the metric.
    ours : str
        The system to stand out; none if empty.
    same_protocol : bool
        Whether the published figures were measured by the protocol of the others.

    Returns
    -------
    Figure
    """
    rows = table.sort_values("mean", ignore_index=True)
    theirs = "as published" if same_protocol else "published, other protocol"
    about = rows["about"] if "about" in rows else pd.Series("", index=rows.index)
    rows = rows.assign(tip=["<br>" + lines(one, 60) if one else "" for one in about])
    fig = go.Figure()
    mine = ~rows["published"].astype(bool) & (rows["system"] == ours)
    for chosen, name, symbol, colour in (
        (mine, escape(ours), "circle", ACCENT),
        (~mine & ~rows["published"].astype(bool), "other systems, measured here", "circle", UNKNOWN),
        (rows["published"].astype(bool), theirs, "circle-open", WARNING),
    ):
        part = rows[chosen]
        if part.empty:
            continue
        fig.add_scatter(
            x=100 * part["mean"],
            y=[escape(s) for s in part["system"]],
            mode="markers+text" if name == theirs and not same_protocol else "markers",
            text=["other protocol"] * len(part),
            textposition="middle left",
            customdata=part[["tip"]],
            name=name,
            marker={"size": 11, "symbol": symbol, "color": colour, "line": {"width": 2}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": 100 * (part["high"] - part["mean"]),
                "arrayminus": 100 * (part["mean"] - part["low"]),
                "color": colour,
            },
            hovertemplate="%{y}: %{x:.1f}%%{customdata[0]}<extra></extra>",
        )
    ends = rows[["low", "mean", "high"]].to_numpy(dtype=float) * 100
    if len(rows):
        pad = 0.05 * (np.nanmax(ends) - np.nanmin(ends)) + 0.2
        fig.update_xaxes(range=[max(-0.5, np.nanmin(ends) - pad), min(100.5, np.nanmax(ends) + pad)])
    fig.update_yaxes(categoryorder="array", categoryarray=[escape(s) for s in rows["system"]])
    return finish(fig, height=120 + 25 * len(rows), x=f"{metric} (%)")


def reliability(table: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Fraction of correct predictions against stated probability, with the number of predictions per bin.

    Parameters
    ----------
    table : DataFrame
        Columns ``stated``, ``observed``, ``low``, ``high`` (fractions), ``predictions``.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    line = {"color": UNKNOWN, "dash": "dash"}
    fig.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=line, name="perfectly calibrated", hoverinfo="skip")
    fig.add_scatter(
        x=100 * table["stated"],
        y=100 * table["observed"],
        mode="lines+markers",
        name="held-out cells, 95% interval",
        line={"color": ACCENT},
        marker={"size": 8},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": 100 * (table["high"] - table["observed"]),
            "arrayminus": 100 * (table["observed"] - table["low"]),
        },
        customdata=table[["predictions"]],
        hovertemplate="stated %{x:.0f}%, correct %{y:.0f}%, %{customdata[0]} predictions<extra></extra>",
    )
    fig.update_yaxes(range=[-2, 104])
    fig.update_xaxes(range=[0, 102])
    return finish(
        fig,
        height=360,
        x="Stated probability of the predicted class (%)",
        y="Correct predictions (%)",
        simulated=simulated,
    )


def by_group(table: pd.DataFrame, title: str, simulated: bool = False) -> go.Figure:
    """Accuracy with a 95% Wilson interval for each group of cells, such as a driver line.

    Parameters
    ----------
    table : DataFrame
        Columns ``group``, ``truth``, ``cells``, ``accuracy``, ``low``, ``high``.
    title : str
        What a group is.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    rows = table.sort_values("accuracy", ascending=False, ignore_index=True)
    rows["name"] = [f"{escape(g)} ({n})" for g, n in zip(rows["group"], rows["cells"], strict=True)]
    fig = go.Figure()
    for truth in ordered(rows["truth"]):
        part = rows[rows["truth"] == truth]
        fig.add_scatter(
            x=100 * part["accuracy"],
            y=part["name"],
            mode="markers",
            name=class_label(truth),
            marker={"size": 9, "color": COLOURS.get(truth, UNKNOWN)},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": 100 * (part["high"] - part["accuracy"]),
                "arrayminus": 100 * (part["accuracy"] - part["low"]),
                "thickness": 1.2,
                "color": UNKNOWN,
            },
            hovertemplate=f"%{{y}}, {class_label(truth)}: %{{x:.1f}}%<extra></extra>",
        )
    fig.update_xaxes(range=[max(-2.0, 100 * float(rows["low"].min()) - 5), 102])
    fig.update_yaxes(categoryorder="array", categoryarray=rows["name"], autorange="reversed")
    return finish(
        fig,
        height=110 + 21 * len(rows),
        x="Accuracy (%)",
        y=f"{title} (number of cells)",
        simulated=simulated,
    )


def probabilities(names: Sequence[str], values: Sequence[float], in_set: Sequence[str] = ()) -> go.Figure:
    """Calibrated class probabilities of one cell; classes outside the prediction set are outlines.

    Parameters
    ----------
    names : sequence of str
        Classes.
    values : sequence of float
        Their probabilities, which sum to 1.
    in_set : sequence of str
        The prediction set; may be empty.

    Returns
    -------
    Figure
    """
    order = sorted(range(len(names)), key=lambda k: values[k])
    fig = go.Figure(
        go.Bar(
            x=[100 * values[k] for k in order],
            y=[class_label(names[k]) for k in order],
            orientation="h",
            marker=hollow(
                [COLOURS.get(names[k], ACCENT) for k in order],
                [not in_set or names[k] in in_set for k in order],
            ),
            text=[f"{values[k]:.1%}" for k in order],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2f}%<extra></extra>",
        )
    )
    fig.update_xaxes(range=[0, 112], tickvals=[0, 25, 50, 75, 100])
    return finish(fig, height=80 + 34 * len(names), x="Probability (%)", y="Class", legend=False)
