"""Cells as lines across the axes of several features."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts.theme import escape, finish, note, own_colour, species_groups
from neuroclass.features import rounded


def parallel(
    frame: pd.DataFrame,
    features: Sequence[tuple[str, str, float]],
    colour: str,
    most: int = 600,
    simulated: bool = False,
    own: Mapping[str, Mapping[str, float]] | None = None,
) -> go.Figure:
    """Parallel coordinates: each cell a line across the axes of several features.

    Parameters
    ----------
    frame : DataFrame
        Cells; an even subset of at most `most` is drawn.
    features : sequence of (name, title, factor)
        Columns, their titles with shown units, and factors from stored to shown units.
    colour : str
        Column to colour by.
    most : int
        Most cells drawn.
    simulated : bool
        Whether the cells are simulated.
    own : mapping of name to features, optional
        The user's cells, stored units; a thick line for each that has all of the features.

    Returns
    -------
    Figure
        Each axis runs from the 1st to the 99th percentile of its feature, with its values written on it.
    """
    known = frame.dropna(subset=[name for name, _, _ in features])
    if known.empty:
        return note("No cell has all of these features.", 420)
    known = known.iloc[np.unique(np.linspace(0, len(known) - 1, min(most, len(known))).astype(int))]
    scaled = np.empty((len(known), len(features)))
    ticks, spans = [], []
    for k, (name, _, factor) in enumerate(features):
        low, high = np.nanpercentile(frame[name], [1, 99])
        width = (high - low) or 1.0
        spans.append((name, low, width))
        scaled[:, k] = np.clip((known[name] - low) / width, -0.03, 1.03)
        ticks.append((low * factor, (low + high) / 2 * factor, high * factor))
    groups, colours = species_groups(known, colour)
    fig = go.Figure()
    gap = np.full((len(known), 1), np.nan)
    across = np.tile([*range(len(features)), np.nan], (len(known), 1))
    lines = np.hstack([scaled, gap])
    ids = np.repeat(known["id"].to_numpy(), len(features) + 1).reshape(len(known), -1)
    for name, value in colours.items():
        mine = (groups == name).to_numpy()
        fig.add_scatter(
            x=across[mine].ravel(),
            y=lines[mine].ravel().round(4),
            mode="lines",
            name=f"{escape(name)} ({int(mine.sum())})",
            line={"color": value, "width": 1},
            opacity=0.35 if len(known) > 60 else 0.8,
            customdata=ids[mine].ravel(),
            hovertemplate="%{customdata}<extra></extra>",
        )
    for k, (name, cell) in enumerate((own or {}).items()):
        if all(feature in cell for feature, _, _ in spans):
            fig.add_scatter(
                x=list(range(len(spans))),
                y=[float(np.clip((cell[feature] - low) / width, -0.03, 1.03)) for feature, low, width in spans],
                mode="lines+markers",
                name=escape(name),
                line={"color": own_colour(k), "width": 3},
                hovertemplate="%{fullData.name}<extra>own cell</extra>",
            )
    for k, values in enumerate(ticks):
        fig.add_vline(x=k, line={"width": 1, "color": "#8A979E"})
        for place, value in zip((0.0, 0.5, 1.0), values, strict=True):
            fig.add_annotation(
                x=k, y=place, text=rounded(value), showarrow=False, xanchor="left", xshift=3, font={"size": 10}
            )
    fig.update_xaxes(
        tickvals=list(range(len(features))),
        ticktext=[escape(title).replace(", ", ",<br>", 1) for _, title, _ in features],
        range=[-0.1, len(features) - 0.7],
        showgrid=False,
    )
    fig.update_yaxes(showticklabels=False, range=[-0.06, 1.06], showgrid=False, zeroline=False)
    return finish(fig, height=440, x="Feature (unit)", y="1st to 99th percentile of the cells", simulated=simulated)
