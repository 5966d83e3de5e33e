"""Figures of the front page: a sweep with the spike that decided, and one sweep per class."""

import re
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.cell_types import COLOURS
from neuroclass.charts.comparison import Panel
from neuroclass.charts.theme import ACCENT, POSITIVE, SIMULATED_NOTE, class_label, escape, finish
from neuroclass.charts.traces import Trace, crop, envelope

MARKER_MS = 8.0
"""Half width of the band that shows on the sweep where the spike is, ms."""
_OTHERS = 0.35
_SHOWN_S = (-0.05, 0.35)


def decisive_spike(
    trace: Trace, panel: Panel, spike_s: float, reason: str, height: int = 330, aligned_on: str = "the peak"
) -> go.Figure:
    """A whole sweep, and beside it the spike, or the other samples, on which the strongest reason was measured.

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

    Returns
    -------
    Figure
    """
    fig = make_subplots(
        1,
        2,
        column_widths=[0.62, 0.38],
        horizontal_spacing=0.06,
        column_titles=[escape(_minus(trace.name)), f"<b>{escape(_minus(reason))}</b>"],
    )
    _line(fig, trace, 1, 1.0)
    for other in panel.traces[1:]:
        _line(fig, crop(other, *panel.window), 2, 1e3, opacity=_OTHERS)
    _line(fig, crop(panel.traces[0], *panel.window), 2, 1e3)
    half = MARKER_MS * 1e-3
    low, high = min(panel.window[0], -half), max(panel.window[1], half)
    low, high = max(0.0, spike_s + low), min(trace.v_mv.size / trace.rate_hz, spike_s + high)
    fig.add_vrect(x0=low, x1=high, fillcolor=POSITIVE, opacity=0.25, line_width=0, row=1, col=1)
    for mark in panel.marks:
        fig.add_scatter(
            x=[t * 1e3 for t in mark.t],
            y=list(mark.v),
            mode="markers",
            name=escape(mark.name),
            marker={"symbol": mark.symbol, "size": 11, "color": POSITIVE, "line": {"width": 1, "color": "white"}},
            hovertemplate=f"{escape(mark.name)}: %{{x:.2f}} ms, %{{y:.1f}} mV<extra></extra>",
            row=1,
            col=2,
        )
    finish(fig, height=height, legend=False, simulated=panel.simulated)
    _titles(fig)
    fig.update_xaxes(title_text="Time (s)", col=1)
    fig.update_xaxes(title_text=f"Time from<br>{aligned_on} (ms)", col=2)
    fig.update_yaxes(title_text="Membrane potential (mV)", col=1)
    return fig


def _line(fig: go.Figure, trace: Trace, column: int, factor: float, opacity: float = 1.0) -> None:
    index, kept = envelope(trace.v_mv)
    fig.add_scatter(
        x=((trace.start_s + index / trace.rate_hz) * factor).round(4),
        y=kept.round(2),
        mode="lines",
        line={"width": 1.2, "color": ACCENT},
        opacity=opacity,
        hovertemplate="%{x:.3f}, %{y:.1f} mV<extra></extra>",
        row=1,
        col=column,
    )


def by_class(sweeps: Mapping[str, Trace]) -> go.Figure:
    """One sweep of each class side by side on the same scale, in the class' colour.

    Parameters
    ----------
    sweeps : mapping of class to Trace
        Simulated sweeps; they are drawn around the onset of their stimulus.

    Returns
    -------
    Figure
    """
    names = list(sweeps)
    fig = make_subplots(
        1, len(names), shared_yaxes=True, horizontal_spacing=0.01, column_titles=[class_label(name) for name in names]
    )
    for column, (name, trace) in enumerate(sweeps.items(), start=1):
        onset = int(np.argmax(np.abs(trace.i_pa) > 0.5 * np.abs(trace.i_pa).max()))
        first, last = (max(0, onset + round(end * trace.rate_hz)) for end in _SHOWN_S)
        index, kept = envelope(trace.v_mv[first:last], 700)
        fig.add_scatter(
            x=((index + first - onset) / trace.rate_hz).round(4),
            y=kept.round(1),
            mode="lines",
            line={"width": 1, "color": COLOURS[name]},
            hovertemplate=f"{class_label(name)}: %{{x:.3f}} s, %{{y:.1f}} mV<extra></extra>",
            row=1,
            col=column,
        )
    finish(fig, height=190, legend=False, simulated=True)
    _titles(fig)
    fig.update_xaxes(title_text="Time (s)", tickvals=[0, 0.2], range=list(_SHOWN_S))
    fig.update_yaxes(title_text="Membrane<br>potential (mV)", col=1)
    return fig


def _minus(text: str) -> str:
    """A text with its numbers' minus signs as they are written."""
    return re.sub(r"(?<![\w-])-(?=\d)", "−", text)


def _titles(fig: go.Figure) -> None:
    """Panel titles at text size, the note on simulation above them."""
    noted = any(one.text == SIMULATED_NOTE for one in fig.layout.annotations)
    fig.update_layout(margin={"t": 62 if noted else 34})
    fig.update_annotations(font_size=13)
    fig.update_annotations(y=1.0, yshift=26, selector={"text": SIMULATED_NOTE})
