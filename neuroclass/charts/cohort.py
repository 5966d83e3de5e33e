"""Figures of a cohort's composition and of its features."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import UNKNOWN, category, class_label, colours_of, escape, finish, ordered, shown
from neuroclass.features import BY_NAME

SECOND_LEVEL = {"mouse": "subclass", "human": "dendrite_type"}
SPECIES_GREY = "#8A979E"
MOST_POINTS = 1000  # maximum number of cells drawn as points beside the boxes


def composition(frame: pd.DataFrame, species: str, simulated: bool = False) -> go.Figure:
    """Cells of one species by broad class, then by subclass (mouse) or dendrite type (human).

    Parameters
    ----------
    frame : DataFrame
        A cohort's `frame`.
    species : str
        ``mouse`` or ``human``.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
        An icicle chart; areas are numbers of cells.
    """
    table = composition_table(frame[frame["species"] == species], SECOND_LEVEL[species])
    fig = go.Figure(
        go.Icicle(
            ids=["all", *table["path"]],
            labels=[escape(species), *table["label"]],
            parents=["", *(parent or "all" for parent in table["parent"])],
            values=[int(table.loc[table["parent"] == "", "cells"].sum()), *table["cells"]],
            marker={"colors": [SPECIES_GREY, *table["colour"]], "line": {"width": 1.5, "color": "white"}},
            branchvalues="total",
            tiling={"orientation": "h", "pad": 1},
            texttemplate="%{label}<br><b>%{value}</b> cells",
            hovertemplate="%{label}: %{value} cells, %{percentRoot:.1%} of the species' cells<extra></extra>",
            pathbar={"visible": False},
            sort=False,
        )
    )
    return finish(fig, height=420 if species == "mouse" else 200, simulated=simulated, legend=False)


def composition_table(cells: pd.DataFrame, second: str) -> pd.DataFrame:
    """Numbers of cells by broad class and a label within it, one row per node.

    Parameters
    ----------
    cells : DataFrame
        Cells of one species.
    second : str
        ``subclass`` or ``dendrite_type``.

    Returns
    -------
    DataFrame
        Columns path, parent, label, cells and colour.
    """
    broad, fine = category(cells["broad"]), category(cells[second])
    colours = colours_of([*broad, *fine]) if second == "subclass" else colours_of(broad)
    rows = []
    for name in ordered(broad):
        rows.append((name, "", class_label(name), int((broad == name).sum()), colours[name]))
        for part in ordered(fine[broad == name]):
            n_cells = int(((broad == name) & (fine == part)).sum())
            rows.append((f"{name}/{part}", name, class_label(part), n_cells, colours.get(part, colours[name])))
    return pd.DataFrame(rows, columns=["path", "parent", "label", "cells", "colour"])


def lines(frame: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Mouse cells by driver line, grouped and coloured by subclass, as in the paper's Figure 4.

    Parameters
    ----------
    frame : DataFrame
        A cohort's `frame`.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    table = line_table(frame)
    fig = go.Figure()
    for name, colour in colours_of(table["subclass"]).items():
        rows = table[table["subclass"] == name]
        fig.add_bar(
            x=rows["cells"],
            y=[escape(line) for line in rows["line"]],
            orientation="h",
            name=class_label(name),
            marker_color=colour,
            text=rows["cells"],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}, {class_label(name)}: %{{x}} cells<extra></extra>",
        )
    fig.update_yaxes(autorange="reversed", tickfont_size=11)
    return finish(
        fig, height=100 + 19 * max(5, len(table)), x="Cells (number)", y="Driver line (name)", simulated=simulated
    )


def line_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers of mouse cells by subclass and driver line, largest line first within a subclass."""
    cells = frame[frame["species"] == "mouse"]
    sizes = pd.DataFrame({"subclass": category(cells["subclass"]), "line": category(cells["line"])}).value_counts()
    table = sizes.rename("cells").reset_index()
    rank = {name: k for k, name in enumerate(ordered(table["subclass"]))}
    return table.sort_values(
        ["subclass", "cells"], key=lambda c: c.map(rank) if c.name == "subclass" else -c
    ).reset_index(drop=True)


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
    title = f"{by.replace('_', ' ').capitalize()} (name)"
    finish(fig, height=330, x=title, simulated=simulated)
    fig.update_layout(margin_t=70, legend_y=1.12)
    fig.update_yaxes(title_text="Cells (number)", col=1)
    return fig


def distribution(frame: pd.DataFrame, feature: str, by: str, simulated: bool = False) -> go.Figure:
    """A feature's values by group: quartile boxes and individual cells.

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
            boxpoints="all" if len(frame) <= MOST_POINTS else "outliers",
            jitter=0.6,
            pointpos=0,
            line_width=1.5,
            fillcolor="rgba(0,0,0,0)",
            customdata=cells[["id"]] if len(frame) <= MOST_POINTS else None,
            hovertemplate="%{customdata[0]}: %{y:.4g}<extra></extra>" if len(frame) <= MOST_POINTS else None,
        )
    by_title = f"{by.replace('_', ' ').capitalize()} (number of cells)"
    return finish(fig, height=360, x=by_title, y=BY_NAME[feature].title, simulated=simulated, legend=False)


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
