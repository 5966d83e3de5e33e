"""Two-dimensional embeddings side by side."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import POSITIVE, category, class_label, colours_of, finish

SPACES: dict[str, str] = {"raw": "Features", "lambda0": "No adversary (λ = 0)", "dann": "DANN"}


def space_title(space: str) -> str:
    """Display name of a space."""
    strength = space.removeprefix("lambda")
    return SPACES.get(space) or (f"DANN with λ = {strength}" if strength != space else space)


def panels(
    table: pd.DataFrame, spaces: Sequence[str], colour: str, marked: Sequence[str] = (), simulated: bool = False
) -> go.Figure:
    """The same cells in several embedding spaces, one panel each.

    Parameters
    ----------
    table : DataFrame
        Columns ``id``, ``space``, ``x``, ``y`` and the one named by `colour`.
    spaces : sequence of str
        Values of ``space`` to show, left to right.
    colour : str
        Column to colour by.
    marked : sequence of str
        Ids of a cell and its matches, to mark.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    titles = [space_title(space).replace(" (", "<br>(").replace(" with ", "<br>") for space in spaces]
    fig = make_subplots(1, len(spaces), subplot_titles=titles, horizontal_spacing=0.04)
    groups = category(table[colour])
    for column, space in enumerate(spaces, start=1):
        for name, value in colours_of(groups).items():
            cells = table[(table["space"] == space) & (groups == name)]
            fig.add_scatter(
                x=cells["x"].round(3),
                y=cells["y"].round(3),
                mode="markers",
                name=class_label(name),
                legendgroup=name,
                showlegend=column == 1,
                customdata=cells[["id"]],
                marker={"size": 4, "color": value, "opacity": 0.7},
                hovertemplate=f"%{{customdata[0]}}, {class_label(name)}<extra></extra>",
                row=1,
                col=column,
            )
        _mark(fig, table[(table["space"] == space) & table["id"].isin(marked)], marked, column)
    finish(fig, height=430, simulated=simulated)
    fig.update_annotations(font_size=13)
    fig.update_xaxes(title_text="UMAP 1 (arbitrary unit)", col=(len(spaces) + 1) // 2)
    fig.update_layout(margin_t=92, legend={"y": 1, "yref": "container", "yanchor": "top", "itemsizing": "constant"})
    fig.update_yaxes(title_text="UMAP 2 (arbitrary unit)", col=1)
    fig.update_xaxes(showticklabels=False, zeroline=False, showgrid=False)
    fig.update_yaxes(showticklabels=False, zeroline=False, showgrid=False)
    return fig


def _mark(fig: go.Figure, cells: pd.DataFrame, marked: Sequence[str], column: int) -> None:
    """Ring the marked cells, the first with a star."""
    if cells.empty:
        return
    fig.add_scatter(
        x=cells["x"],
        y=cells["y"],
        mode="markers",
        name="star: the chosen cell, rings: nearest cells",
        showlegend=column == 1,
        customdata=cells[["id"]],
        marker={
            "symbol": ["star" if cell == marked[0] else "circle-open" for cell in cells["id"]],
            "size": [16 if cell == marked[0] else 13 for cell in cells["id"]],
            "color": POSITIVE,
            "line": {"width": 2, "color": POSITIVE},
        },
        hovertemplate="%{customdata[0]}: the chosen cell or one near it<extra></extra>",
        row=1,
        col=column,
    )
