"""A cell without sweeps, drawn from its features: a schematic spike and the f–I line."""

from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import ACCENT, UNKNOWN, escape, finish, note
from neuroclass.types.arrays import Floats

_ABOVE_PA = 150.0


def drawn(
    spikes: Mapping[str, tuple[Floats, Floats]],
    rates: Mapping[str, tuple[float, float]],
    *,
    simulated: bool = False,
) -> go.Figure:
    """A schematic spike beside the firing rate above rheobase.

    Parameters
    ----------
    spikes : mapping of name to (t_ms, v_mv)
        Time from the threshold, ms, and potential, mV; the cell first, then its class.
    rates : mapping of name to (rheobase_pa, slope)
        Rheobase, pA, and f–I slope, Hz/pA, under the same names.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    if not spikes and not rates:
        return note("Too few features are known to draw the cell.")
    fig = make_subplots(1, 2, horizontal_spacing=0.2)
    names = list(dict.fromkeys((*spikes, *rates)))
    named: set[str] = set()
    for name, colour in reversed(list(zip(names, (ACCENT, UNKNOWN), strict=False))):
        style = {"mode": "lines", "name": escape(name), "legendgroup": name, "line": {"color": colour, "width": 2.2}}
        if name in spikes:
            t, v = spikes[name]
            hover = "%{x:.2f} ms, %{y:.1f} mV<extra></extra>"
            fig.add_scatter(x=t.round(4), y=v.round(2), hovertemplate=hover, **style, row=1, col=1)
            named.add(name)
        if name in rates:
            rheobase, slope = rates[name]
            fig.add_scatter(
                x=[0.0, rheobase, rheobase + _ABOVE_PA],
                y=[0.0, 0.0, slope * _ABOVE_PA],
                hovertemplate="%{x:.0f} pA: %{y:.1f} Hz<extra></extra>",
                showlegend=name not in named,
                **style,
                row=1,
                col=2,
            )
    finish(fig, height=320, simulated=simulated)
    fig.update_xaxes(title_text="Time from threshold (ms)", row=1, col=1)
    fig.update_yaxes(title_text="Potential (mV)", row=1, col=1)
    fig.update_xaxes(title_text="Long square (pA)", row=1, col=2)
    fig.update_yaxes(title_text="Rate above that<br>at rheobase (Hz)", rangemode="tozero", row=1, col=2)
    return fig.update_layout(legend_traceorder="reversed")
