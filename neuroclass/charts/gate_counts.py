"""Figures that count LSPIN's open gates: by feature, and by cell."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import ACCENT, UNKNOWN, category, class_label, colours_of, finish, wrapped


def open_shares(shares: "pd.Series[float]") -> go.Figure:
    """Share of cells in which each gate is open.

    Parameters
    ----------
    shares : Series, by feature
        Fractions, the largest first.

    Returns
    -------
    Figure
    """
    rows = shares.iloc[::-1]
    fig = go.Figure(
        go.Bar(
            x=100 * rows,
            y=[feature_label(str(name)) for name in rows.index],
            orientation="h",
            marker_color=ACCENT,
            text=[f"{share:.0%}" for share in rows],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: open in %{x:.1f}% of cells<extra></extra>",
        )
    )
    fig.update_xaxes(range=[0, 112], tickvals=[0, 25, 50, 75, 100])
    return finish(fig, height=90 + 30 * len(rows), x="Cells with an open gate (%)", legend=False)


def open_count(gates: pd.DataFrame, truth: pd.Series) -> go.Figure:
    """Number of open gates (above 0) per cell, by class.

    Parameters
    ----------
    gates : DataFrame, cells × features
        Gates.
    truth : Series
        Class of each cell.

    Returns
    -------
    Figure
    """
    n_open = (gates.to_numpy() > 0).sum(axis=1)
    groups = category(truth).to_numpy()
    colours = colours_of(groups)
    titles = [f"{class_label(name)}, {(groups == name).sum()} cells" for name in colours]
    fig = make_subplots(len(colours), 1, shared_xaxes=True, subplot_titles=titles, vertical_spacing=0.3 / len(colours))
    fig.update_annotations(x=0, xanchor="left")
    highest, medians = 0.0, []
    for row, (name, colour) in enumerate(colours.items(), start=1):
        mine = n_open[groups == name]
        share = 100 * np.bincount(mine, minlength=n_open.max() + 1) / max(mine.size, 1)
        hover = f"%{{y:.1f}}% of {class_label(name)} cells use %{{x}} features<extra></extra>"
        fig.add_bar(y=share, marker_color=colour, hovertemplate=hover, row=row, col=1)
        highest = max(highest, float(share.max()))
        middle = float(np.median(mine)) if mine.size else 0.0
        medians.append((middle, float(share[round(middle)]) if mine.size else 0.0))
    for row, (middle, top) in enumerate(medians, start=1):
        line = {"color": UNKNOWN, "width": 1.5}
        fig.add_shape(type="line", x0=middle, x1=middle, y0=top, y1=1.15 * highest, line=line, row=row, col=1)
        said = {"text": f"median {middle:g}", "yanchor": "bottom", "showarrow": False}
        fig.add_annotation(x=middle, y=1.12 * highest, **said, row=row, col=1)
    finish(fig, height=90 + 92 * len(colours), legend=False)
    fig.update_annotations(font_size=12)
    fig.update_yaxes(nticks=3, range=[0, 1.6 * highest])
    fig.update_yaxes(title_text="Cells (%)", row=(len(colours) + 1) // 2)
    fig.update_xaxes(title_text=wrapped(f"Open gates (of {gates.shape[1]})"), row=len(colours))
    return fig.update_layout(bargap=0.15)
