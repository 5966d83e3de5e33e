"""A cell without sweeps, drawn from its features: schematic responses, a schematic spike and the f–I line."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.deciding import titles_over
from neuroclass.charts.theme import ACCENT, UNKNOWN, escape, finish, note
from neuroclass.types.arrays import Floats

_ABOVE_PA = 150.0


def drawn(
    responses: Mapping[str, Sequence[tuple[Floats, Floats]]],
    spikes: Mapping[str, tuple[Floats, Floats]],
    rates: Mapping[str, tuple[float, float]],
    *,
    simulated: bool = False,
) -> go.Figure:
    """Schematic responses to long squares, a schematic spike, and the firing rate above rheobase.

    Parameters
    ----------
    responses : mapping of name to sequence of (t_ms, v_mv)
        Time from the stimulus' onset, ms, and potential, mV; the cell first, then its class.
    spikes : mapping of name to (t_ms, v_mv)
        Time from the threshold, ms, and potential, mV, under the same names.
    rates : mapping of name to (rheobase_pa, slope)
        Rheobase, pA, and f–I slope, Hz/pA, under the same names.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    if not responses and not spikes and not rates:
        return note("Too few features are known to draw the cell.")
    titles = ("Long squares, schematic", "Spike under noise, schematic", "Firing rate")
    fig = make_subplots(1, 3, horizontal_spacing=0.11, column_widths=[0.42, 0.29, 0.29], subplot_titles=titles)
    names = list(dict.fromkeys((*responses, *spikes, *rates)))
    named: set[str] = set()
    for name, colour in reversed(list(zip(names, (ACCENT, UNKNOWN), strict=False))):
        style = {"mode": "lines", "name": escape(name), "legendgroup": name, "line": {"color": colour, "width": 2.2}}
        courses = [(1, course) for course in responses.get(name, ())]
        courses += [(2, spikes[name])] if name in spikes else []
        for column, (t, v) in courses:
            hover, first = "%{x:.2f} ms, %{y:.1f} mV<extra></extra>", name not in named
            named.add(name)
            fig.add_scatter(
                x=t.round(4), y=v.round(2), hovertemplate=hover, showlegend=first, **style, row=1, col=column
            )
        if name in rates:
            rheobase, slope = rates[name]
            fig.add_scatter(
                x=[0.0, rheobase, rheobase + _ABOVE_PA],
                y=[0.0, 0.0, slope * _ABOVE_PA],
                hovertemplate="%{x:.0f} pA: %{y:.1f} Hz<extra></extra>",
                showlegend=name not in named,
                **style,
                row=1,
                col=3,
            )
    finish(fig, height=330, simulated=simulated)
    fig.update_xaxes(title_text="Time from onset (ms)", row=1, col=1)
    fig.update_xaxes(title_text="Time from threshold (ms)", row=1, col=2)
    fig.update_yaxes(title_text="Potential (mV)", col=1)
    fig.update_xaxes(title_text="Long square (pA)", row=1, col=3)
    fig.update_yaxes(title_text="Increase in rate (Hz)", rangemode="tozero", row=1, col=3)
    titles_over(fig)
    top = fig.layout.margin.t + 26  # the legend above the titles
    return fig.update_layout(legend={"traceorder": "reversed", "y": 1.13}, margin={"t": top})
