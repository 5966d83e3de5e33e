"""Figures of domain mixing and of cross-species matches."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.cell_types import COLOURS
from neuroclass.charts.embedding import space_title
from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import ACCENT, PALETTE, UNKNOWN, escape, finish


def measures(table: pd.DataFrame, spaces: Sequence[str], chosen: str) -> go.Figure:
    """Each measure in each space, with its chance level.

    Parameters
    ----------
    table : DataFrame
        Columns space, measure, mean, low, high (over folds), chance.
    spaces : sequence of str
        Spaces, left to right.
    chosen : str
        The space to highlight.

    Returns
    -------
    Figure
        One panel per measure.
    """
    names = list(dict.fromkeys(table["measure"]))
    titles = [_broken(name) for name in names]
    fig = make_subplots(1, len(names), subplot_titles=titles, horizontal_spacing=0.045)
    for column, measure in enumerate(names, start=1):
        rows = table[table["measure"] == measure].set_index("space").reindex(list(spaces))
        fig.add_bar(
            x=[_short(space) for space in spaces],
            y=rows["mean"],
            marker_color=[ACCENT if space == chosen else UNKNOWN for space in spaces],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (rows["high"] - rows["mean"]).tolist(),
                "arrayminus": (rows["mean"] - rows["low"]).tolist(),
                "thickness": 1.2,
            },
            customdata=[[space_title(space)] for space in spaces],
            hovertemplate=f"%{{customdata[0]}}<br>{measure}: %{{y:.3f}}<extra></extra>",
            showlegend=False,
            row=1,
            col=column,
        )
        fig.add_scatter(
            x=[_short(space) for space in spaces],
            y=rows["chance"],
            mode="lines",
            line={"dash": "dot", "color": "#C05621", "width": 2},
            name="chance",
            showlegend=column == 1,
            hovertemplate="chance %{y:.3f}<extra></extra>",
            row=1,
            col=column,
        )
        if "MMD" not in measure:
            fig.update_yaxes(range=[0, 1.02], row=1, col=column)
    finish(fig, height=360, x="Space (λ)")
    fig.update_annotations(font_size=12)
    fig.update_layout(margin_t=92, legend_y=1.2)
    fig.update_yaxes(title_text="Value (fraction; MMD² no unit)", col=1)
    return fig


def _broken(text: str) -> str:
    words = text.replace(", ", ",<br>").split(" ")
    middle = len(words) // 2
    return text.replace(", ", ",<br>") if "," in text else " ".join(words[:middle]) + "<br>" + " ".join(words[middle:])


def _short(space: str) -> str:
    if space == "raw":
        return "raw"
    return "DANN" if space == "dann" else f"λ={space.removeprefix('lambda')}"


def matched_cells(table: pd.DataFrame, title: str) -> go.Figure:
    """Where a mouse cell's values stand in its species, and its human match's in theirs.

    Parameters
    ----------
    table : DataFrame
        Columns feature, mouse and human: percentile (0 to 100) within the species, NaN where missing.
    title : str
        Name of the human cell.

    Returns
    -------
    Figure
    """
    names = [feature_label(name) for name in table["feature"]]
    fig = go.Figure()
    for x, low, high in zip(names, table["mouse"], table["human"], strict=True):
        line = {"color": UNKNOWN, "width": 1.5}
        fig.add_scatter(x=[x, x], y=[low, high], mode="lines", line=line, hoverinfo="skip", showlegend=False)
    for species, label, symbol in (("mouse", "the mouse cell", "circle"), ("human", escape(title), "diamond")):
        fig.add_scatter(
            x=names,
            y=table[species],
            mode="markers",
            name=label,
            marker={"size": 9, "symbol": symbol, "color": COLOURS.get(species, PALETTE[0])},
            hovertemplate="%{x}: percentile %{y:.0f}<extra></extra>",
        )
    fig.update_xaxes(tickangle=-60, tickfont={"size": 10})
    fig.update_yaxes(range=[-4, 104])
    return finish(fig, height=440, x="Feature", y="Percentile in its own species (%)")
