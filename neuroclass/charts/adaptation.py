"""Figures of a laboratory's shift against the reference, and of what alignment changes."""

import pandas as pd
import plotly.graph_objects as go

from neuroclass.cell_types import COLOURS
from neuroclass.charts.evidence import feature_name
from neuroclass.charts.theme import ACCENT, UNKNOWN, class_label, escape, finish, note

SIGNIFICANT = 0.05


def shifts(table: pd.DataFrame, n_shown: int = 20) -> go.Figure:
    """Mean percentile of the batch's values among the reference cells, largest shift first.

    Parameters
    ----------
    table : DataFrame
        Columns ``feature``, ``species``, ``percentile`` (0 to 100), ``p`` (corrected) and ``n_cells``; rows in order.
    n_shown : int
        Number of features shown, ranked by the first species.

    Returns
    -------
    Figure
        One dot per species; filled if p < 0.05.
    """
    if table.empty:
        return note("No feature has ten values, so none can be compared.")
    names = list(dict.fromkeys(table["feature"]))[:n_shown][::-1]
    fig = go.Figure()
    for species, symbol in zip(dict.fromkeys(table["species"]), ("circle", "diamond"), strict=False):
        rows = table[(table["species"] == species) & table["feature"].isin(names)]
        colour = COLOURS.get(species, ACCENT)
        fig.add_scatter(
            x=rows["percentile"],
            y=[escape(feature_name(f)) for f in rows["feature"]],
            mode="markers",
            name=f"against {escape(species)}",
            marker={
                "symbol": [symbol if p < SIGNIFICANT else f"{symbol}-open" for p in rows["p"]],
                "size": 10,
                "color": colour,
                "line": {"width": 1.5, "color": colour},
            },
            customdata=rows[["p", "n_cells"]],
            hovertemplate=f"%{{y}}: %{{x:.0f}}th percentile of {escape(species)} cells, p = %{{customdata[0]:.2g}}, "
            "%{customdata[1]} cells<extra></extra>",
        )
    fig.add_vline(x=50, line={"dash": "dot", "width": 1, "color": UNKNOWN})
    fig.update_xaxes(range=[0, 100])
    fig.update_yaxes(categoryorder="array", categoryarray=[escape(feature_name(f)) for f in names])
    return finish(fig, height=120 + 22 * len(names), x="Mean percentile among the reference's cells (%)", y="Feature")


def relabelled(table: pd.DataFrame) -> go.Figure:
    """Cells by class before and after alignment.

    Parameters
    ----------
    table : DataFrame
        Columns ``class``, ``before`` and ``after``, numbers of cells.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    for column, opacity in (("before", 0.45), ("after", 1.0)):
        fig.add_bar(
            x=[class_label(name) for name in table["class"]],
            y=table[column],
            name=f"{column} alignment",
            marker={"color": [COLOURS.get(name, ACCENT) for name in table["class"]], "opacity": opacity},
            text=table[column],
            hovertemplate=f"%{{x}}, {column}: %{{y}} cells<extra></extra>",
        )
    fig.update_layout(barmode="group")
    return finish(fig, height=300, x="Class", y="Cells (number)", legend=False)
