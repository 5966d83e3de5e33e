"""Sweeps on one time axis: response above, stimulus below, with measurements marked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from neuroclass.charts.theme import ACCENT, PALETTE, escape, finish, note
from neuroclass.types.arrays import Floats, Integers

POINTS_A_SWEEP = 2000
LEGEND_MOST = 3
LOWEST_SHADE, HIGHEST_SHADE = 0.2, 0.85  # part of Viridis visible on both white and black


@dataclass(frozen=True)
class Trace:
    """One sweep to draw.

    Attributes
    ----------
    name : str
        Legend entry.
    v_mv, i_pa : ndarray, shape (n_times,)
        Response, mV, and stimulus, pA.
    rate_hz : float
        Sampling rate.
    amplitude_pa : float
        Stimulus amplitude, which sets the colour.
    start_s : float
        Time of the first sample on the figure's axis.
    """

    name: str
    v_mv: Floats
    i_pa: Floats
    rate_hz: float
    amplitude_pa: float = 0.0
    start_s: float = 0.0


@dataclass(frozen=True)
class Mark:
    """Points to mark on the response: name, times (s) and potentials (mV)."""

    name: str
    t: Sequence[float]
    v: Sequence[float]
    symbol: str = "circle"
    colour: str = ACCENT


@dataclass(frozen=True)
class Curve:
    """A line to draw over the response: name, times (s), potentials (mV), colour and dash."""

    name: str
    t: Sequence[float]
    v: Sequence[float]
    colour: str = PALETTE[1]
    dash: str = "solid"


def envelope(values: Floats, n_points: int = POINTS_A_SWEEP) -> tuple[Integers, Floats]:
    """Thin a trace to the minimum and maximum of equal bins, so that no spike is lost.

    Parameters
    ----------
    values : ndarray, shape (n_times,)
        The trace.
    n_points : int
        Target number of points, two per bin.

    Returns
    -------
    index : ndarray of int, shape (<= n_points + 2,)
        Kept samples, increasing.
    kept : ndarray
        Their values.
    """
    n_bins = n_points // 2
    if values.size <= n_points:
        index = np.arange(values.size)
        return index, values
    width = -(-values.size // n_bins)
    n_bins = values.size // width
    body = values[: width * n_bins].reshape(n_bins, width)
    filled = np.where(np.isfinite(body), body, 0.0)
    offset = np.arange(n_bins) * width
    index = np.concatenate([filled.argmin(1) + offset, filled.argmax(1) + offset, [0, values.size - 1]])
    tail = values[width * n_bins :]
    if tail.size:
        index = np.concatenate([index, [width * n_bins + int(np.argmax(tail)), width * n_bins + int(np.argmin(tail))]])
    index = np.unique(index)
    return index, values[index]


def crop(trace: Trace, start_s: float, end_s: float) -> Trace:
    """The part of a sweep between two times, s on its own axis."""
    first = max(0, int((start_s - trace.start_s) * trace.rate_hz))
    last = min(trace.v_mv.size, int(np.ceil((end_s - trace.start_s) * trace.rate_hz)) + 1)
    return Trace(
        trace.name,
        trace.v_mv[first:last],
        trace.i_pa[first:last],
        trace.rate_hz,
        trace.amplitude_pa,
        trace.start_s + first / trace.rate_hz,
    )


def sweeps(
    traces: Sequence[Trace],
    *,
    marks: Iterable[Mark] = (),
    curves: Iterable[Curve] = (),
    window: tuple[float, float] | None = None,
    simulated: bool = False,
    height: int = 460,
    select: bool = False,
) -> go.Figure:
    """Overlaid sweeps above their stimuli on the same time axis, coloured by amplitude.

    Parameters
    ----------
    traces : sequence of Trace
        Sweeps to overlay.
    marks : iterable of Mark
        Points to mark on the response.
    curves : iterable of Curve
        Lines to draw over it, such as fits.
    window : tuple of float, optional
        Start and end of the drawn window, s.
    simulated : bool
        Whether the cell is simulated.
    height : int
        Height, px.
    select : bool
        Whether dragging selects a time window instead of zooming.

    Returns
    -------
    Figure
    """
    if not traces:
        return note("No sweep to draw.")
    fig = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.74, 0.26], vertical_spacing=0.04)
    for trace, colour in zip(traces, _colours(traces), strict=True):
        part = crop(trace, *window) if window else trace
        if part.v_mv.size == 0:
            continue
        for row, values, unit in ((1, part.v_mv, "mV"), (2, part.i_pa, "pA")):
            index, kept = envelope(values)
            fig.add_scatter(
                x=part.start_s + index / part.rate_hz,
                y=kept.round(3),
                mode="lines",
                line={"width": 1.1, "color": colour},
                name=escape(part.name),
                legendgroup=part.name,
                showlegend=row == 1 and len(traces) <= LEGEND_MOST,
                hovertemplate=f"{escape(part.name)}: %{{x:.4f}} s, %{{y:.2f}} {unit}<extra></extra>",
                row=row,
                col=1,
            )
    if len(traces) > LEGEND_MOST:
        _amplitude_bar(fig, [trace.amplitude_pa for trace in traces])
    for curve in curves:
        fig.add_scatter(
            x=np.round(curve.t, 6),
            y=np.round(curve.v, 3),
            mode="lines",
            name=escape(curve.name),
            line={"width": 2.5, "color": curve.colour, "dash": curve.dash},
            hovertemplate=f"{escape(curve.name)}: %{{x:.4f}} s, %{{y:.2f}} mV<extra></extra>",
            row=1,
            col=1,
        )
    for mark in marks:
        fig.add_scatter(
            x=list(mark.t),
            y=list(mark.v),
            mode="markers",
            name=escape(mark.name),
            marker={"symbol": mark.symbol, "size": 8, "color": mark.colour, "line": {"width": 1, "color": "white"}},
            hovertemplate=f"{escape(mark.name)}: %{{x:.4f}} s, %{{y:.2f}} mV<extra></extra>",
            row=1,
            col=1,
        )
    finish(fig, height=height, simulated=simulated)
    fig.update_yaxes(title_text="Membrane potential (mV)", row=1)
    fig.update_yaxes(title_text="Stimulus (pA)", nticks=4, row=2)
    fig.update_xaxes(title_text="Time (s)", row=2)
    if window:
        fig.update_xaxes(range=list(window))
    if select:
        fig.update_layout(dragmode="select", selectdirection="h")
    return fig


def lock_axes(fig: go.Figure, traces: Sequence[Trace]) -> None:
    """Give a figure of `sweeps` the y axes that hold all of these sweeps, mV and pA."""
    for row, values in ((1, [one.v_mv for one in traces]), (2, [one.i_pa for one in traces])):
        ends = [(float(np.nanmin(one)), float(np.nanmax(one))) for one in values if np.isfinite(one).any()]
        if ends:
            low, high = min(end[0] for end in ends), max(end[1] for end in ends)
            room = 0.05 * max(high - low, 1.0)
            fig.update_yaxes(range=[low - room, high + room], row=row)


def _colours(traces: Sequence[Trace]) -> list[str]:
    return amplitude_colours([trace.amplitude_pa for trace in traces])


def _amplitude_bar(fig: go.Figure, amplitudes_pa: Sequence[float]) -> None:
    """A colour bar of stimulus amplitude, in place of a legend of many sweeps."""
    low, high = min(amplitudes_pa), max(amplitudes_pa)
    if high == low:
        return
    scale = [
        [share, colour]
        for share, colour in zip(
            (0, 0.5, 1),
            sample_colorscale("Viridis", [LOWEST_SHADE, (LOWEST_SHADE + HIGHEST_SHADE) / 2, HIGHEST_SHADE]),
            strict=True,
        )
    ]
    fig.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": scale,
            "colorbar": {"title": {"text": "pA", "side": "top"}, "thickness": 10, "len": 0.7, "y": 0.62, "x": 1.01},
        },
        row=1,
        col=1,
    )


def amplitude_colours(amplitudes_pa: Sequence[float]) -> list[str]:
    """Colours by stimulus amplitude, pA; a single sweep gets the accent colour."""
    if len(amplitudes_pa) <= 1:
        return [ACCENT] * len(amplitudes_pa)
    amplitudes = np.asarray(amplitudes_pa, dtype=np.float64)
    low, high = float(amplitudes.min()), float(amplitudes.max())
    even = np.linspace(0, 1, amplitudes.size)
    share = LOWEST_SHADE + (HIGHEST_SHADE - LOWEST_SHADE) * (even if high == low else (amplitudes - low) / (high - low))
    return list(sample_colorscale("Viridis", share.tolist()))
