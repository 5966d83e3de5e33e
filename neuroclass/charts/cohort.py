"""Figures of a cohort's composition and of its features."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import UNKNOWN, category, class_label, colours_of, escape, finish, ordered, shown
from neuroclass.features import BY_NAME


def composition(frame: pd.DataFrame, species: str, simulated: bool = False) -> go.Figure:
    """Cells of one species by broad class, subclass and driver line, as the paper's Figure 4.

    Parameters
    ----------
    frame : DataFrame
        A cohort's `frame`.
    species : str
        ``mouse`` or ``human``; human cells are shown by dendrite type, having no driver line.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
        An icicle whose areas are numbers of cells.
    """
    cells = frame[frame["species"] == species]
    levels = ("broad", "dendrite_type") if species == "human" else ("broad", "subclass", "line")
    table = composition_table(cells, levels)
    fig = go.Figure(
        go.Icicle(
            ids=table["path"],
            labels=table["label"],
            parents=table["parent"],
            values=table["cells"],
            marker={"colors": table["colour"], "line": {"width": 1.5, "color": "white"}},
            branchvalues="total",
            tiling={"orientation": "h", "pad": 1},
            texttemplate="%{label}  <b>%{value}</b>",
            hovertemplate="%{label}: %{value} cells, %{percentRoot:.1%} of the species' labelled cells<extra></extra>",
            pathbar={"visible": False},
            sort=False,
        )
    )
    return finish(fig, height=max(190, 20 * len(table)) if species == "mouse" else 190, simulated=simulated, legend=False)


def composition_table(cells: pd.DataFrame, levels: Sequence[str]) -> pd.DataFrame:
    """Numbers of cells by nested labels: path, parent, label, cells and colour, one row a node."""
    text = pd.DataFrame({level: category(cells[level]) for level in levels})
    rows = []
    for depth in range(1, len(levels) + 1):
        for key, cells_here in text.groupby(list(levels[:depth]), sort=False).size().items():
            names = (key,) if isinstance(key, str) else tuple(key)
            coloured = names[min(depth, 2) - 1] if levels[1] == "subclass" else names[0]
            rows.append(
                {
                    "path": "/".join(names),
                    "parent": "/".join(names[:-1]),
                    "label": class_label(names[-1]),
                    "cells": int(cells_here),
                    "colour": colours_of([coloured])[coloured],
                    "rank": (depth, ordered([names[0], coloured]).index(coloured), -int(cells_here)),
                }
            )
    columns = ["path", "parent", "label", "cells", "colour", "rank"]
    return pd.DataFrame(rows, columns=columns).sort_values("rank", ignore_index=True).drop(columns="rank")


def counts(frame: pd.DataFrame, by: str, colour: str, simulated: bool = False) -> go.Figure:
    """Stacked numbers of cells by one metadata column, coloured by another, a panel a species.

    Parameters
    ----------
    frame : DataFrame
        A cohort's `frame`.
    by, colour : str
        Metadata columns.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    species = ordered(frame["species"])
    fig = make_subplots(1, max(1, len(species)), subplot_titles=[escape(s) for s in species], horizontal_spacing=0.08)
    colours = colours_of(category(frame[colour]))
    named: set[str] = set()
    for column, name in enumerate(species, start=1):
        cells = frame[frame["species"] == name]
        table = pd.crosstab(category(cells[by]), category(cells[colour]))
        table = table.reindex(index=ordered(table.index), columns=ordered(table.columns))
        for value in table.columns:
            fig.add_bar(
                x=list(table.index),
                y=table[value],
                name=class_label(value),
                marker_color=colours[value],
                legendgroup=value,
                showlegend=value not in named,
                hovertemplate=f"{escape(by)} %{{x}}, {class_label(value)}: %{{y}} cells<extra></extra>",
                row=1,
                col=column,
            )
            named.add(value)
    fig.update_layout(barmode="stack")
    fig.update_xaxes(type="category")
    title = f"{by.replace('_', ' ').capitalize()} (name)"
    finish(fig, height=330, x=title, simulated=simulated)
    fig.update_layout(margin_t=70, legend_y=1.12)
    fig.update_yaxes(title_text="Cells (number)", col=1)
    return fig


def scatter(
    points: pd.DataFrame,
    *,
    titles: tuple[str, str],
    colour: str,
    selected: Collection[str] = (),
    simulated: bool = False,
    height: int = 520,
) -> go.Figure:
    """Cells as points, coloured by a metadata column.

    Parameters
    ----------
    points : DataFrame
        Columns ``id``, ``x``, ``y`` (shown units) and the one named by `colour`.
    titles : tuple of str
        Axis titles with units.
    colour : str
        Column to colour by.
    selected : collection of str
        Ids to ring.
    simulated : bool
        Whether the cells are simulated.
    height : int
        Height, px.

    Returns
    -------
    Figure
        Every point carries its id as customdata.
    """
    groups = category(points[colour])
    fig = go.Figure()
    for name, value in colours_of(groups).items():
        cells = points[groups == name]
        fig.add_scatter(
            x=cells["x"],
            y=cells["y"],
            mode="markers",
            name=class_label(name),
            customdata=cells[["id"]],
            marker={"color": value, "size": 6.5, "opacity": 0.75, "line": {"width": 0}},
            unselected={"marker": {"opacity": 0.15}},
            hovertemplate=f"%{{customdata[0]}}, {class_label(name)}<br>x %{{x:.4g}}, y %{{y:.4g}}<extra></extra>",
        )
    ringed = points[points["id"].isin(list(selected))]
    if len(ringed):
        fig.add_scatter(
            x=ringed["x"],
            y=ringed["y"],
            mode="markers",
            name="selected",
            customdata=ringed[["id"]],
            marker={"size": 13, "symbol": "circle-open", "color": "#111111", "line": {"width": 2}},
            hovertemplate="%{customdata[0]}<extra>selected</extra>",
        )
    fig.update_layout(dragmode="zoom")
    return finish(fig, height=height, x=titles[0], y=titles[1], simulated=simulated)


def distribution(frame: pd.DataFrame, feature: str, by: str, simulated: bool = False) -> go.Figure:
    """A feature's values by group: quartile box and every cell.

    Parameters
    ----------
    frame : DataFrame
        A cohort's `frame`.
    feature : str
        A feature's name.
    by : str
        Metadata column to group by.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    groups, values = category(frame[by]), shown(frame, feature)
    fig = go.Figure()
    for name, colour in colours_of(groups).items():
        cells = frame[(groups == name) & values.notna()]
        fig.add_box(
            y=values[cells.index],
            name=f"{class_label(name)} ({len(cells)})",
            marker={"color": colour, "size": 3, "opacity": 0.5},
            boxpoints="all" if len(frame) <= 3000 else "outliers",
            jitter=0.6,
            pointpos=0,
            line_width=1.5,
            fillcolor="rgba(0,0,0,0)",
            customdata=cells[["id"]],
            hovertemplate="%{customdata[0]}: %{y:.4g}<extra></extra>",
        )
    by_title = f"{by.replace('_', ' ').capitalize()} (number of cells)"
    return finish(
        fig, height=360, x=by_title, y=BY_NAME[feature].title, simulated=simulated, legend=False
    )


def feature_percentiles(table: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Where a cell's features stand among the cells of its class.

    Parameters
    ----------
    table : DataFrame
        Columns ``label``, ``stimulus``, ``percentile`` (0–100, NaN where missing) and ``shown`` (value with unit).
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    rows = table[table["percentile"].notna()].iloc[::-1]
    extreme = np.abs(rows["percentile"] - 50) >= 45
    fig = go.Figure()
    fig.add_vrect(x0=25, x1=75, fillcolor=UNKNOWN, opacity=0.18, line_width=0)
    fig.add_scatter(
        x=rows["percentile"],
        y=rows["label"] + ", " + rows["stimulus"],
        mode="markers",
        marker={"size": 9, "color": np.where(extreme, "#D55E00", "#0072B2")},
        customdata=rows[["shown"]],
        hovertemplate="%{y}: %{customdata[0]}, percentile %{x:.0f}<extra></extra>",
    )
    fig.update_xaxes(range=[-3, 103])
    height = max(200, 90 + 19 * len(rows))
    return finish(
        fig, height=height, x="Percentile within its class (%)", y="Feature (name)", simulated=simulated, legend=False
    )
