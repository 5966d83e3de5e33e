"""Figures of the evidence for one verdict: reasons with gates, counterfactual and stress test."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.cell_types import COLOURS
from neuroclass.charts.theme import (
    ACCENT,
    NEGATIVE,
    POSITIVE,
    UNKNOWN,
    class_label,
    escape,
    finish,
    lines,
    note,
    wrapped,
)
from neuroclass.features import BY_NAME, signed

LEAST_OPEN = 0.005
"""A gate below it is written as 0 and counts as shut."""
_HATCH = {"fgcolor": "#FFFFFF", "fgopacity": 0.75, "size": 7, "solidity": 0.3, "fillmode": "overlay"}
_NAME_WIDTH = 24
_LONG_NAME_WIDTH = 28
_TEXT_SHARE = 0.45
"""What a bar's text takes of the axis on a narrow screen, of the range of the bars."""
_NARROW = 18
"""Characters of a title below a figure that has half a page."""


def feature_name(feature: str) -> str:
    """A feature's name with its stimulus, for axes."""
    return BY_NAME[feature].named


def reasons(table: pd.DataFrame, label: str, *, simulated: bool = False, pooled: bool = False) -> go.Figure:
    """SHAP values of one prediction, with gates if the model has them; each bar carries its feature's name.

    Parameters
    ----------
    table : DataFrame
        Columns ``feature``, ``shown`` (value with unit), ``shap`` (probability) and ``gate`` (0 to 1, or None),
        largest contribution first.
    label : str
        The class that the values speak for.
    simulated : bool
        Whether the cell is simulated.
    pooled : bool
        Whether the answer pools a model with gates and models without.

    Returns
    -------
    Figure
        Bars of features whose gate is shut are hatched.
    """
    if table.empty:
        return note("No feature was measured, so there is no reason to show.")
    rows = table.iloc[::-1]
    names = [
        lines(f"{feature_name(f)} = {s}", _LONG_NAME_WIDTH) for f, s in zip(rows["feature"], rows["shown"], strict=True)
    ]
    gated = bool(rows["gate"].notna().any())
    shut = (rows["gate"] < LEAST_OPEN).to_numpy(dtype=bool) if gated else np.zeros(len(rows), dtype=bool)
    fig = make_subplots(1, 2 if gated else 1, shared_yaxes=True, column_widths=[0.76, 0.24] if gated else None,
                        horizontal_spacing=0.08)  # fmt: skip
    texts = [signed(100 * value, 1) for value in rows["shap"]]
    fig.add_bar(
        x=100 * rows["shap"],
        y=names,
        orientation="h",
        customdata=rows["feature"].tolist(),
        marker={
            "color": [POSITIVE if value >= 0 else NEGATIVE for value in rows["shap"]],
            "pattern": {"shape": ["/" if one else "" for one in shut], **_HATCH},
        },
        showlegend=False,
        text=[text if value >= 0 else "" for text, value in zip(texts, rows["shap"], strict=True)],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:+.1f}<extra>click: where it was measured</extra>",
        row=1,
        col=1,
    )
    for name, text, value in zip(names, texts, rows["shap"], strict=True):
        if value < 0:  # a text left of the bar would lie on the names
            fig.add_annotation(x=0, y=name, text=text, xanchor="left", showarrow=False, row=1, col=1)
    low, high = min(0.0, 100 * float(rows["shap"].min())), max(0.1, 100 * float(rows["shap"].max()))
    title = f"SHAP towards {class_label(label)}<br>(percentage points)"
    fig.update_xaxes(range=[low * 1.05, high + _TEXT_SHARE * (high - low)], nticks=5, title_text=title, col=1)
    if gated:
        fig.add_bar(
            x=rows["gate"],
            y=names,
            orientation="h",
            customdata=rows["feature"].tolist(),
            marker_color=UNKNOWN,
            showlegend=False,
            text=[_gate(value) for value in rows["gate"]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: gate %{x:.2f}<extra>click: where it was measured</extra>",
            row=1,
            col=2,
        )
        ends = {"tickvals": [0, 1], "ticktext": ["0<br>shut", "1<br>open"]}
        fig.update_xaxes(range=[-0.15, 1.6], title_text="LSPIN's gate<br>(0 to 1)", **ends, row=1, col=2)
    if shut.any():
        marker = {"color": POSITIVE, "pattern": {"shape": "/", **_HATCH}}
        name = "gate shut" + (": by the pooled models without gates" if pooled else "")
        fig.add_bar(x=[0], y=names[:1], orientation="h", name=name, marker=marker, hoverinfo="skip", row=1, col=1)
    finish(fig, height=120 + 34 * len(rows) + (20 if shut.any() else 0), simulated=simulated, legend=bool(shut.any()))
    fig.update_layout(barmode="overlay")
    return fig.update_yaxes(title_text="Feature (value)", col=1)


def _gate(value: float) -> str:
    """A gate as it is written beside its bar; one that is shut reads 0."""
    return "" if value != value else f"{value:.2f}" if LEAST_OPEN <= value < 1 - LEAST_OPEN else f"{value:.0f}"


def changes(
    table: pd.DataFrame,
    *,
    x: str = "Change (standard deviations of the training cells)",
    simulated: bool = False,
) -> go.Figure:
    """The changes of a counterfactual, or the differences of two cells, in standard deviations of the training cells.

    Parameters
    ----------
    table : DataFrame
        Columns ``feature``, ``now`` and ``then`` (text with units) and ``delta_z``, largest first.
    x : str
        Title of the axis.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    rows = table.iloc[::-1]
    texts = [f"{escape(now)} → {escape(then)}" for now, then in zip(rows["now"], rows["then"], strict=True)]
    fig = go.Figure(
        go.Bar(
            x=rows["delta_z"],
            y=[
                f"{lines(feature_name(feature), _NAME_WIDTH)}<br>{text}"
                for feature, text in zip(rows["feature"], texts, strict=True)
            ],
            orientation="h",
            marker_color=[POSITIVE if value >= 0 else NEGATIVE for value in rows["delta_z"]],
            customdata=[escape(feature_name(feature)) for feature in rows["feature"]],
            text=texts,
            textposition="none",
            hovertemplate="%{customdata}: %{text}, %{x:+.2f} standard deviations<extra></extra>",
        )
    )
    reach = max(0.2, float(rows["delta_z"].abs().max())) * 1.05
    low = -reach if (rows["delta_z"] < 0).any() else 0.0
    fig.update_xaxes(range=[low, reach if (rows["delta_z"] > 0).any() else reach * 0.05])
    return finish(
        fig,
        height=120 + 54 * len(rows),
        x=lines(x, _NAME_WIDTH),
        y="Feature",
        simulated=simulated,
        legend=False,
    )


def stress(
    table: pd.DataFrame, label: str, units: Mapping[str, str], as_recorded: float, *, simulated: bool = False
) -> go.Figure:
    """Probability of the label under each variant of the recording, one panel per axis.

    Parameters
    ----------
    table : DataFrame
        One row per variant: ``axis``, ``level`` (number, or NaN), ``label`` (text), ``probability`` of the label as
        recorded and ``top``, the likeliest class under the variant.
    label : str
        The label as recorded.
    units : mapping of axis to unit
        In the order of the panels.
    as_recorded : float
        Its probability as recorded, drawn as a dotted line.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
    """
    axes = [axis for axis in units if (table["axis"] == axis).any()]
    if not axes:
        return note("No variant was tried yet.")
    wide = 3 if len(axes) > 2 else len(axes)
    n_rows = -(-len(axes) // wide)
    fig = make_subplots(n_rows, wide, shared_yaxes="all", horizontal_spacing=0.04, vertical_spacing=0.3)
    for k, axis in enumerate(axes):
        place = {"row": k // wide + 1, "col": k % wide + 1}
        _panel(fig, table[table["axis"] == axis], axis, units[axis], label, place)
        fig.add_hline(y=as_recorded, line={"dash": "dot", "width": 1, "color": UNKNOWN}, **place)
    fig.update_yaxes(range=[-0.03, 1.05])
    for row in range(1, n_rows + 1):
        fig.update_yaxes(title_text=f"Probability of {class_label(label)}", row=row, col=1)
    return finish(fig, height=60 + 270 * n_rows, simulated=simulated, legend=False)


def _panel(fig: go.Figure, rows: pd.DataFrame, axis: str, unit: str, label: str, place: Mapping[str, int]) -> None:
    kept = (rows["top"] == label).to_numpy()
    categories = bool(rows["level"].isna().any() or axis == "dropped sweeps")
    x: Sequence[object] = rows["label"].map(escape).tolist() if categories else rows["level"].tolist()
    colours = [ACCENT if held else COLOURS.get(top, POSITIVE) for held, top in zip(kept, rows["top"], strict=True)]
    fig.add_scatter(
        x=x,
        y=rows["probability"],
        mode="markers" if categories else "lines+markers",
        line={"color": UNKNOWN, "width": 1},
        marker={"size": 11, "color": colours, "symbol": ["circle" if held else "x" for held in kept]},
        customdata=[[class_label(top), escape(text)] for top, text in zip(rows["top"], rows["label"], strict=True)],
        hovertemplate="%{customdata[1]}: %{y:.3f}, likeliest %{customdata[0]}<extra></extra>",
        **place,
    )
    title = axis[0].upper() + axis[1:]
    fig.update_xaxes(
        title_text=title if categories else f"{title} ({unit})", tickangle=-35 if categories else 0, **place
    )


def from_database(labels: Sequence[str], deviations: Sequence[float]) -> go.Figure:
    """The features farthest from the database's likeliest class, as bars from its mean.

    Parameters
    ----------
    labels : sequence of str
        The features, farthest first.
    deviations : sequence of float
        In standard deviations of that class.

    Returns
    -------
    Figure
    """
    fig = go.Figure(
        go.Bar(
            x=list(deviations)[::-1],
            y=list(labels)[::-1],
            orientation="h",
            marker={"color": ACCENT},
            hovertemplate="%{y}: %{x:+.1f} SD<extra></extra>",
        )
    )
    widest = max(4.0, *(abs(one) * 1.1 for one in deviations))
    fig.add_vrect(x0=-2, x1=2, fillcolor=ACCENT, opacity=0.12, line_width=0)
    fig.update_xaxes(range=[-widest, widest])
    title = wrapped("Distance from the class mean (SD; shaded: ±2)", _NARROW)
    return finish(fig, height=112 + 26 * len(labels), x=title, legend=False)
