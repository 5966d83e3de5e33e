"""Figures of LSPIN's gates: grey is shut, blue is open (the paper's Figure 9 has black for shut)."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.cell_types import COLOURS
from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import PALETTE, class_label, finish, note, ordered
from neuroclass.explain.clustering import Tree
from neuroclass.features import BY_NAME, USUAL_ORDER, Stimulus

STIMULUS_COLOURS: dict[str, str] = dict(zip((s.value for s in Stimulus), PALETTE[5:], strict=False))
_SHUT, _OPEN = "rgba(127,139,146,0.2)", "#12789B"
_SHUT_TO_OPEN = [[0, _SHUT], [1, _OPEN]]
ROW_PX = 20
STRIP_PX = 26
"""Height of the strips of true and of predicted classes, px."""
_WRITTEN = 0.1
"""Mean gate from which its number is written."""
_TALL, _DARK = 1.1, 0.65
"""Height of a row with numbers, in those without; mean gate from which its cell is dark."""
LEAST_MEAN = 0.02
"""Mean gate below which a feature has no row of its own."""


def matrix(
    gates: pd.DataFrame, truth: pd.Series, rows: Tree, columns: Tree, predicted: pd.Series | None = None
) -> go.Figure:
    """Clustered gate matrix: the paper's Figure 9, turned so that the features' names can be read.

    Parameters
    ----------
    gates : DataFrame, cells × features
        Gates, 0 (shut) to 1 (open); the index holds the cells' ids.
    truth : Series
        Class of each cell, in the order of `gates`.
    rows, columns : Tree
        Dendrograms over cells and over features.
    predicted : Series, optional
        Predicted class of each cell, in the order of `gates`; drawn below the gates as a strip of selectable points.

    Returns
    -------
    Figure
        Features downwards, their stimuli at the left; cells from left to right in the order of their dendrogram, which
        is not drawn, their true class on top.
    """
    table = gates.iloc[rows.order, columns.order].T
    names = [str(name) for name in table.index]
    cells, kinds = table.columns, truth.iloc[rows.order]
    inner = ROW_PX * len(names) + STRIP_PX + (STRIP_PX + 20 if predicted is not None else 0)
    fig = make_subplots(
        2,
        3,
        shared_xaxes=True,
        shared_yaxes=True,
        column_widths=[0.07, 0.02, 0.91],
        row_heights=[STRIP_PX / inner, 1 - STRIP_PX / inner],
        horizontal_spacing=0.004,
        vertical_spacing=0.006,
    )
    line = {"color": "#7F8B92", "width": 0.8}
    tree = {"mode": "lines", "line": line, "hoverinfo": "skip", "showlegend": False}
    fig.add_scatter(x=-columns.height, y=columns.position, **tree, row=2, col=1)
    _strip(fig, [str(t) for t in kinds], COLOURS, row=1, col=3, stimuli=False)
    _strip(fig, [BY_NAME[n].stimulus.value for n in names], STIMULUS_COLOURS, row=2, col=2, stimuli=True)
    hover = np.array([class_label(t) for t in kinds])
    fig.add_heatmap(
        z=table.to_numpy().round(2),
        zmin=0,
        zmax=1,
        colorscale=_SHUT_TO_OPEN,
        text=np.repeat(hover[None, :], len(names), axis=0),
        customdata=np.repeat(np.asarray(cells, dtype=object)[None, :], len(names), axis=0),
        hovertemplate="%{customdata}, %{text}<br>%{y}: gate %{z:.2f}<extra></extra>",
        showscale=False,
        row=2,
        col=3,
    )
    if predicted is not None:
        _predicted_strip(fig, cells, kinds, predicted.iloc[rows.order], len(names))
    finish(fig, height=150 + inner)
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "showline": False, "ticks": ""}
    fig.update_xaxes(**bare)
    fig.update_yaxes(**bare)
    end = len(names) - 0.5 + (0 if predicted is None else (STRIP_PX + 20) / ROW_PX)
    fig.update_yaxes(
        showticklabels=True,
        tickvals=list(range(len(names))),
        ticktext=[feature_label(name) for name in names],
        tickfont={"size": 12},
        row=2,
        col=1,
    )
    fig.update_yaxes(range=[end, -0.5], row=2)
    fig.update_xaxes(range=[-0.5, len(cells) - 0.5], col=3)
    fig.update_xaxes(range=[-1.02 * _top(columns), 0], col=1)
    fig.update_yaxes(range=[-0.5, 0.5], row=1)
    fig.update_xaxes(range=[-0.5, 0.5], col=2)
    fig.update_xaxes(title_text=f"Cells ({len(cells)})", row=2, col=3)
    left = {"x": 0.085, "xref": "paper", "xanchor": "right", "showarrow": False, "font": {"size": 12}}
    fig.add_annotation(text="True class", y=0, yref=_axis_of(fig, 1), **left)
    if predicted is not None:
        fig.add_annotation(text="Predicted class", y=_strip_at(len(names)), yref=_axis_of(fig, 2), **left)
    fig.update_layout(
        margin={"t": 58, "b": 92},
        legend={
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "title": {"text": "Class", "side": "left", "font": {"size": 12}},
        },
        legend2={
            "orientation": "h",
            "x": 0,
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "title": {"text": "Stimulus", "side": "left", "font": {"size": 12}},
            "font": {"size": 12},
            "bgcolor": "rgba(0,0,0,0)",
        },
    )
    return fig


def _strip_at(n_features: int) -> float:
    """Where the strip of predicted classes lies below the gates, in rows."""
    return n_features - 0.5 + (12 + STRIP_PX / 2) / ROW_PX


def _axis_of(fig: go.Figure, row: int) -> str:
    """Name of the vertical axis of the matrix' column in a row."""
    return str(next(fig.select_yaxes(row=row, col=3)).plotly_name).replace("axis", "")


def _top(tree: Tree) -> float:
    """Height of a dendrogram."""
    return float(np.nanmax(tree.height)) if tree.height.size else 1.0


def _predicted_strip(
    fig: go.Figure, ids: "pd.Index[str]", truth: pd.Series, predicted: pd.Series, n_features: int
) -> None:
    """Draw the predicted class of each cell as a point below its gates."""
    names = [str(name) for name in predicted]
    hover = [
        [str(cell), f"{class_label(t)}, predicted {class_label(p)}"]
        for cell, t, p in zip(ids, truth, names, strict=True)
    ]
    fig.add_scatter(
        x=list(range(len(names))),
        y=[_strip_at(n_features)] * len(names),
        mode="markers",
        marker={
            "symbol": "line-ns",
            "size": STRIP_PX / 2,
            "line": {"width": max(2, 900 / max(1, len(names))), "color": [COLOURS.get(n, "#7F7F7F") for n in names]},
        },
        customdata=hover,
        hovertemplate="%{customdata[0]}: %{customdata[1]}<extra></extra>",
        showlegend=False,
        row=2,
        col=3,
    )


def _strip(fig: go.Figure, values: list[str], colours: dict[str, str], *, row: int, col: int, stimuli: bool) -> None:
    """Draw a strip of categories beside the matrix, with legend entries."""
    names = ordered(values)
    codes = np.array([names.index(value) for value in values], dtype=float)
    palette = [colours.get(name, "#7F7F7F") for name in names]
    steps = np.linspace(0, 1, len(names) + 1)
    scale = [[edge, colour] for k, colour in enumerate(palette) for edge in (steps[k], steps[k + 1])]
    fig.add_heatmap(
        z=codes[:, None] if stimuli else codes[None, :],
        zmin=-0.5,
        zmax=len(names) - 0.5,
        colorscale=scale,
        showscale=False,
        hoverinfo="skip",
        row=row,
        col=col,
    )
    for name, colour in zip(names, palette, strict=True):
        _key(fig, Stimulus(name).label if stimuli else class_label(name), colour, stimuli=stimuli)


def _key(fig: go.Figure, label: str, colour: str, *, stimuli: bool) -> None:
    """Add an entry to the legend of classes, or to that of stimuli."""
    symbol = "square" if stimuli else "circle"
    marker = {"symbol": symbol, "size": 11, "color": colour, "line": {"color": "#7F8B92", "width": 0.5}}
    legend = "legend2" if stimuli else "legend"
    fig.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=label, legend=legend, row=2, col=3)


def mean_by_class(means: pd.DataFrame) -> go.Figure:
    """Mean gate of each feature in each class, the features of a stimulus under its name.

    Parameters
    ----------
    means : DataFrame, classes × features
        Mean gates, 0 to 1.

    Returns
    -------
    Figure
        One panel per stimulus; means of 0.1 and more are written.
    """
    classes = [class_label(name) for name in means.index]
    groups = {
        stimulus: [str(name) for name in means.columns if BY_NAME[str(name)].stimulus is stimulus]
        for stimulus in USUAL_ORDER
    }
    groups = {stimulus: names for stimulus, names in groups.items() if names}
    if not groups:
        return note("No gate is ever open.")
    gap = 34
    inner = ROW_PX * sum(map(len, groups.values())) * _TALL + gap * (len(groups) - 1)
    fig = make_subplots(
        len(groups),
        1,
        shared_xaxes=True,
        row_heights=[len(names) for names in groups.values()],
        vertical_spacing=gap / inner if len(groups) > 1 else 0,
        subplot_titles=[f"<b>{stimulus.label.capitalize()}</b>" for stimulus in groups],
    )
    fig.update_annotations(x=0, xanchor="left", font_size=13)
    for row, names in enumerate(groups.values(), start=1):
        table = means[names].T
        labels = [BY_NAME[name].label for name in names]
        fig.add_heatmap(
            z=table.to_numpy().round(3),
            x=classes,
            y=labels,
            zmin=0,
            zmax=1,
            colorscale=_SHUT_TO_OPEN,
            xgap=1,
            ygap=1,
            showscale=row == 1,
            colorbar={"title": {"text": "Mean gate"}, "thickness": 12, "len": 0.3, "y": 1, "yanchor": "top"},
            hovertemplate="%{x}, %{y}: %{z:.2f}<extra></extra>",
            row=row,
            col=1,
        )
        for trace in _numbers(table, classes, labels):
            fig.add_trace(trace, row=row, col=1)
    fig.update_xaxes(showgrid=False, showticklabels=False, ticks="")
    fig.update_xaxes(showticklabels=True, side="top", row=1)
    fig.update_yaxes(autorange="reversed", tickfont={"size": 12}, dtick=1, showgrid=False, ticks="")
    finish(fig, height=round(80 + inner), legend=False)
    fig.update_annotations(yshift=4)
    fig.update_annotations(yshift=26, selector={"text": fig.layout.annotations[0].text})
    return fig.update_layout(margin_t=72)


def _numbers(table: pd.DataFrame, classes: list[str], labels: list[str]) -> list[go.Scatter]:
    """The means as text: white on dark cells, the page's colour on pale ones."""
    cells = [(x, y, float(table.iat[j, i])) for j, y in enumerate(labels) for i, x in enumerate(classes)]
    traces = []
    for dark in (True, False):
        mine = [cell for cell in cells if (cell[2] >= _DARK) is dark]
        traces.append(
            go.Scatter(
                x=[x for x, _, _ in mine],
                y=[y for _, y, _ in mine],
                mode="text",
                text=[f"{value:.2f}" if value >= _WRITTEN else "" for _, _, value in mine],
                textfont={"size": 12, **({"color": "#FFFFFF"} if dark else {})},
                hoverinfo="skip",
                showlegend=False,
            )
        )
    return traces
