"""Figures of training runs."""

from collections.abc import Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from neuroclass.cell_types import label_of
from neuroclass.charts.shap_charts import feature_label
from neuroclass.charts.theme import PALETTE, colours_of, escape, finish, note, ordered

HEIGHT = 340
MOST_FEATURES = 16
"""Features in a gate matrix: those most open, on average over its cells."""
NAMES: Mapping[str, str] = {
    "label": "training batch",
    "validation_label": "validation donors",
    "total": "total",
    "training_accuracy": "accuracy, training",
    "validation_accuracy": "accuracy, validation",
    "training_macro_f1": "macro F1, training",
    "validation_macro_f1": "macro F1, validation",
    "domain_accuracy": "accuracy of the domain",
    "domain_chance": "largest domain",
    "gate_penalty": "expected, training batch",
    "open_gates": "open, as the model predicts",
}
_DASHED = ("training_accuracy", "training_macro_f1", "domain_chance", "total")


def history(
    table: pd.DataFrame,
    columns: Sequence[str],
    title: str,
    simulated: bool = False,
    best: int | None = None,
    percent: bool = False,
) -> go.Figure:
    """Quantities by epoch.

    Parameters
    ----------
    table : DataFrame
        Column ``epoch`` and those named by `columns`.
    columns : sequence of str
        Columns to draw.
    title : str
        Title of the vertical axis with its unit.
    simulated : bool
        Whether the training cells are simulated.
    best : int, optional
        Epoch to mark as the best.
    percent : bool
        Whether the quantities are fractions of 1, to be shown in percent.

    Returns
    -------
    Figure
    """
    if table.empty or not columns:
        return note("Waiting for the first epoch.", height=HEIGHT)
    fig = go.Figure()
    for name, colour in zip(columns, PALETTE * (1 + len(columns) // len(PALETTE)), strict=False):
        shown = NAMES.get(name, name.replace("_", " "))
        fig.add_scatter(
            x=table["epoch"],
            y=table[name],
            mode="lines",
            name=escape(shown),
            line={"color": colour, "width": 2, "dash": "dot" if name in _DASHED else "solid"},
            hovertemplate=f"{escape(shown)}, epoch %{{x}}: %{{y:{'.1%' if percent else '.3f'}}}<extra></extra>",
        )
    if percent:
        fig.update_yaxes(tickformat=".0%")
    if best is not None:
        fig.add_vline(x=best, line={"width": 1, "dash": "dash", "color": "#7F7F7F"})
        fig.add_annotation(
            x=best, y=1, yref="paper", yanchor="bottom", xanchor="center", text=f"best: {best}", showarrow=False
        )
    return _legend_below(finish(fig, height=HEIGHT, x="Epoch", y=title, simulated=simulated))


def _legend_below(fig: go.Figure) -> go.Figure:
    """Where several figures stand side by side, a legend above would lie on the plot."""
    return fig.update_layout(legend={"yanchor": "top", "y": -0.3, "x": 0}, margin={"l": 8, "r": 12, "t": 28, "b": 8})


def overlaid(runs: Mapping[str, pd.DataFrame], column: str, title: str, simulated: bool = False) -> go.Figure:
    """One quantity of several runs by epoch.

    Parameters
    ----------
    runs : mapping of str to DataFrame
        Each run's epochs, by its title.
    column : str
        The quantity; runs without it are left out.
    title : str
        Title of the vertical axis with its unit.
    simulated : bool
        Whether the training cells are simulated.

    Returns
    -------
    Figure
    """
    fig = go.Figure()
    for number, (name, table) in enumerate(runs.items()):
        if column in table:
            fig.add_scatter(
                x=table["epoch"],
                y=table[column],
                mode="lines",
                name=escape(name),
                line={"color": PALETTE[number % len(PALETTE)], "width": 2},
                hovertemplate=f"{escape(name)}, epoch %{{x}}: %{{y:.3f}}<extra></extra>",
            )
    if not fig.data:
        return note("None of these runs has this quantity.", height=HEIGHT)
    return finish(fig, height=HEIGHT + 40, x="Epoch", y=title, simulated=simulated)


def gate_matrix(gates: pd.DataFrame, truth: Sequence[str], simulated: bool = False) -> go.Figure:
    """Gates of a few cells, in the order of their classes.

    Parameters
    ----------
    gates : DataFrame, one row per cell
        A column per feature, 0 shut to 1 open; the index names the cells.
    truth : sequence of str
        Class of each cell.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
        The features most open on average, most open first.
    """
    means = gates.mean().sort_values(ascending=False)
    shown = [str(name) for name in means.index[:MOST_FEATURES]]
    hover = [[f"{cell}, {label_of(name)}"] * len(shown) for cell, name in zip(gates.index, truth, strict=True)]
    fig = go.Figure(
        go.Heatmap(
            z=gates[shown].to_numpy().T,
            x=list(range(len(gates))),
            y=[escape(feature_label(name)) for name in shown],
            zmin=0,
            zmax=1,
            colorscale="Blues",
            customdata=list(map(list, zip(*hover, strict=True))),
            hovertemplate="%{customdata}<br>%{y}: gate %{z:.2f}<extra></extra>",
            colorbar={"title": {"text": "gate"}, "thickness": 10},
        )
    )
    names = list(truth)
    starts = [k for k in range(len(names)) if k == 0 or names[k] != names[k - 1]]
    middles = [(start + end - 1) / 2 for start, end in zip(starts, [*starts[1:], len(names)], strict=True)]
    fig.update_xaxes(tickvals=middles, ticktext=[label_of(names[k]) for k in starts], tickangle=-35)
    for start in starts[1:]:
        fig.add_vline(x=start - 0.5, line={"width": 1, "color": "#7F7F7F"})
    fig.update_yaxes(autorange="reversed", automargin=True)
    return finish(fig, height=420, x="Cells by class", simulated=simulated, legend=False)


def embedding(points: pd.DataFrame, simulated: bool = False) -> go.Figure:
    """Where a net puts a few cells.

    Parameters
    ----------
    points : DataFrame, one row per cell
        Columns ``x``, ``y``, ``cell``, ``truth`` and ``predicted``.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
        Wrongly classified cells as crosses.
    """
    fig = go.Figure()
    colours = colours_of(points["truth"])
    for name in ordered(points["truth"]):
        rows = points[points["truth"] == name]
        wrong = (rows["predicted"] != rows["truth"]).to_numpy()
        said = [f"{cell}, predicted {label_of(p)}" for cell, p in zip(rows["cell"], rows["predicted"], strict=True)]
        fig.add_scatter(
            x=rows["x"],
            y=rows["y"],
            mode="markers",
            name=escape(label_of(name)),
            marker={"color": colours[name], "size": 7, "symbol": ["x" if one else "circle" for one in wrong]},
            text=[escape(one) for one in said],
            hovertemplate="%{text}<extra></extra>",
        )
    fig.update_xaxes(showticklabels=False)
    fig.update_yaxes(showticklabels=False)
    return _legend_below(finish(fig, height=420, x="Component 1 (a.u.)", y="Component 2 (a.u.)", simulated=simulated))
