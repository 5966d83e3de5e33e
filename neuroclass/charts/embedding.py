"""Two-dimensional embeddings side by side."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import category, class_label, colours_of, finish

SPACES: dict[str, str] = {"raw": "Features as measured", "lambda0": "Network without adversary (λ = 0)", "dann": "DANN"}


def panels(table: pd.DataFrame, spaces: Sequence[str], colour: str, simulated: bool = False) -> go.Figure:
    """The same cells in several spaces, one panel each.

    Parameters
    ----------
    table : DataFrame
        Columns ``id``, ``space``, ``x``, ``y`` and the one named by `colour`.
    spaces : sequence of str
        Values of ``space`` to show, left to right.
    colour : str
        Column to colour by.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    titles = [SPACES.get(space, space) for space in spaces]
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
                marker={"size": 4.5, "color": value, "opacity": 0.7},
                hovertemplate=f"%{{customdata[0]}}, {class_label(name)}<extra></extra>",
                row=1,
                col=column,
            )
    finish(fig, height=430, x="UMAP 1 (arbitrary unit)", simulated=simulated)
    fig.update_layout(margin_t=74, legend_y=1.1)
    fig.update_yaxes(title_text="UMAP 2 (arbitrary unit)", col=1)
    fig.update_xaxes(showticklabels=False, zeroline=False)
    fig.update_yaxes(showticklabels=False, zeroline=False)
    return fig


def mixing(table: pd.DataFrame) -> go.Figure:
    """Numbers on mixing of domains and separation of classes, a bar a space.

    Parameters
    ----------
    table : DataFrame
        Columns ``space``, ``measure``, ``value`` and ``chance`` (fractions; the last may be NaN).

    Returns
    -------
    Figure
    """
    measures = list(dict.fromkeys(table["measure"]))
    fig = go.Figure()
    for space, colour in zip(dict.fromkeys(table["space"]), ("#7F7F7F", "#E69F00", "#0072B2"), strict=False):
        rows = table[table["space"] == space]
        fig.add_bar(
            x=rows["measure"],
            y=rows["value"],
            name=SPACES.get(space, space),
            marker_color=colour,
            text=[f"{v:.2f}" for v in rows["value"]],
            hovertemplate="%{x}: %{y:.3f}<extra></extra>",
        )
    chance = table.drop_duplicates("measure").set_index("measure").loc[measures, "chance"]
    fig.add_scatter(
        x=measures,
        y=chance,
        mode="markers",
        name="chance",
        marker={"symbol": "line-ew", "size": 60, "line": {"width": 3, "color": "#C05621"}},
        hovertemplate="chance %{y:.3f}<extra></extra>",
    )
    fig.update_yaxes(range=[0, 1.08])
    return finish(fig, height=340, x="Measure (name)", y="Value (fraction of 1)")
