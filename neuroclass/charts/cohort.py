"""Figures of a cohort's composition and of its features."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import (
    ACCENT,
    PALETTE,
    UNKNOWN,
    category,
    class_label,
    colours_of,
    escape,
    finish,
    ordered,
    own_colour,
    readable_on,
    shown,
    species_groups,
)
from neuroclass.features import BY_NAME

SECOND_LEVEL = {"mouse": "subclass", "human": "dendrite_type"}
MOST_POINTS = 1000  # maximum number of cells drawn as points beside the boxes


def composition(frame: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Cells by species and class; within a class by driver line (mouse), as in the paper's Figures 4 and 5.

    Parameters
    ----------
    frame : DataFrame
        A cohort's `frame`.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
        A bar a class, divided by driver line; lengths are numbers of cells.
    """
    table = composition_table(frame)
    colours = colours_of(table["colour"])
    fig = go.Figure(
        go.Bar(
            x=table["cells"],
            y=[escape(name) for name in table["class"]],
            orientation="h",
            marker={
                "color": [colours[name] for name in table["colour"]],
                "line": {"width": 1, "color": "rgba(255,255,255,0.75)"},
            },
            text=[escape(name) for name in short_lines(table["line"])],
            textposition="inside",
            insidetextanchor="middle",
            insidetextfont={"color": [readable_on(colours[name]) for name in table["colour"]]},
            textangle=0,
            customdata=[escape(line) for line in table["line"]],
            hovertemplate="%{y}<br>%{customdata}: %{x} cells<extra></extra>",
        )
    )
    totals = table.groupby("class", sort=False)["cells"].sum()
    fig.add_scatter(
        x=totals,
        y=[escape(name) for name in totals.index],
        mode="text",
        text=[f"  {n:,}" for n in totals],
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
    )
    fig.update_layout(barmode="stack", uniformtext={"minsize": 11, "mode": "hide"})
    fig.update_yaxes(autorange="reversed")
    return finish(fig, height=80 + 30 * max(3, len(totals)), x="Cells (number)", simulated=simulated, legend=False)


def short_lines(lines: Iterable[str]) -> list[str]:
    """Driver lines by their first word, as ``Rorb``; by two where one says the same of several, as ``Scnn1a-Tg2``."""
    lines = list(lines)
    first = {line: _words(line, 1) for line in lines}
    often = Counter(first[line] for line in set(lines))
    return ["" if line == "unknown" else first[line] if often[first[line]] == 1 else _words(line, 2) for line in lines]


def _words(line: str, number: int) -> str:
    """The first words of each part of a line."""
    return "|".join("-".join(part.split("-")[:number]) for part in line.split("|"))


def composition_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers of cells by species, class and driver line, largest line first within a class.

    Parameters
    ----------
    frame : DataFrame
        A cohort's `frame`.

    Returns
    -------
    DataFrame
        Columns class (with its species), colour (the class that colours it), line and cells. A human cell's class is
        its dendrite type.
    """
    tables = []
    for species in ordered(frame["species"]):
        cells = frame[frame["species"] == species]
        fine = category(cells[SECOND_LEVEL.get(species, "broad")])
        colour = fine if SECOND_LEVEL.get(species) == "subclass" else category(cells["broad"])
        table = pd.DataFrame({"fine": fine, "colour": colour, "line": category(cells["line"])})
        sizes = table.value_counts().rename("cells").reset_index()
        rank = {name: k for k, name in enumerate(ordered(sizes["fine"]))}
        names = [
            class_label(fine) if str(fine) == str(broad) or broad == "unknown" else f"{class_label(broad)} ({fine})"
            for fine, broad in zip(sizes["fine"], sizes["colour"], strict=True)
        ]
        sizes["class"] = [f"{species} {name}" for name in names]
        tables.append(sizes.sort_values(["fine", "cells"], key=lambda c, r=rank: c.map(r) if c.name == "fine" else -c))
    return pd.concat(tables, ignore_index=True)[["class", "colour", "line", "cells"]]


def counts(frame: pd.DataFrame, by: str, colour: str, simulated: bool = False) -> go.Figure:
    """Stacked numbers of cells by one metadata column, coloured by another, one panel per species.

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
    title = f"{by.replace('_', ' ').capitalize()}"
    finish(fig, height=330, x=title, simulated=simulated)
    fig.update_layout(margin_t=70, legend_y=1.12)
    fig.update_yaxes(title_text="Cells (number)", col=1)
    return fig


def distribution(
    frame: pd.DataFrame, feature: str, by: str, simulated: bool = False, own: "pd.Series[Any] | None" = None
) -> go.Figure:
    """A feature's values by group, each species apart: quartile boxes and individual cells.

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
    own : Series, optional
        The feature of the user's cells in its display unit, by name: a line each.

    Returns
    -------
    Figure
    """
    groups, colours = species_groups(frame, by)
    values = shown(frame, feature)
    fig = go.Figure()
    for name, colour in colours.items():
        cells = frame[(groups == name) & values.notna()]
        fig.add_box(
            x=values[cells.index],
            orientation="h",
            name=f"{escape(name)} ({len(cells):,})",
            marker={"color": colour, "size": 3, "opacity": 0.5},
            boxpoints="all" if len(frame) <= MOST_POINTS else "outliers",
            jitter=0.6,
            pointpos=0,
            line_width=1.5,
            fillcolor="rgba(0,0,0,0)",
            customdata=cells[["id"]] if len(frame) <= MOST_POINTS else None,
            hovertemplate="%{customdata[0]}: %{x:.4g}<extra></extra>" if len(frame) <= MOST_POINTS else None,
            showlegend=False,
        )
    ends = [trace.name for trace in fig.data]
    _own_lines(fig, own, [ends[0], ends[-1]] if ends else [])
    by_title = f"{by.replace('_', ' ').capitalize()} (cells)"
    fig.update_yaxes(autorange="reversed")
    height = 120 + 36 * max(4, groups.nunique())
    drawn = own is not None and len(own) > 0
    return finish(fig, height=height, x=BY_NAME[feature].title, y=by_title, simulated=simulated, legend=drawn)


def _own_lines(fig: go.Figure, own: "pd.Series[Any] | None", across: Sequence[Any]) -> None:
    """A line across the plot at each of the user's cells, named in the legend."""
    for k, (name, value) in enumerate({} if own is None else own.items()):
        fig.add_scatter(
            x=[value] * len(across),
            y=list(across),
            mode="lines+markers",
            name=escape(name),
            line={"color": own_colour(k), "width": 2, "dash": "dash"},
            marker={"symbol": "star", "size": 10},
            hovertemplate="%{fullData.name}: %{x:.4g}<extra>own cell</extra>",
        )


def histogram(
    values: "pd.Series[Any]",
    title: str,
    limits: tuple[float, float],
    wanted: tuple[float, float],
    own: "pd.Series[Any] | None" = None,
) -> go.Figure:
    """Numbers of cells over a feature's range, to brush a part of it.

    Parameters
    ----------
    values : Series
        The feature in its display unit.
    title : str
        The feature with its unit.
    limits, wanted : tuple of float
        The whole range, and the part that is chosen.
    own : Series, optional
        The feature of the user's cells in its display unit, by name: a line each.

    Returns
    -------
    Figure
        Bars outside the chosen part are pale.
    """
    numbers, edges = np.histogram(values.dropna(), bins=40, range=limits)
    middle = (edges[:-1] + edges[1:]) / 2
    inside = (middle >= wanted[0]) & (middle <= wanted[1])
    fig = go.Figure(
        go.Bar(
            x=middle,
            y=numbers,
            width=np.diff(edges),
            marker={"color": ACCENT, "opacity": np.where(inside, 0.9, 0.25)},
            hovertemplate="%{x:.4g}: %{y} cells<extra></extra>",
            showlegend=False,
        )
    )
    _own_lines(fig, own, (0, max(1, int(numbers.max(initial=0)))))
    fig.update_layout(dragmode="select", selectdirection="h")
    drawn = own is not None and len(own) > 0
    return finish(fig, height=190 if drawn else 150, x=title, y="Cells", legend=drawn)


def feature_percentiles(table: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Percentiles of a cell's features among the cells of its class.

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
        y=rows["label"] + " (" + rows["stimulus"] + ")",
        mode="markers",
        marker={"size": 9, "color": np.where(extreme, PALETTE[1], ACCENT)},
        customdata=rows[["shown"]],
        hovertemplate="%{y}: %{customdata[0]}, percentile %{x:.0f}<extra></extra>",
    )
    fig.update_xaxes(range=[-3, 103])
    height = max(200, 90 + 19 * len(rows))
    return finish(
        fig, height=height, x="Percentile within its class (%)", y="Feature", simulated=simulated, legend=False
    )
