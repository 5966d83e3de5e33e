"""Figures of a laboratory's offset from the reference, and of what allowing for it changes."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

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
    """Cells by class before and after the laboratory is allowed for.

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
            name=column,
            marker={"color": [COLOURS.get(name, ACCENT) for name in table["class"]], "opacity": opacity},
            text=table[column],
            hovertemplate=f"%{{x}}, {column}: %{{y}} cells<extra></extra>",
        )
    fig.update_layout(barmode="group")
    return finish(fig, height=300, x="Class", y="Cells (number)", legend=False)


def offsets(table: pd.DataFrame) -> go.Figure:
    """Physical parts of a laboratory's offset with their 95% intervals, in mV and as factors.

    Parameters
    ----------
    table : DataFrame
        ``name``, ``unit`` (``mV``, or ``ln`` for the natural logarithm of a factor), ``size``, ``low`` and ``high``.

    Returns
    -------
    Figure
        Two panels, one for each unit; a factor has a logarithmic axis.
    """
    if table.empty:
        return note("None of the measured features moves with a physical offset.")
    fig = make_subplots(rows=1, cols=2, horizontal_spacing=0.3)
    for column, (unit, title) in enumerate((("mV", "Offset (mV)"), ("ln", "Factor (ratio)")), start=1):
        rows = table[table["unit"] == unit]
        values = rows[["size", "low", "high"]].to_numpy(dtype=np.float64)
        size, low, high = (np.exp(values) if unit == "ln" else values).T
        fig.add_scatter(
            x=size,
            y=[escape(name) for name in rows["name"]],
            mode="markers",
            marker={"size": 10, "color": ACCENT},
            error_x={"type": "data", "symmetric": False, "array": high - size, "arrayminus": size - low},
            customdata=np.stack([low, high], axis=1),
            hovertemplate="%{y}: %{x:.2f} (95%: %{customdata[0]:.2f} to %{customdata[1]:.2f})<extra></extra>",
            row=1,
            col=column,
        )
        fig.add_vline(x=1 if unit == "ln" else 0, line={"dash": "dot", "width": 1, "color": UNKNOWN}, row=1, col=column)
        fig.update_xaxes(title=title, type="log" if unit == "ln" else "linear", row=1, col=column)
    return finish(fig, height=260, legend=False)


def proportions(table: pd.DataFrame) -> go.Figure:
    """Estimated composition of a batch with its 95% intervals.

    Parameters
    ----------
    table : DataFrame
        ``class``, ``share``, ``low`` and ``high``, fractions of cells; empty where it cannot be estimated.

    Returns
    -------
    Figure
    """
    if table.empty:
        return note("The composition of this batch cannot be estimated.")
    fig = go.Figure()
    fig.add_bar(
        x=[class_label(name) for name in table["class"]],
        y=table["share"],
        marker={"color": [COLOURS.get(name, ACCENT) for name in table["class"]]},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": table["high"] - table["share"],
            "arrayminus": table["share"] - table["low"],
        },
        customdata=table[["low", "high"]],
        hovertemplate="%{x}: %{y:.2f} (95%: %{customdata[0]:.2f} to %{customdata[1]:.2f})<extra></extra>",
    )
    fig.update_yaxes(rangemode="tozero")
    return finish(fig, height=260, x="Class", y="Share (fraction of cells)", legend=False)
