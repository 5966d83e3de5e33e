"""Small figures of the way from a file to a verdict: sweeps, spikes found on one, features as the models see them."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from neuroclass.charts.theme import ACCENT, POSITIVE, escape, finish
from neuroclass.charts.traces import Trace, amplitude_colours, envelope
from neuroclass.features import BY_NAME, USUAL_ORDER, Stimulus, with_unit
from neuroclass.types.arrays import Floats

HEIGHT = 190
_SWEEPS_DRAWN, _POINTS = 8, 500
_FURTHEST = 3.2
"""Standard deviations from the mean at which a feature is drawn at the latest."""
_JITTER = 0.22


def overlaid(traces: Sequence[Trace]) -> go.Figure:
    """Responses over each other, coloured by the amplitude of their stimulus.

    Parameters
    ----------
    traces : sequence of Trace
        An even choice of at most eight is drawn.

    Returns
    -------
    Figure
    """
    every = sorted(traces, key=lambda one: one.amplitude_pa)
    kept = [every[k] for k in np.unique(np.linspace(0, len(every) - 1, min(_SWEEPS_DRAWN, len(every))).astype(int))]
    fig = go.Figure()
    for trace, colour in zip(kept, amplitude_colours([one.amplitude_pa for one in kept]), strict=True):
        index, v = envelope(trace.v_mv, _POINTS)
        fig.add_scatter(
            x=(index / trace.rate_hz).round(4),
            y=v.round(1),
            mode="lines",
            line={"width": 1, "color": colour},
            hovertemplate=f"{escape(trace.name)}: %{{x:.3f}} s, %{{y:.1f}} mV<extra></extra>",
        )
    return _small(fig, "Time (s)", "Potential (mV)")


def marked(trace: Trace, peaks_s: Floats, onset_s: float, end_s: float) -> go.Figure:
    """One response with its stimulus shaded and the spikes that were found.

    Parameters
    ----------
    trace : Trace
        The sweep.
    peaks_s : ndarray, shape (n_spikes,)
        Times of the spikes' peaks, s.
    onset_s, end_s : float
        Where the stimulus was recognised, s.

    Returns
    -------
    Figure
    """
    index, v = envelope(trace.v_mv, 2 * _POINTS)
    fig = go.Figure()
    fig.add_scatter(
        x=(index / trace.rate_hz).round(4), y=v.round(1), mode="lines", line={"width": 1, "color": ACCENT},
        hovertemplate="%{x:.3f} s, %{y:.1f} mV<extra></extra>",
    )  # fmt: skip
    at = np.clip(np.round(peaks_s * trace.rate_hz).astype(int), 0, len(trace.v_mv) - 1)
    fig.add_scatter(
        x=peaks_s.round(4), y=trace.v_mv[at].round(1), mode="markers", marker={"size": 6, "color": POSITIVE},
        hovertemplate="spike at %{x:.3f} s<extra></extra>",
    )  # fmt: skip
    fig.add_vrect(onset_s, end_s, fillcolor=ACCENT, opacity=0.12, line_width=0)
    return _small(fig, "Time (s)", "Potential (mV)")


def features(values: Mapping[str, float], standardised: Mapping[str, float]) -> go.Figure:
    """Each feature of a cell as the models see it, a row of points for each stimulus.

    Parameters
    ----------
    values : mapping of name to float
        Stored units.
    standardised : mapping of name to float
        The same in standard deviations from the mean of the training cells.

    Returns
    -------
    Figure
    """
    rows = [stimulus for stimulus in USUAL_ORDER if any(BY_NAME[name].stimulus is stimulus for name in values)]
    fig = go.Figure()
    for row, stimulus in enumerate(rows):
        names = [name for name in values if BY_NAME[name].stimulus is stimulus]
        sd = np.array([standardised[name] for name in names])
        fig.add_scatter(
            x=np.clip(sd, -_FURTHEST, _FURTHEST).round(2),
            y=row + _JITTER * np.resize((-1.0, 0.0, 1.0), len(names)),
            mode="markers",
            marker={"size": 7, "color": ACCENT, "opacity": 0.75},
            text=[f"{escape(BY_NAME[name].label)} {escape(with_unit(name, values[name]))}" for name in names],
            customdata=sd.round(2),
            hovertemplate="%{text}: %{customdata:.1f} SD<extra></extra>",
        )
    _small(fig, "SD from the mean", "")
    fig.update_xaxes(range=[-_FURTHEST - 0.2, _FURTHEST + 0.2], tickvals=[-2, 0, 2])
    return fig.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[_short(one) for one in rows], range=[len(rows) - 0.5, -0.5]
    )


def _short(stimulus: Stimulus) -> str:
    return stimulus.label.replace(" square", "<br>square")


def _small(fig: go.Figure, across: str, up: str) -> go.Figure:
    finish(fig, height=HEIGHT, legend=False)
    fig.update_layout(margin={"t": 4, "b": 8, "l": 4, "r": 4})
    return fig.update_xaxes(title_text=across, nticks=5).update_yaxes(title_text=up, nticks=5)
