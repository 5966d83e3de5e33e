"""Figures of one cell's measurements: lines through points, firing over time, average spikes, spectra."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from neuroclass.charts.theme import ACCENT, PALETTE, UNKNOWN, escape, finish, note
from neuroclass.types.arrays import Floats

FIT = PALETTE[1]


@dataclass(frozen=True)
class Axis:
    """Title of an axis and the unit of its values."""

    title: str
    unit: str

    @property
    def text(self) -> str:
        """Title with unit."""
        return f"{self.title} ({self.unit})"


AMPLITUDE = Axis("Stimulus amplitude", "pA")
CURRENT = Axis("Current", "pA")
RATE = Axis("Firing rate", "Hz")
LOWEST = Axis("Lowest potential", "mV")
ASIDE, ROOM = 0.3, 0.06
"""How far before the fitted points of a line others are drawn, and room at the ends, of the range of the fitted."""


def line_through(
    x: Floats,
    y: Floats,
    axes: tuple[Axis, Axis],
    *,
    line: tuple[float, float] | None = None,
    fitted: Sequence[bool] | None = None,
    sweeps: Sequence[int] = (),
    legend: str = "",
    simulated: bool = False,
) -> go.Figure:
    """Points, one per sweep, with a fitted line, such as an f–I or V–I curve.

    Parameters
    ----------
    x, y : ndarray, shape (n_points,)
        The points.
    axes : tuple of Axis
        Horizontal and vertical.
    line : tuple of float, optional
        Slope and intercept.
    fitted : sequence of bool, optional
        Which points the line was fitted to; all by default.
    sweeps : sequence of int
        Sweep number of each point.
    legend : str
        Legend of the line, with slope and unit.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    if not len(x):
        return note("No point to draw.")
    used = np.ones(len(x), dtype=bool) if fitted is None else np.asarray(fitted, dtype=bool)
    numbers = np.asarray(sweeps if len(sweeps) else np.arange(len(x)))
    fig = go.Figure()
    for mask, name, symbol in ((used, "fitted", "circle"), (~used, "not fitted", "circle-open")):
        if mask.any():
            fig.add_scatter(
                x=x[mask],
                y=y[mask],
                mode="markers",
                name=name,
                customdata=numbers[mask][:, None],
                marker={"size": 9, "color": ACCENT, "symbol": symbol, "line": {"width": 1.5}},
                hovertemplate=f"sweep %{{customdata[0]}}: %{{x:.1f}} {axes[0].unit}, %{{y:.2f}} {axes[1].unit}"
                "<extra></extra>",
            )
    if line is not None and used.any():
        ends = np.array([x[used].min(), x[used].max()])
        fig.add_scatter(
            x=ends,
            y=line[0] * ends + line[1],
            mode="lines",
            line={"color": FIT, "dash": "dash"},
            name=escape(legend),
            hoverinfo="skip",
        )
    if used.any() and not used.all():
        span = float(np.ptp(x[used])) or 1.0
        fig.update_xaxes(range=[x[used].min() - ASIDE * span, max(x[used].max(), x.max()) + ROOM * span])
    return finish(fig, height=330, x=axes[0].text, y=axes[1].text, simulated=simulated)


def firing(trains: Mapping[str, tuple[Floats, Floats]], colours: Sequence[str], simulated: bool = False) -> go.Figure:
    """Instantaneous rate over time, one line per sweep.

    Parameters
    ----------
    trains : mapping of name to (t_s, rate_hz)
        Time since the stimulus' start, s, and one over the interval between spikes, Hz.
    colours : sequence of str
        Colour of each.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    if not trains:
        return note("No sweep with two spikes.", 330)
    fig = go.Figure()
    for (name, (t, rate)), colour in zip(trains.items(), colours, strict=True):
        fig.add_scatter(
            x=np.round(t, 5),
            y=np.round(rate, 2),
            mode="lines+markers",
            name=escape(name),
            line={"color": colour, "width": 1.2},
            marker={"size": 4},
            hovertemplate=f"{escape(name)}: %{{y:.1f}} Hz at %{{x:.3f}} s<extra></extra>",
        )
    return finish(
        fig,
        height=330,
        x="Time since the stimulus' start (s)",
        y="Instantaneous rate (Hz)",
        simulated=simulated,
        legend=len(trains) <= 8,
    )


@dataclass(frozen=True, eq=False)
class Waveform:
    """An average spike.

    Attributes
    ----------
    name : str
        Legend entry, with the number of spikes or cells.
    t_ms, mean_mv, sd_mv : ndarray, shape (n,)
        Time from the peak, ms; mean and standard deviation, mV.
    """

    name: str
    t_ms: Floats
    mean_mv: Floats
    sd_mv: Floats


def waveforms(
    cell: Waveform | None,
    others: Waveform | None = None,
    levels: Mapping[str, float] | None = None,
    simulated: bool = False,
) -> go.Figure:
    """The cell's average spike against its class.

    Parameters
    ----------
    cell : Waveform or None
        The cell's average spike.
    others : Waveform, optional
        The class average, if its cells have sweeps.
    levels : mapping of name to float, optional
        Otherwise the class' median potentials, mV, drawn as horizontal lines.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    if cell is None:
        return note("No whole spike to average.", 330)
    fig = go.Figure()
    for name, level in (levels or {}).items():
        fig.add_hline(y=level, line={"color": UNKNOWN, "dash": "dot", "width": 1.2})
        fig.add_annotation(
            x=1, xref="paper", xanchor="right", y=level, yanchor="bottom", showarrow=False, text=escape(name),
            font={"size": 11, "color": UNKNOWN},
        )  # fmt: skip
    for one, colour in ((others, UNKNOWN), (cell, ACCENT)):
        if one is None:
            continue
        t = np.concatenate([one.t_ms, one.t_ms[::-1]])
        band = np.concatenate([one.mean_mv + one.sd_mv, (one.mean_mv - one.sd_mv)[::-1]])
        fig.add_scatter(
            x=t.round(4), y=band.round(2), fill="toself", mode="lines", line={"width": 0}, fillcolor=colour,
            opacity=0.25, hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        fig.add_scatter(
            x=one.t_ms.round(4),
            y=one.mean_mv.round(3),
            mode="lines",
            name=escape(one.name),
            line={"color": colour, "width": 2},
            hovertemplate="%{x:.2f} ms, %{y:.1f} mV<extra></extra>",
        )
    return finish(fig, height=340, x="Time from the peak (ms)", y="Membrane potential (mV)", simulated=simulated)


def phase_plane(
    loops: Mapping[str, tuple[Floats, Floats]],
    landmarks: Mapping[str, tuple[float, float]] | None = None,
    simulated: bool = False,
) -> go.Figure:
    """dV/dt against potential, with the class' landmarks.

    Parameters
    ----------
    loops : mapping of name to (v_mv, dvdt)
        Potential, mV, and its rate of change, mV/ms; the first is the cell's.
    landmarks : mapping of name to (v_mv, dvdt), optional
        Points of the class' median spike.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    if not loops:
        return note("No spike, no phase plot.", 340)
    fig = go.Figure()
    for (name, (v, slope)), colour in zip(loops.items(), (ACCENT, UNKNOWN), strict=False):
        fig.add_scatter(
            x=v.round(3),
            y=slope.round(2),
            mode="lines",
            name=escape(name),
            line={"color": colour, "width": 1.8},
            hovertemplate="%{x:.1f} mV, %{y:.0f} mV/ms<extra></extra>",
        )
    if landmarks:
        fig.add_scatter(
            x=[point[0] for point in landmarks.values()],
            y=[point[1] for point in landmarks.values()],
            mode="markers",
            name="class median",
            customdata=[[escape(name)] for name in landmarks],
            marker={"symbol": "x", "size": 9, "color": FIT},
            hovertemplate="%{customdata[0]}: %{x:.1f} mV, %{y:.0f} mV/ms<extra></extra>",
        )
    return finish(fig, height=340, x="Membrane potential (mV)", y="dV/dt (mV/ms)", simulated=simulated)


def spectrum(densities: Mapping[str, tuple[Floats, Floats]], unit: str = "mV", simulated: bool = False) -> go.Figure:
    """Power spectral densities, both axes logarithmic.

    Parameters
    ----------
    densities : mapping of name to (frequency_hz, density)
        Hz, and squares of `unit` per Hz.
    unit : str
        Unit of the signal.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    if not densities:
        return note("No response to noise.", 340)
    fig = go.Figure()
    for (name, (frequency, density)), colour in zip(densities.items(), (ACCENT, FIT, PALETTE[3]), strict=False):
        fig.add_scatter(
            x=frequency.round(3),
            y=density,
            mode="lines",
            name=escape(name),
            line={"color": colour, "width": 1.4},
            hovertemplate=f"%{{x:.1f}} Hz: %{{y:.3g}} {unit}²/Hz<extra></extra>",
        )
    fig.update_xaxes(type="log", dtick=1)
    fig.update_yaxes(type="log", exponentformat="power", nticks=6)
    return finish(fig, height=340, x="Frequency (Hz)", y=f"Power density ({unit}²/Hz)", simulated=simulated)
