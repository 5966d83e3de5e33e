"""Figures on how much gates matter: deletion and insertion curves, one cell's gates and their ablation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.gates import STIMULUS_COLOURS
from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import NEGATIVE, PALETTE, POSITIVE, UNKNOWN, class_label, finish
from neuroclass.features import BY_NAME

_RANKINGS = {
    "gates": ("by gate, the most open first", PALETTE[0]),
    "SHAP": ("by |SHAP|, the largest first", PALETTE[1]),
    "random": ("by chance", UNKNOWN),
}
_PANELS = {"deletion": "Deletion: the first k taken away", "insertion": "Insertion: only the first k kept"}


def curves(table: pd.DataFrame) -> go.Figure:
    """Held-out accuracy as features are deleted, or inserted, in order of importance.

    Parameters
    ----------
    table : DataFrame
        Columns curve, ranking, features, accuracy, low, high (fractions of cells).

    Returns
    -------
    Figure
        Bands: 95% intervals.
    """
    fig = make_subplots(1, 2, shared_yaxes=True, subplot_titles=list(_PANELS.values()), horizontal_spacing=0.04)
    for column, curve in enumerate(_PANELS, start=1):
        for ranking, (name, colour) in _RANKINGS.items():
            rows = table[(table["curve"] == curve) & (table["ranking"] == ranking)].sort_values("features")
            if rows.empty:
                continue
            band = [*rows["features"], *rows["features"][::-1]]
            fig.add_scatter(
                x=band,
                y=[*rows["high"], *rows["low"][::-1]],
                fill="toself",
                mode="lines",
                line={"width": 0},
                fillcolor=_pale(colour),
                hoverinfo="skip",
                showlegend=False,
                row=1,
                col=column,
            )
            fig.add_scatter(
                x=rows["features"],
                y=rows["accuracy"],
                mode="lines+markers",
                name=name,
                legendgroup=ranking,
                showlegend=column == 1,
                line={"color": colour, "width": 2},
                marker={"size": 5},
                hovertemplate="%{x} features: %{y:.3f}<extra></extra>",
                row=1,
                col=column,
            )
    finish(fig, height=400, x="Features k (number of 41)")
    fig.update_layout(margin_t=78, legend_y=1.12)
    fig.update_yaxes(range=[0.3, 1.0], title_text="Held-out accuracy (fraction of cells)", col=1)
    fig.update_yaxes(range=[0.3, 1.0], col=2)
    return fig


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def of_cell(gates: pd.Series, percentiles: pd.Series, shown: Sequence[str], where: str) -> go.Figure:
    """One cell's gates above the percentiles of its values.

    Parameters
    ----------
    gates : Series, by feature
        Gates, 0 to 1.
    percentiles : Series, by feature
        Percentile of the value, 0 to 100; NaN where missing.
    shown : sequence of str
        The values with units, in the order of `gates`.
    where : str
        The cells the percentiles refer to.

    Returns
    -------
    Figure
        Percentiles of features with an open gate are filled.
    """
    names = [feature_label(str(name)) for name in gates.index]
    colours = [STIMULUS_COLOURS[BY_NAME[str(name)].stimulus.value] for name in gates.index]
    is_open = gates.to_numpy() > 0
    fig = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.45, 0.55], vertical_spacing=0.04)
    hover = "%{x}: gate %{y:.2f}<extra></extra>"
    fig.add_bar(x=names, y=gates.to_numpy(), marker_color=colours, hovertemplate=hover, row=1, col=1)
    fig.add_hrect(y0=25, y1=75, fillcolor=UNKNOWN, opacity=0.18, line_width=0, row=2, col=1)
    fig.add_scatter(
        x=names,
        y=percentiles.reindex(gates.index),
        mode="markers",
        marker={
            "color": colours,
            "size": 10,
            "symbol": ["circle" if k else "circle-open" for k in is_open],
            "line": {"width": 1.5},
        },
        customdata=[[value] for value in shown],
        hovertemplate="%{x} = %{customdata[0]}: percentile %{y:.0f}<extra></extra>",
        row=2,
        col=1,
    )
    finish(fig, height=520, legend=False)
    fig.update_yaxes(range=[0, 1.05], title_text="Gate (0 shut, 1 open)", row=1)
    fig.update_yaxes(range=[-4, 104], title_text=f"Percentile<br>{where} (%)", row=2)
    fig.update_xaxes(tickangle=-60, tickfont={"size": 10}, title_text="Feature, by stimulus", row=2)
    return fig


def ablation(table: pd.DataFrame, label: str) -> go.Figure:
    """Change of the predicted class' probability when each open gate alone is shut.

    Parameters
    ----------
    table : DataFrame
        Columns feature, gate, change (of the probability) and becomes (the class predicted then).
    label : str
        The predicted class.

    Returns
    -------
    Figure
        Bars that change the label name the new one.
    """
    rows = table.sort_values("change", ascending=False)
    flips = (rows["becomes"] != label).to_numpy()
    fig = go.Figure(
        go.Bar(
            x=rows["change"],
            y=[feature_label(name) for name in rows["feature"]],
            orientation="h",
            marker_color=np.where(flips, PALETTE[3], np.where(rows["change"] < 0, NEGATIVE, POSITIVE)),
            text=[
                f"{c:+.3f}" + (f", becomes {class_label(b)}" if f else "")
                for c, b, f in zip(rows["change"], rows["becomes"], flips, strict=True)
            ],
            textposition="outside",
            cliponaxis=False,
            customdata=rows["gate"],
            hovertemplate="%{y} (gate %{customdata:.2f}): %{text}<extra></extra>",
        )
    )
    low, high = min(0.0, float(rows["change"].min())), max(0.0, float(rows["change"].max()))
    room = 0.35 * max(high - low, 0.02)
    fig.update_xaxes(range=[low - room, high + room])
    title = f"Change of the probability of {class_label(label)} (fraction of 1)"
    return finish(fig, height=110 + 30 * len(rows), x=title, y="Gate shut", legend=False)
