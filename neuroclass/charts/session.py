"""Figure of how a recording changes from sweep to sweep."""

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.cell_plots import FIT
from neuroclass.charts.theme import ACCENT, finish


def session(table: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Potential and current before the stimulus, sweep by sweep.

    Parameters
    ----------
    table : DataFrame
        From `neuroclass.ephys.session.session_table`.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    fig = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.08, row_heights=[0.65, 0.35])
    for row, (column, colour) in enumerate((("rest (mV)", ACCENT), ("holding (pA)", FIT)), start=1):
        fig.add_scatter(
            x=table["sweep"],
            y=table[column].round(2),
            mode="lines+markers",
            line={"color": colour, "width": 1},
            marker={"size": 6},
            customdata=table["stimulus"],
            hovertemplate=f"sweep %{{x}} (%{{customdata}}): %{{y}} {column[-3:-1]}<extra></extra>",
            row=row,
            col=1,
        )
    finish(fig, height=380, simulated=simulated, legend=False)
    fig.update_yaxes(title_text="Potential before<br>the stimulus (mV)", row=1)
    fig.update_yaxes(title_text="Holding<br>(pA)", row=2)
    fig.update_xaxes(title_text="Sweep (number in the file)", row=2)
    return fig
