"""Figures of the front page: a sweep with the spike that decided, and one sweep per class."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.cell_types import COLOURS
from neuroclass.charts.deciding import decisive_spike, titles_over
from neuroclass.charts.theme import class_label, finish
from neuroclass.charts.traces import Trace, envelope

__all__ = ["by_class", "decisive_spike"]

_SHOWN_S = (-0.05, 0.35)


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
    titles_over(fig)
    fig.update_xaxes(title_text="Time (s)", tickvals=[0, 0.2], range=list(_SHOWN_S))
    fig.update_yaxes(title_text="Membrane<br>potential (mV)", col=1)
    return fig
