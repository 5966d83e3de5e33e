"""The same kind of sweep for several cells, side by side on one scale."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import ACCENT, escape, finish, lines, note
from neuroclass.charts.traces import Mark, Trace, crop, envelope

POINTS_A_PANEL = 1200
MOST_TRACES = 8
_TITLE_WIDTH, _LINE_PX = 15, 16


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
    """

    title: str
    subtitle: str
    traces: tuple[Trace, ...]
    marks: tuple[Mark, ...] = ()
    window: tuple[float, float] = (-0.02, 0.03)
    simulated: bool = False
    colour: str = ""


def aligned(trace: Trace, zero_s: float) -> Trace:
    """The same sweep with its time axis shifted so that `zero_s` becomes 0."""
    return replace(trace, start_s=trace.start_s - zero_s)


def side_by_side(panels: Sequence[Panel], aligned_on: str, height: int = 420) -> go.Figure:
    """Draw each cell's sweeps above their stimuli, all on the same axes.

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
        Membrane potential in mV, current in pA, time in ms.
    """
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
