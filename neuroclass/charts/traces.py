"""Sweeps on one time axis: response above, stimulus beneath, what was measured marked on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.colors import sample_colorscale
from plotly.subplots import make_subplots

from neuroclass.charts.theme import ACCENT, escape, finish, note

Array = npt.NDArray[np.float64]

POINTS_A_SWEEP = 2000


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
    v_mv: Array
    i_pa: Array
    rate_hz: float
    amplitude_pa: float = 0.0
    start_s: float = 0.0


@dataclass(frozen=True)
class Mark:
    """Points to mark on the response: what they are, when (s) and at which potential (mV)."""

    name: str
    t: Sequence[float]
    v: Sequence[float]
    symbol: str = "circle"
    colour: str = ACCENT


def envelope(values: Array, n_points: int = POINTS_A_SWEEP) -> tuple[npt.NDArray[np.int64], Array]:
    """Thin a trace to the lowest and highest sample of equal bins, so that no spike is lost.

    Parameters
    ----------
    values : ndarray, shape (n_times,)
        The trace.
    n_points : int
        Points wanted, two a bin.

    Returns
    -------
    index : ndarray of int, shape (<= n_points + 2,)
        Samples kept, rising.
    kept : ndarray
        Their values.
    """
    n_bins = n_points // 2
    if values.size <= n_points:
        index = np.arange(values.size)
        return index, values
    width = values.size // n_bins
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
    """The part of a sweep between two times, s on its own axis; nothing outside is drawn."""
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
    window: tuple[float, float] | None = None,
    simulated: bool = False,
    height: int = 460,
) -> go.Figure:
    """Overlaid sweeps with their stimuli beneath on the same time axis, coloured by amplitude.

    Parameters
    ----------
    traces : sequence of Trace
        Sweeps to overlay.
    marks : iterable of Mark
        What to mark on the response.
    window : tuple of float, optional
        Start and end of what is drawn, s.
    simulated : bool
        Whether the cell is simulated.
    height : int
        Height, px.

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
                showlegend=row == 1 and len(traces) <= 12,
                hovertemplate=f"{escape(part.name)}: %{{x:.4f}} s, %{{y:.2f}} {unit}<extra></extra>",
                row=row,
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
    return fig


def _colours(traces: Sequence[Trace]) -> list[str]:
    if len(traces) == 1:
        return [ACCENT]
    amplitudes = np.array([trace.amplitude_pa for trace in traces])
    low, high = float(amplitudes.min()), float(amplitudes.max())
    even = np.linspace(0, 1, len(traces))
    share = 0.05 + 0.8 * (even if high == low else (amplitudes - low) / (high - low))
    return list(sample_colorscale("Viridis", share.tolist()))


def phase(traces: Sequence[Trace], simulated: bool = False) -> go.Figure:
    """Rate of change against membrane potential.

    Parameters
    ----------
    traces : sequence of Trace
        Short pieces of sweep, each around one spike.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    for trace, colour in zip(traces, _colours(traces), strict=True):
        slope = np.gradient(trace.v_mv) * trace.rate_hz / 1e3
        fig.add_scatter(
            x=trace.v_mv.round(3),
            y=slope.round(2),
            mode="lines",
            name=escape(trace.name),
            line={"color": colour, "width": 1.5},
            hovertemplate="%{x:.1f} mV, %{y:.0f} mV/ms<extra></extra>",
        )
    return finish(
        fig, height=340, x="Membrane potential (mV)", y="dV/dt (mV/ms)", simulated=simulated, legend=len(traces) > 1
    )


def rate_curve(amplitude_pa: Sequence[float], rate_hz: Sequence[float], simulated: bool = False) -> go.Figure:
    """Firing rate against stimulus amplitude, with the least-squares line through the spiking steps."""
    x, y = np.asarray(amplitude_pa, dtype=np.float64), np.asarray(rate_hz, dtype=np.float64)
    fig = go.Figure()
    fig.add_scatter(x=x, y=y, mode="markers", marker={"size": 9, "color": ACCENT}, name="sweeps")
    spiking = y > 0
    if len(np.unique(x[spiking])) >= 2:
        slope, intercept = np.polyfit(x[spiking], y[spiking], 1)
        ends = np.array([x[spiking].min(), x[spiking].max()])
        line = {"color": "#D55E00", "dash": "dash"}
        fig.add_scatter(x=ends, y=slope * ends + intercept, mode="lines", line=line, name=f"{slope:.3g} Hz/pA")
    return finish(fig, height=340, x="Stimulus amplitude (pA)", y="Firing rate (Hz)", simulated=simulated)
