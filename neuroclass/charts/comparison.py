"""The same measurement in several cells: sweeps side by side, or the lines whose slope it is on one axis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.cell_plots import ASIDE, Axis
from neuroclass.charts.theme import ACCENT, escape, finish, lines, note
from neuroclass.charts.traces import Mark, Trace, crop, envelope
from neuroclass.types.arrays import Floats, Integers, Mask

POINTS_A_PANEL = 1200
MOST_TRACES = 8
_TITLE_WIDTH, _LINE_PX = 26, 16


@dataclass(frozen=True, eq=False)
class Points:
    """Points, one per sweep, and the line whose slope is a feature.

    Attributes
    ----------
    x, y : ndarray, shape (n_points,)
        The points.
    sweeps : ndarray of int, shape (n_points,)
        Sweep of each.
    fitted : ndarray of bool, shape (n_points,)
        Which the line was fitted to.
    line : tuple of float
        Slope and intercept.
    axes : tuple of Axis
        Horizontal and vertical.
    """

    x: Floats
    y: Floats
    sweeps: Integers
    fitted: Mask
    line: tuple[float, float]
    axes: tuple[Axis, Axis]


@dataclass(frozen=True)
class Panel:
    """One cell's part of the figure.

    Attributes
    ----------
    title, subtitle : str
        The cell, and its value of the feature.
    traces : tuple of Trace
        The sweeps; the panels are aligned on time 0 s.
    marks : tuple of Mark
        Marks of the measured points, on the same time axis.
    window : tuple of float
        Start and end of the drawn window, s.
    simulated : bool
        Whether the cell is simulated.
    colour : str
        Its class' colour; empty for the cell in question, whose class is not known.
    points : Points, optional
        The line whose slope the feature is; drawn instead of the sweeps where every cell has one.
    """

    title: str
    subtitle: str
    traces: tuple[Trace, ...]
    marks: tuple[Mark, ...] = ()
    window: tuple[float, float] = (-0.02, 0.03)
    simulated: bool = False
    colour: str = ""
    points: Points | None = None


def aligned(trace: Trace, zero_s: float) -> Trace:
    """The same sweep with its time axis shifted so that `zero_s` becomes 0."""
    return replace(trace, start_s=trace.start_s - zero_s)


def side_by_side(panels: Sequence[Panel], aligned_on: str, height: int = 420) -> go.Figure:
    """Draw each cell's sweeps above their stimuli, all on the same axes; of a slope, every cell's points and line.

    Parameters
    ----------
    panels : sequence of Panel
        The cell in question first.
    aligned_on : str
        Event at time 0, for the axis title.
    height : int
        Height, px.

    Returns
    -------
    Figure
        Membrane potential in mV, current in pA, time in ms; of a slope, its own axes.
    """
    if panels and all(panel.points for panel in panels):
        return _together(panels, height)
    if not any(panel.traces for panel in panels):
        return note("No sweep to compare.")
    titles = [_title(panel, _TITLE_WIDTH if len(panels) > 1 else 60) for panel in panels]
    fig = make_subplots(
        2,
        len(panels),
        shared_xaxes="columns",
        shared_yaxes="rows",
        row_heights=[0.76, 0.24],
        vertical_spacing=0.05,
        horizontal_spacing=0.025,
        column_titles=titles,
    )
    for column, panel in enumerate(panels, start=1):
        _draw(fig, panel, column, panel.colour or ACCENT)
    finish(fig, height=height, legend=False)
    fig.update_layout(margin={"t": 42 + _LINE_PX * max(title.count("<br>") for title in titles)})
    fig.update_annotations(font_size=12)
    fig.update_xaxes(title_text=f"Time from {aligned_on} (ms)", row=2, col=(len(panels) + 1) // 2)
    fig.update_xaxes(nticks=4)
    fig.update_yaxes(title_text="Membrane potential (mV)", row=1, col=1)
    fig.update_yaxes(title_text="Stimulus (pA)", nticks=4, row=2, col=1)
    return fig


def _together(panels: Sequence[Panel], height: int) -> go.Figure:
    """Every cell's points and line on one pair of axes, dotted but for the first; open circles were not fitted."""
    fig = go.Figure()
    for panel in panels:
        points, colour, first = panel.points, panel.colour or ACCENT, panel is panels[0]
        if points is None or not points.fitted.any():
            continue
        made = f"{panel.title} (simulated)" if panel.simulated else panel.title
        used = points.x[points.fitted]
        near = points.x >= used.min() - ASIDE * float(np.ptp(used))
        ends = np.array([points.x[points.fitted].min(), points.x[points.fitted].max()])
        fig.add_scatter(
            x=ends,
            y=points.line[0] * ends + points.line[1],
            mode="lines",
            line={"color": colour, "width": 2.5 if first else 1.8, "dash": "solid" if first else "dot"},
            name=escape(f"{made}: {panel.subtitle.split(': ')[-1]}"),
            legendgroup=panel.title,
            hoverinfo="skip",
        )
        for mask, symbol in ((points.fitted, "circle"), (~points.fitted & near, "circle-open")):
            fig.add_scatter(
                x=points.x[mask],
                y=points.y[mask],
                mode="markers",
                marker={"symbol": symbol, "size": 8 if first else 6, "color": colour},
                legendgroup=panel.title,
                showlegend=False,
                customdata=points.sweeps[mask][:, None],
                hovertemplate=f"{escape(made)}, sweep %{{customdata[0]}}: %{{x:.1f}} {points.axes[0].unit}, "
                f"%{{y:.1f}} {points.axes[1].unit}<extra></extra>",
            )
    axes = next(panel.points.axes for panel in panels if panel.points is not None)
    return finish(fig, height=height, x=axes[0].text, y=axes[1].text)


def _title(panel: Panel, width: int) -> str:
    made = lines(f"{panel.title} (simulated)" if panel.simulated else panel.title, width)
    return f"<b>{made}</b><br>{lines(panel.subtitle, width)}"


def _draw(fig: go.Figure, panel: Panel, column: int, colour: str) -> None:
    for trace in panel.traces[:MOST_TRACES]:
        part = crop(trace, *panel.window)
        if part.v_mv.size == 0:
            continue
        for row, values, unit in ((1, part.v_mv, "mV"), (2, part.i_pa, "pA")):
            index, kept = envelope(values, POINTS_A_PANEL if len(panel.traces) < 3 else POINTS_A_PANEL // 2)
            fig.add_scatter(
                x=((part.start_s + index / part.rate_hz) * 1e3).round(4),
                y=kept.round(3),
                mode="lines",
                line={"width": 1.2, "color": colour},
                opacity=1.0 if len(panel.traces) == 1 else 0.7,
                name=escape(trace.name),
                hovertemplate=f"{escape(trace.name)}: %{{x:.2f}} ms, %{{y:.2f}} {unit}<extra></extra>",
                row=row,
                col=column,
            )
    for mark in panel.marks:
        fig.add_scatter(
            x=[t * 1e3 for t in mark.t],
            y=list(mark.v),
            mode="markers",
            name=escape(mark.name),
            marker={"symbol": mark.symbol, "size": 9, "color": mark.colour, "line": {"width": 1, "color": "white"}},
            hovertemplate=f"{escape(mark.name)}: %{{x:.2f}} ms, %{{y:.2f}} mV<extra></extra>",
            row=1,
            col=column,
        )
