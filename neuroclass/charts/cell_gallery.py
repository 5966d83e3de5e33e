"""Sweeps of several cells side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import ACCENT, SIMULATED_NOTE, UNKNOWN, escape, finish, lines, note
from neuroclass.charts.traces import Trace, crop, envelope

GALLERY_COLUMNS = 3
_LETTERS = 20
"""Letters of a title on one line."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One cell's sweeps beside others': titles, the sweeps, and the stretch to draw, s."""

    title: str
    subtitle: str
    traces: Sequence[Trace]
    window: tuple[float, float] | None = None


def gallery(panels: Sequence[Panel], simulated: bool = False) -> go.Figure:
    """The same kind of sweep for several cells, side by side on common axes.

    Parameters
    ----------
    panels : sequence of Panel
        The first is the cell in question.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    if not panels:
        return note("No cell to draw.")
    n_rows = -(-len(panels) // GALLERY_COLUMNS)
    fig = make_subplots(
        n_rows,
        min(GALLERY_COLUMNS, len(panels)),
        shared_yaxes="all",
        subplot_titles=[f"{lines(p.title, _LETTERS)}<br>{lines(p.subtitle, _LETTERS)}" for p in panels],
        horizontal_spacing=0.02,
        vertical_spacing=0.36 / n_rows if n_rows > 1 else 0.0,
    )
    for k, panel in enumerate(panels):
        for trace in panel.traces:
            part = crop(trace, *panel.window) if panel.window else trace
            if not part.v_mv.size:
                continue
            index, kept = envelope(part.v_mv, 1200)
            fig.add_scatter(
                x=(part.start_s + index / part.rate_hz - (panel.window[0] if panel.window else 0.0)).round(6),
                y=kept.round(2),
                mode="lines",
                line={"width": 1, "color": UNKNOWN if k else ACCENT},
                name=escape(trace.name),
                showlegend=False,
                hovertemplate=f"{escape(trace.name)}: %{{x:.3f}} s, %{{y:.1f}} mV<extra></extra>",
                row=k // GALLERY_COLUMNS + 1,
                col=k % GALLERY_COLUMNS + 1,
            )
    fig.update_annotations(font_size=11)
    finish(fig, height=60 + 270 * n_rows, simulated=simulated, legend=False)
    fig.update_layout(margin_t=96)
    fig.update_annotations(yshift=64, selector={"text": SIMULATED_NOTE})
    fig.update_xaxes(nticks=4)
    for k in range(max(0, len(panels) - GALLERY_COLUMNS), len(panels)):
        fig.update_xaxes(title_text="Time (s)", row=k // GALLERY_COLUMNS + 1, col=k % GALLERY_COLUMNS + 1)
    fig.update_yaxes(title_text="Membrane potential (mV)", col=1)
    return fig
