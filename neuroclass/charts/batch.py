"""Figures of a batch of uploaded cells: class composition and position among reference cells."""

import pandas as pd
import plotly.graph_objects as go

from neuroclass.cell_types import COLOURS
from neuroclass.charts.theme import (
    ACCENT,
    POSITIVE,
    UNKNOWN,
    category,
    class_label,
    colours_of,
    escape,
    finish,
    ordered,
)

SHARES = {"prior": "training cells", "labels": "labels given", "estimated": "estimated, with 95% interval"}


def composition(table: pd.DataFrame) -> go.Figure:
    """Class proportions of uploaded and training cells, side by side.

    Parameters
    ----------
    table : DataFrame
        ``class``, ``prior``, ``labels`` and, where the composition can be estimated, ``estimated`` with ``low`` and
        ``high``; fractions of cells.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    for column, colour in zip(SHARES, (UNKNOWN, POSITIVE, ACCENT), strict=True):
        if column not in table or table[column].isna().all():
            continue
        error = None
        if column == "estimated":
            up, down = table["high"] - table["estimated"], table["estimated"] - table["low"]
            error = {"type": "data", "array": up, "arrayminus": down, "color": "#808080"}
        fig.add_bar(
            x=[class_label(name) for name in table["class"]],
            y=table[column],
            name=SHARES[column],
            marker_color=colour,
            error_y=error,
            hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        )
    fig.update_yaxes(rangemode="tozero")
    return finish(fig, height=300, x="Class", y="Share (fraction of cells)")


def among(reference: pd.DataFrame, uploaded: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Uploaded cells among reference cells.

    Parameters
    ----------
    reference : DataFrame
        ``id``, ``species``, ``truth`` (broad class), ``x``, ``y``.
    uploaded : DataFrame
        ``cell``, ``class`` (of the verdict, which gives the colour), ``label`` (as shown), ``x``, ``y``.
    simulated : bool
        Whether the reference cells are simulated.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    groups = category(reference["truth"])
    for name, colour in colours_of(groups).items():
        cells = reference[groups == name]
        fig.add_scatter(
            x=cells["x"].round(3),
            y=cells["y"].round(3),
            mode="markers",
            name=f"reference: {class_label(name)}",
            customdata=cells[["id", "species"]],
            marker={"size": 4.5, "color": colour, "opacity": 0.3},
            hovertemplate="%{customdata[0]}, %{customdata[1]}<extra>reference</extra>",
        )
    verdicts = category(uploaded["class"])
    for name in ordered(verdicts):
        cells = uploaded[verdicts == name]
        fig.add_scatter(
            x=cells["x"].round(3),
            y=cells["y"].round(3),
            mode="markers+text" if len(uploaded) <= 12 else "markers",
            name=f"uploaded: {class_label(name)}",
            text=[escape(str(one)[:24]) for one in cells["cell"]],
            textposition="top center",
            customdata=[
                [escape(cell), escape(label)] for cell, label in zip(cells["cell"], cells["label"], strict=True)
            ],
            marker={
                "size": 11,
                "color": COLOURS.get(name, UNKNOWN),
                "symbol": "diamond",
                "line": {"width": 1.5, "color": "black"},
            },
            hovertemplate="%{customdata[0]}: %{customdata[1]}<extra>uploaded</extra>",
        )
    finish(fig, height=460, x="UMAP 1 (arbitrary unit)", y="UMAP 2 (arbitrary unit)", simulated=simulated)
    fig.update_xaxes(showticklabels=False, zeroline=False)
    fig.update_yaxes(showticklabels=False, zeroline=False)
    return fig
