"""Two-dimensional embeddings side by side."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import POSITIVE, category, class_label, colours_of, finish

SPACES: dict[str, str] = {"raw": "Input features", "lambda0": "No adversary (λ = 0)", "dann": "DANN"}
_FRAME = "rgba(127,139,146,0.35)"
PANEL_PX = 260


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
    fig = make_subplots(1, len(spaces), subplot_titles=_titles(spaces), horizontal_spacing=0.03)
    _points(fig, table, spaces, colour, row=1)
    for column, space in enumerate(spaces, start=1):
        _mark(fig, table[(table["space"] == space) & table["id"].isin(marked)], marked, column)
    finish(fig, height=400, simulated=simulated)
    fig.update_layout(margin={"t": 48, "l": 14}, legend={"y": -0.03, "yanchor": "top", "itemsizing": "constant"})
    return _framed(fig)


def aligned(table: pd.DataFrame, spaces: Sequence[str], colours: Mapping[str, str]) -> go.Figure:
    """The same cells in several spaces, a row of panels for each colouring, with its own legend below.

    Parameters
    ----------
    table : DataFrame
        Columns ``id``, ``space``, ``x``, ``y`` and those of `colours`.
    spaces : sequence of str
        Values of ``space`` to show, left to right.
    colours : mapping of str to str
        Columns to colour by, from top to bottom, with the titles of their rows.

    Returns
    -------
    Figure
    """
    gap = 44 / (len(colours) * PANEL_PX + (len(colours) - 1) * 44)
    fig = make_subplots(
        len(colours), len(spaces), subplot_titles=_titles(spaces), horizontal_spacing=0.03, vertical_spacing=gap
    )
    finish(fig, height=48 + len(colours) * (PANEL_PX + 44))
    for row, (column, title) in enumerate(colours.items(), start=1):
        legend = f"legend{row + 1}"
        _points(fig, table, spaces, column, row, legend)
        low = next(fig.select_yaxes(row=row, col=1)).domain[0]
        place = {"orientation": "h", "x": 0, "y": low - 0.2 * gap, "yanchor": "top", "itemsizing": "constant"}
        fig.update_layout({legend: {**place, "bgcolor": "rgba(0,0,0,0)"}})
        fig.update_yaxes(title_text=title, row=row, col=1)
    fig.update_layout(margin={"t": 48, "b": 40})
    return _framed(fig)


def _titles(spaces: Sequence[str]) -> list[str]:
    return [space_title(space).replace(" (", "<br>(").replace(" with ", "<br>") for space in spaces]


def _framed(fig: go.Figure) -> go.Figure:
    """Frames in place of axes: a map's coordinates have no unit and no meaning of their own."""
    fig.update_annotations(font_size=13, yshift=7)
    bare = {"showticklabels": False, "ticks": "", "zeroline": False, "showgrid": False}
    frame = {"showline": True, "mirror": True, "linewidth": 1, "linecolor": _FRAME}
    fig.update_xaxes(**bare, **frame)
    fig.update_yaxes(**bare, **frame)
    return fig.for_each_yaxis(lambda axis: axis.update(automargin=bool(axis.title.text)))


def _points(
    fig: go.Figure, table: pd.DataFrame, spaces: Sequence[str], colour: str, row: int, legend: str = "legend"
) -> None:
    """A row of panels, coloured by a column."""
    groups = category(table[colour])
    for column, space in enumerate(spaces, start=1):
        for name, value in colours_of(groups).items():
            cells = table[(table["space"] == space) & (groups == name)]
            fig.add_scatter(
                x=cells["x"].round(3),
                y=cells["y"].round(3),
                mode="markers",
                name=class_label(name),
                legend=legend,
                legendgroup=name,
                showlegend=column == 1,
                customdata=cells[["id"]],
                marker={"size": 4, "color": value, "opacity": 0.75},
                hovertemplate=f"%{{customdata[0]}}, {class_label(name)}<extra></extra>",
                row=row,
                col=column,
            )


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
