"""Figures on how much gates matter: deletion and insertion curves, one cell's gates and their ablation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.gates import ROW_PX, STIMULUS_COLOURS
from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import NEGATIVE, PALETTE, POSITIVE, UNKNOWN, class_label, finish
from neuroclass.features import BY_NAME, signed

_RANKINGS = {
    "gates": ("by gate, the most open first", PALETTE[0]),
    "SHAP": ("by |SHAP|, the largest first", PALETTE[1]),
    "random": ("random", UNKNOWN),
}
_PANELS = {"deletion": "Deletion: the first k removed", "insertion": "Insertion: only the first k kept"}


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
                y=[*100 * rows["high"], *100 * rows["low"][::-1]],
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
                y=100 * rows["accuracy"],
                mode="lines+markers",
                name=name,
                legendgroup=ranking,
                showlegend=column == 1,
                line={"color": colour, "width": 2},
                marker={"size": 5},
                hovertemplate="%{x} features: %{y:.1f}%<extra></extra>",
                row=1,
                col=column,
            )
    finish(fig, height=400)
    for column, what in enumerate(("removed", "kept"), start=1):
        fig.update_xaxes(title_text=f"Features {what},<br>k (of 41)", row=1, col=column)
    fig.update_annotations(font_size=13)
    fig.update_layout(margin_t=72, legend_y=1.12)
    fig.update_yaxes(range=[30, 100], title_text="Held-out accuracy (%)", col=1)
    fig.update_yaxes(range=[30, 100], col=2)
    return fig


def _pale(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def of_cell(gates: pd.Series, percentiles: pd.Series, shown: Sequence[str]) -> go.Figure:
    """One cell's gates beside the percentiles of its values.

    Parameters
    ----------
    gates : Series, by feature
        Gates, 0 to 1.
    percentiles : Series, by feature
        Percentile of the value, 0 to 100; NaN where missing.
    shown : sequence of str
        The values with units, in the order of `gates`.

    Returns
    -------
    Figure
        Percentiles of features with an open gate are filled.
    """
    names = [feature_label(str(name)) for name in gates.index]
    stimuli = [BY_NAME[str(name)].stimulus for name in gates.index]
    is_open = gates.to_numpy() > 0
    places = percentiles.reindex(gates.index).to_numpy(dtype=float)
    fig = make_subplots(1, 2, shared_yaxes=True, column_widths=[0.4, 0.6], horizontal_spacing=0.03)
    for stimulus in dict.fromkeys(stimuli):
        mine = [k for k, each in enumerate(stimuli) if each is stimulus]
        colour, own = STIMULUS_COLOURS[stimulus.value], [names[k] for k in mine]
        fig.add_bar(
            x=gates.to_numpy()[mine],
            y=own,
            orientation="h",
            marker_color=colour,
            name=stimulus.label,
            hovertemplate="%{y}: gate %{x:.2f}<extra></extra>",
            row=1,
            col=1,
        )
        fig.add_scatter(
            x=places[mine],
            y=own,
            mode="markers",
            marker={
                "color": colour,
                "size": 9,
                "symbol": ["circle" if is_open[k] else "circle-open" for k in mine],
                "line": {"width": 1.5},
            },
            showlegend=False,
            customdata=[[shown[k]] for k in mine],
            hovertemplate="%{y} = %{customdata[0]}: percentile %{x:.0f}<extra></extra>",
            row=1,
            col=2,
        )
    fig.add_vrect(x0=25, x1=75, fillcolor=UNKNOWN, opacity=0.18, line_width=0, row=1, col=2)
    for symbol, name in (("circle", "value, gate open"), ("circle-open", "value, gate shut")):
        marker = {"symbol": symbol, "color": UNKNOWN, "size": 9, "line": {"width": 1.5}}
        fig.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=name, row=1, col=2)
    finish(fig, height=220 + ROW_PX * len(names))
    fig.update_xaxes(range=[0, 1.05], title_text="Gate (0–1)", col=1)
    fig.update_xaxes(range=[-4, 104], title_text="Percentile (%)", col=2)
    fig.update_yaxes(categoryorder="array", categoryarray=names[::-1], tickfont={"size": 12}, dtick=1)
    fig.update_layout(barmode="overlay")
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
            x=100 * rows["change"],
            y=[feature_label(name) for name in rows["feature"]],
            orientation="h",
            marker_color=np.where(flips, PALETTE[3], np.where(rows["change"] < 0, NEGATIVE, POSITIVE)),
            text=[
                signed(100 * c, 1) + (f", becomes {class_label(b)}" if f else "")
                for c, b, f in zip(rows["change"], rows["becomes"], flips, strict=True)
            ],
            textposition="outside",
            cliponaxis=False,
            customdata=rows["gate"],
            hovertemplate="%{y} (gate %{customdata:.2f}): %{text}<extra></extra>",
        )
    )
    low, high = min(0.0, 100 * float(rows["change"].min())), max(0.0, 100 * float(rows["change"].max()))
    room = 0.35 * max(high - low, 2.0)
    fig.update_xaxes(range=[low - room, high + room])
    title = "Change of probability<br>when this gate is shut<br>(percentage points)"
    return finish(fig, height=110 + 30 * len(rows), x=title, legend=False)
