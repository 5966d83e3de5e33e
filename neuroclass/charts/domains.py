"""Figures of domain mixing and of cross-species matches."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.cell_types import COLOURS
from neuroclass.charts.embedding import space_title
from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import ACCENT, PALETTE, UNKNOWN, WARNING, escape, finish, wrapped

_MEASURES = {
    "species told by a classifier": ("Species guessed right", "Balanced accuracy (%)"),
    "class told by a classifier": ("Class guessed right", "Balanced accuracy (%)"),
    "neighbours of the same species, within a class": (
        "Neighbours of the same species",
        "15 nearest cells (%)",
    ),
    "neighbours of the same class": ("Neighbours of the same class", "15 nearest cells (%)"),
    "MMD² between the species, within a class": (
        "Distance between the species",
        "MMD² (0: none)",
    ),
}
_GUESSED = {
    "species told by a classifier": "mouse or human",
    "class told by a classifier": "excitatory or inhibitory",
}
_APART, _SIDE_BY_SIDE = 0.28, 290
_CASING = (("#FFFFFF", 3.2, 4), ("#1B2A33", 1.4, 3))
"""Colour, thickness and width of the ends, px, of an interval: dark in a light casing, on bars and on either page."""
_ROOM = 1.28
"""Room right of the bars for the values, times the largest."""
_ABOVE, _BETWEEN, _BELOW = 66, 88, 80
"""Room above, between and below the panels, px: two figures side by side have their panels at the same heights."""


def measures(table: pd.DataFrame, spaces: Mapping[str, str], chosen: str) -> go.Figure:
    """Each measure in each space, with its chance level.

    Parameters
    ----------
    table : DataFrame
        Columns space, measure, mean, low, high (over folds), chance.
    spaces : mapping of str to str
        Spaces, from top to bottom, with their labels.
    chosen : str
        The space to highlight.

    Returns
    -------
    Figure
        One panel per measure.
    """
    names = list(dict.fromkeys(table["measure"]))
    labels = list(spaces.values())
    panel = 26 * len(labels)
    inner = len(names) * panel + (len(names) - 1) * _BETWEEN
    titles = [wrapped(_MEASURES.get(name, (name, ""))[0], 48) for name in names]
    fig = make_subplots(
        len(names), 1, subplot_titles=titles, vertical_spacing=_BETWEEN / inner if len(names) > 1 else 0
    )
    for row, measure in enumerate(names, start=1):
        rows = table[table["measure"] == measure].set_index("space").reindex(list(spaces))
        fig.add_bar(
            x=rows["mean"],
            y=labels,
            orientation="h",
            marker_color=[ACCENT if space == chosen else UNKNOWN for space in spaces],
            customdata=[[space_title(space)] for space in spaces],
            hovertemplate=f"%{{customdata[0]}}<br>{measure}: %{{x:.3f}}<extra></extra>",
            showlegend=False,
            row=row,
            col=1,
        )
        for interval in _intervals(rows, labels):
            fig.add_trace(interval, row=row, col=1)
        ends = rows[["mean", "high", "chance"]].max(axis=1)
        fig.add_scatter(
            x=ends,
            y=labels,
            mode="text",
            text=[f"  {_stated(value, measure)}" for value in rows["mean"]],
            textposition="middle right",
            textfont={"size": 12},
            cliponaxis=False,
            hoverinfo="skip",
            showlegend=False,
            row=row,
            col=1,
        )
        fig.add_scatter(
            x=rows["chance"],
            y=labels,
            mode="markers",
            marker={"symbol": "line-ns", "size": 15, "line": {"color": WARNING, "width": 3}},
            name="chance level",
            showlegend=row == 1,
            hovertemplate="chance level %{x:.3f}<extra></extra>",
            row=row,
            col=1,
        )
        title = _MEASURES.get(measure, ("", "MMD² (no unit)" if "MMD" in measure else "Share (%)"))[1]
        scale = (
            {"range": [0, _ROOM * float(ends.max() or 1.0)]}
            if "MMD" in measure
            else {"range": [0, _ROOM], "tickvals": [0, 0.5, 1], "tickformat": ".0%"}
        )
        fig.update_xaxes(title_text=title, **scale, row=row, col=1)
    finish(fig, height=_ABOVE + inner + _BELOW)
    fig.update_annotations(font_size=13)
    fig.update_yaxes(autorange="reversed")
    fig.update_layout(bargap=0.2, legend={"y": 1, "yref": "container", "yanchor": "top"})
    return fig.update_layout(margin={"t": _ABOVE, "b": _BELOW})


def transferred(
    table: pd.DataFrame, systems: Mapping[str, str], labels: Mapping[str, str], commonest: float | None
) -> go.Figure:
    """Accuracy of each system in human cells, by what had a label in training, with its interval.

    Parameters
    ----------
    table : DataFrame
        Columns system, protocol, mean, low, high (fractions of cells).
    systems, labels : mapping of str to str
        Systems, from top to bottom, and protocols, with their titles.
    commonest : float or None
        Fraction of the cells that are of the commonest class, if known.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    known = [system for system in systems if system in set(table["system"])]
    for number, (protocol, title) in enumerate(labels.items()):
        rows = table[table["protocol"] == protocol].set_index("system").reindex(known)
        at = [k + _APART * (number - (len(labels) - 1) / 2) for k in range(len(known))]
        colour = (WARNING, ACCENT)[number % 2]
        fig.add_scatter(
            x=rows["mean"],
            y=at,
            mode="markers",
            name=title,
            marker={"size": 10, "color": colour, "symbol": ("diamond", "circle")[number % 2]},
            error_x=_ends(rows, thickness=1.6, width=4, color=colour),
            text=[f"{systems[one]}, labels of {title}" for one in known],
            customdata=rows[["low", "high"]].to_numpy(),
            hovertemplate="%{text}: %{x:.1%} (95% interval %{customdata[0]:.1%} to %{customdata[1]:.1%})"
            "<extra></extra>",
        )
    if commonest is not None:
        fig.add_vline(commonest, line={"width": 1, "dash": "dot", "color": UNKNOWN})
        fig.add_annotation(
            x=commonest, y=0, yref="paper", yanchor="bottom", text=" commonest class", showarrow=False,
            font={"size": 11}, xanchor="left",
        )  # fmt: skip
    finish(fig, height=_SIDE_BY_SIDE)
    fig.update_xaxes(title_text="Accuracy in human cells (%)", tickformat=".0%")
    return fig.update_yaxes(
        tickvals=list(range(len(known))),
        ticktext=[wrapped(systems[one], 20) for one in known],
        range=[len(known) - 0.4, -0.6],
        title_text="",
    )


def against_strength(table: pd.DataFrame, spaces: Mapping[str, str], chance: float = 0.5) -> go.Figure:
    """How well species and class are guessed from the input features and from networks of growing λ.

    Parameters
    ----------
    table : DataFrame
        Columns space, measure, mean, low, high (balanced accuracies over folds, fractions).
    spaces : mapping of str to str
        Spaces from left to right with their labels.
    chance : float
        Balanced accuracy of guessing.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    titles = list(spaces.values())
    for (measure, name), colour, symbol in zip(_GUESSED.items(), (WARNING, ACCENT), ("diamond", "circle"), strict=True):
        rows = table[table["measure"] == measure].set_index("space").reindex(list(spaces))
        fig.add_scatter(
            x=titles,
            y=rows["mean"],
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2},
            marker={"size": 9, "symbol": symbol},
            error_y=_ends(rows, thickness=1.2, width=3),
            hovertemplate=f"{name}, %{{x}}: %{{y:.1%}}<extra></extra>",
        )
    fig.add_hline(chance, line={"width": 1, "dash": "dot", "color": UNKNOWN})
    fig.add_annotation(
        x=1, xref="paper", xanchor="right", y=chance, yanchor="bottom", text="chance", showarrow=False,
        font={"size": 11},
    )  # fmt: skip
    finish(fig, height=_SIDE_BY_SIDE)
    fig.update_xaxes(title_text="Weight of the adversary, λ", type="category", tickangle=0)
    return fig.update_yaxes(title_text="Guessed right (%)", tickformat=".0%", range=[0.4, 1.03])


def _ends(rows: pd.DataFrame, **style: Any) -> dict[str, Any]:
    """Error bars from low to high around the means."""
    up, down = (rows["high"] - rows["mean"]).tolist(), (rows["mean"] - rows["low"]).tolist()
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, **style}


def _intervals(rows: pd.DataFrame, labels: list[str]) -> list[go.Scatter]:
    """The range over the folds, twice: a light casing below a dark line, so that it is seen on any ground."""
    return [
        go.Scatter(
            x=rows["mean"],
            y=labels,
            mode="markers",
            marker={"opacity": 0, "size": 1},
            error_x=_ends(rows, thickness=thickness, width=width, color=colour),
            hoverinfo="skip",
            showlegend=False,
        )
        for colour, thickness, width in _CASING
    ]


def _stated(value: float, measure: str) -> str:
    """A mean as it is written right of its bar."""
    if value != value:
        return ""
    return f"{value:.2f}" if "MMD" in measure else f"{value:.0%}"


def matched_cells(table: pd.DataFrame, title: str) -> go.Figure:
    """Where a mouse cell's values stand in its species, and its human match's in theirs.

    Parameters
    ----------
    table : DataFrame
        Columns feature, mouse and human: percentile (0 to 100) within the species, NaN where missing.
    title : str
        Name of the human cell.

    Returns
    -------
    Figure
    """
    names = [feature_label(name) for name in table["feature"]]
    fig = go.Figure()
    for y, low, high in zip(names, table["mouse"], table["human"], strict=True):
        line = {"color": UNKNOWN, "width": 1.5}
        fig.add_scatter(x=[low, high], y=[y, y], mode="lines", line=line, hoverinfo="skip", showlegend=False)
    for species, label, symbol in (("mouse", "the mouse cell", "circle"), ("human", escape(title), "diamond")):
        fig.add_scatter(
            x=table[species],
            y=names,
            mode="markers",
            name=label,
            marker={"size": 9, "symbol": symbol, "color": COLOURS.get(species, PALETTE[0])},
            hovertemplate="%{y}: percentile %{x:.0f}<extra></extra>",
        )
    fig.update_xaxes(range=[-4, 104])
    fig.update_yaxes(autorange="reversed", tickfont={"size": 12}, dtick=1)
    finish(fig, height=120 + 19 * len(names), x="Percentile in its species (%)")
    return fig.update_layout(legend={"y": 1, "yref": "container", "yanchor": "top"})
