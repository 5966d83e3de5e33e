"""Figures of a training run."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts.theme import PALETTE, escape, finish, note


def history(table: pd.DataFrame, columns: Sequence[str], title: str, simulated: bool = False) -> go.Figure:
    """Quantities by epoch.

    Parameters
    ----------
    table : DataFrame
        Column ``epoch`` and those named by `columns`.
    columns : sequence of str
        Columns to draw.
    title : str
        Title of the vertical axis with its unit.
    simulated : bool
        Whether the training cells are simulated.

    Returns
    -------
    Figure
    """
    if table.empty or not columns:
        return note("Waiting for the first epoch.", height=300)
    fig = go.Figure()
    for name, colour in zip(columns, PALETTE * (1 + len(columns) // len(PALETTE)), strict=False):
        fig.add_scatter(
            x=table["epoch"],
            y=table[name],
            mode="lines",
            name=escape(name.replace("_", " ")),
            line={"color": colour, "width": 2},
            hovertemplate="epoch %{x}: %{y:.4f}<extra></extra>",
        )
    return finish(fig, height=300, x="Epoch (number)", y=title, simulated=simulated)
