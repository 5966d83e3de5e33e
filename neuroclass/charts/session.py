"""Figure of how a recording changes from sweep to sweep."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.cell_plots import FIT
from neuroclass.charts.theme import ACCENT, PALETTE, finish

_ROWS = (
    ("rest (mV)", ACCENT, "Potential before<br>the stimulus (mV)", 0.45),
    ("holding (pA)", FIT, "Holding<br>(pA)", 0.25),
    ("series resistance (MΩ)", PALETTE[2], "Resistance left<br>by the bridge<br>(MΩ)", 0.35),
)


_LEAST = {"mV": 4.0, "pA": 20.0, "MΩ": 2.0}
"""Range of an axis, at least, so that a change no one would call one does not fill the panel."""


def _span(values: pd.Series, least: float) -> list[float]:
    """An axis' range around the values."""
    low, high = float(values.min()), float(values.max())
    room = max(0.08 * (high - low), (least - (high - low)) / 2)
    return [low - room, high + room]


def session(table: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Potential and current before the stimulus and the resistance left by the bridge, sweep by sweep.

    Parameters
    ----------
    table : DataFrame
        From `neuroclass.ephys.session.session_table`.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
        Against the time in the session where the file tells it, else against the number of the sweep. What is unknown
        of all sweeps has no panel.
    """
    rows = [row for row in _ROWS if table[row[0]].notna().any()]
    timed = bool(table["time (min)"].notna().any())
    fig = make_subplots(
        len(rows), 1, shared_xaxes=True, vertical_spacing=0.06, row_heights=[height for _, _, _, height in rows]
    )
    for row, (column, colour, title, _) in enumerate(rows, start=1):
        unit = column.partition("(")[2].rstrip(")")
        fig.add_scatter(
            x=table["time (min)"].round(3) if timed else table["sweep"],
            y=table[column].round(2),
            mode="lines+markers",
            line={"color": colour, "width": 1},
            marker={"size": 6},
            customdata=table[["sweep", "stimulus"]],
            hovertemplate=f"sweep %{{customdata[0]}} (%{{customdata[1]}}): %{{y}} {unit}<extra></extra>",
            row=row,
            col=1,
        )
        fig.update_yaxes(title_text=title, range=_span(table[column], _LEAST.get(unit, 0.0)), row=row)
    finish(fig, height=130 + 125 * len(rows), simulated=simulated, legend=False)
    title = "Time since the first sweep (min)" if timed else "Sweep (number in the file)"
    return fig.update_xaxes(title_text=title, row=len(rows))
