"""Figures of what one reason was measured on: a sweep above its stimulus, and the measurement beside it."""

import re
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.cell_plots import ASIDE, ROOM
from neuroclass.charts.comparison import Panel, Points
from neuroclass.charts.theme import ACCENT, POSITIVE, SIMULATED_NOTE, escape, finish, lines
from neuroclass.charts.traces import Curve, Trace, crop, envelope

MARKER_MS = 8.0
"""Half width of the band that shows on the sweep where the spike is, ms."""
_OTHERS = 0.35
_TITLE_WIDTH, _LINE_PX = 32, 16
_HEADROOM = 0.08
"""Room below and above a sweep, of its range."""
_STAR = {"symbol": "star", "size": 13, "color": POSITIVE, "line": {"width": 1, "color": "white"}}


def decisive_spike(
    trace: Trace,
    panel: Panel,
    spike_s: float,
    reason: str,
    height: int = 330,
    aligned_on: str = "peak",
    curves: Sequence[Curve] = (),
    in_current: bool = False,
) -> go.Figure:
    """A whole sweep above its stimulus, and beside it the spike, or the other samples, that a reason was measured on.

    Parameters
    ----------
    trace : Trace
        The sweep.
    panel : Panel
        The spike, with its marks, on a time axis with 0 at its peak.
    spike_s : float
        Time of that peak on the sweep's axis, s.
    reason : str
        The feature and its value.
    height : int
        Height, px.
    aligned_on : str
        The event at time 0 of the panel.
    curves : sequence of Curve
        Fits and levels to draw over the samples, on the panel's axis.
    in_current : bool
        Whether the feature is read off the stimulus, which is then marked where the potential is.

    Returns
    -------
    Figure
    """
    fig = _sweep(trace, reason)
    for other in panel.traces[1:]:
        _line(fig, crop(other, *panel.window), opacity=_OTHERS)
    _line(fig, crop(panel.traces[0], *panel.window))
    half = MARKER_MS * 1e-3
    low, high = min(panel.window[0], -half), max(panel.window[1], half)
    low, high = max(0.0, spike_s + low), min(trace.v_mv.size / trace.rate_hz, spike_s + high)
    fig.add_vrect(x0=low, x1=high, fillcolor=POSITIVE, opacity=0.25, line_width=0, row=1, col=1)
    for curve in curves:
        fig.add_scatter(
            x=[t * 1e3 for t in curve.t],
            y=np.round(curve.v, 3),
            mode="lines",
            name=escape(curve.name),
            line={"width": 2.5, "color": curve.colour, "dash": curve.dash},
            hovertemplate=f"{escape(curve.name)}: %{{y:.1f}} mV<extra></extra>",
            row=1,
            col=2,
        )
    for mark in panel.marks:
        times = [spike_s + t for t in mark.t[:1]] if in_current else []
        _mark(fig, mark.name, mark.symbol, [t * 1e3 for t in mark.t], list(mark.v), (1, 2), ("ms", "mV"))
        _mark(fig, mark.name, mark.symbol, times, _at(trace, times), (2, 1), ("s", "pA"))
    fig.update_xaxes(title_text=f"Time from {aligned_on} (ms)", row=1, col=2)
    return _finished(fig, height, panel.simulated)


def decisive_line(trace: Trace, points: Points, shown: int, reason: str, height: int, simulated: bool) -> go.Figure:
    """A whole sweep above its stimulus, and beside it the line that a reason is the slope of, with the sweep's point.

    Parameters
    ----------
    trace : Trace
        The sweep.
    points : Points
        The line and its points.
    shown : int
        Number of the sweep, whose point is a star.
    reason : str
        The feature and its value.
    height : int
        Height, px.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    fig = _sweep(trace, reason)
    used, star = points.fitted, points.sweeps == shown
    ends = np.array([points.x[used].min(), points.x[used].max()])
    fig.add_scatter(
        x=ends,
        y=points.line[0] * ends + points.line[1],
        mode="lines",
        line={"color": POSITIVE, "dash": "dash", "width": 1.5},
        hoverinfo="skip",
        row=1,
        col=2,
    )
    for mask, marker in (
        (used & ~star, {"symbol": "circle", "size": 7, "color": ACCENT}),
        (~used & ~star, {"symbol": "circle-open", "size": 7, "color": ACCENT}),
        (star, _STAR),
    ):
        fig.add_scatter(
            x=points.x[mask],
            y=points.y[mask],
            mode="markers",
            customdata=points.sweeps[mask][:, None],
            marker=marker,
            hovertemplate=f"sweep %{{customdata[0]}}: %{{x:.1f}} {points.axes[0].unit}, %{{y:.1f}} "
            f"{points.axes[1].unit}<extra></extra>",
            row=1,
            col=2,
        )
    low, high = ends[0] - ASIDE * float(np.ptp(ends)), ends[1]
    room = ROOM * (high - low)
    fig.update_xaxes(title_text=points.axes[0].text, range=[low - room, high + room], row=1, col=2)
    fig.update_yaxes(title_text=points.axes[1].text, row=1, col=2)
    return _finished(fig, height, simulated)


def _sweep(trace: Trace, reason: str) -> go.Figure:
    """A sweep above its stimulus at the left, and room for a reason at the right."""
    fig = make_subplots(
        2,
        2,
        specs=[[{}, {"rowspan": 2}], [{}, None]],
        column_widths=[0.57, 0.43],
        row_heights=[0.75, 0.25],
        horizontal_spacing=0.13,
        vertical_spacing=0.07,
        column_titles=[escape(_minus(trace.name)), f"<b>{lines(_minus(reason), _TITLE_WIDTH)}</b>"],
    )
    for row, values, unit in ((1, trace.v_mv, "mV"), (2, trace.i_pa, "pA")):
        index, kept = envelope(values)
        fig.add_scatter(
            x=(trace.start_s + index / trace.rate_hz).round(4),
            y=kept.round(2),
            mode="lines",
            line={"width": 1.2, "color": ACCENT},
            hovertemplate=f"%{{x:.3f}} s, %{{y:.1f}} {unit}<extra></extra>",
            row=row,
            col=1,
        )
    fig.update_xaxes(showticklabels=False, row=1, col=1)
    fig.update_xaxes(matches="x", title_text="Time (s)", row=2, col=1)
    low, high = float(np.nanmin(trace.v_mv)), float(np.nanmax(trace.v_mv))
    room = _HEADROOM * max(high - low, 1.0)
    fig.update_yaxes(title_text="Potential (mV)", range=[low - room, high + room], row=1, col=1)
    return fig.update_yaxes(title_text="I (pA)", nticks=3, row=2, col=1)


def _line(fig: go.Figure, trace: Trace, opacity: float = 1.0) -> None:
    index, kept = envelope(trace.v_mv)
    fig.add_scatter(
        x=((trace.start_s + index / trace.rate_hz) * 1e3).round(4),
        y=kept.round(2),
        mode="lines",
        line={"width": 1.2, "color": ACCENT},
        opacity=opacity,
        hovertemplate="%{x:.2f} ms, %{y:.1f} mV<extra></extra>",
        row=1,
        col=2,
    )


def _at(trace: Trace, times: Sequence[float]) -> list[float]:
    """The stimulus at some times of the sweep's axis, pA."""
    last = trace.i_pa.size - 1
    return [float(trace.i_pa[min(last, max(0, round((t - trace.start_s) * trace.rate_hz)))]) for t in times]


def _mark(
    fig: go.Figure,
    name: str,
    symbol: str,
    x: Sequence[float],
    y: Sequence[float],
    place: tuple[int, int],
    units: tuple[str, str],
) -> None:
    if x:
        fig.add_scatter(
            x=list(x),
            y=list(y),
            mode="markers",
            name=escape(name),
            marker={**_STAR, "symbol": symbol, "size": 11},
            hovertemplate=f"{escape(name)}: %{{x:.2f}} {units[0]}, %{{y:.1f}} {units[1]}<extra></extra>",
            row=place[0],
            col=place[1],
        )


def _minus(text: str) -> str:
    """A text with its numbers' minus signs as they are written."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def _finished(fig: go.Figure, height: int, simulated: bool) -> go.Figure:
    finish(fig, height=height, legend=False, simulated=simulated)
    titles_over(fig)
    return fig


def titles_over(fig: go.Figure) -> None:
    """Panel titles at text size, the note on simulation above them."""
    noted = any(one.text == SIMULATED_NOTE for one in fig.layout.annotations)
    more = max((one.text.count("<br>") for one in fig.layout.annotations), default=0)
    fig.update_layout(margin={"t": (62 if noted else 34) + _LINE_PX * more})
    fig.update_annotations(font_size=13)
    fig.update_annotations(y=1.0, yshift=26 + _LINE_PX * more, selector={"text": SIMULATED_NOTE})
