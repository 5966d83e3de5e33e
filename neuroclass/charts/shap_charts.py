"""Figures of SHAP values. Their unit is the explainer's and is passed in; probability is drawn in percentage points."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from neuroclass.charts.theme import LOW_TO_HIGH, NEGATIVE, POSITIVE, UNKNOWN, class_label, colours_of, escape, finish
from neuroclass.features import BY_NAME, signed
from neuroclass.types.arrays import Floats

POINTS = "percentage points"


def drawn_in(unit: str) -> tuple[float, str, int]:
    """Factor, name and decimals in which SHAP values of a unit are drawn."""
    return (100.0, POINTS, 1) if unit == "probability" else (1.0, unit, 3)


def feature_label(name: str) -> str:
    """What a feature is called, with its stimulus and no unit; a quantity's label if it spans several stimuli."""
    spec = BY_NAME.get(name)
    return f"{name} (all stimuli)" if spec is None else spec.named


def _spread(values: Floats, n_bins: int = 60) -> Floats:
    """Vertical offsets, −0.4 … 0.4, that separate points of similar value."""
    low, high = float(values.min()), float(values.max())
    bins = (
        np.zeros(values.size, dtype=int) if high == low else ((values - low) / (high - low) * (n_bins - 1)).astype(int)
    )
    offset = np.zeros(values.size)
    largest = int(np.bincount(bins).max())
    for index in np.unique(bins):
        inside = np.flatnonzero(bins == index)
        rank = np.arange(inside.size)
        offset[inside] = np.where(rank % 2, 1, -1) * ((rank + 1) // 2)
    return 0.8 * offset / max(largest, 8)


def beeswarm(
    values: pd.DataFrame,
    deciles: pd.DataFrame,
    features: Sequence[str],
    *,
    unit: str,
    simulated: bool = False,
    means: Mapping[str, float] | None = None,
    towards: str = "",
) -> go.Figure:
    """SHAP values of many cells, one row per feature, coloured by the feature's decile in its species.

    Parameters
    ----------
    values : DataFrame, cells × features
        SHAP values.
    deciles : DataFrame, cells × features
        The feature's decile, 1–10, NaN or 0 where it is missing.
    features : sequence of str
        Features to show, the most important first.
    unit : str
        Unit of the SHAP values.
    simulated : bool
        Whether the cells are simulated.
    means : mapping of str to float, optional
        Mean |SHAP| of each feature, written beside its name.
    towards : str
        The class that positive values favour, for the axis.

    Returns
    -------
    Figure
    """
    factor, shown, digits = drawn_in(unit)
    fig = go.Figure()
    for row, name in enumerate(reversed(list(features))):
        x = factor * values[name].to_numpy(dtype=np.float64)
        decile = deciles[name].to_numpy(dtype=np.float64)
        known = decile >= 1
        style = {"size": 4, "cmin": 1, "cmax": 10, "colorscale": LOW_TO_HIGH, "opacity": 0.85}
        if row == 0:
            style["colorbar"] = {
                "title": {"text": "Feature's value"},
                "thickness": 12,
                "tickvals": [1, 5.5, 10],
                "ticktext": ["lowest tenth", "median", "highest tenth"],
            }
        fig.add_scatter(
            x=x.round(5),
            y=row + _spread(x) if x.size else [],
            mode="markers",
            marker={**style, "color": np.where(known, decile, np.nan), "showscale": row == 0},
            customdata=decile,
            hovertemplate=f"{feature_label(name)}<br>SHAP %{{x:.{digits}f}}, decile %{{customdata}}<extra></extra>",
        )
    fig.add_vline(x=0, line={"color": UNKNOWN, "width": 1})
    means = {} if means is None else means
    fig.update_yaxes(
        tickvals=list(range(len(features))),
        ticktext=[
            feature_label(name) + (f"  <b>{factor * means[name]:.{digits}f}</b>" if name in means else "")
            for name in reversed(list(features))
        ],
        range=[-0.7, len(features) - 0.3],
    )
    return finish(
        fig,
        height=100 + 28 * len(features),
        x=f"SHAP value ({shown})" + (f"<br>right: towards {escape(towards)}, left: away from it" if towards else ""),
        simulated=simulated,
        legend=False,
    )


def importance(table: pd.DataFrame, *, unit: str, simulated: bool = False) -> go.Figure:
    """Mean |SHAP| of each feature in each group of cells.

    Parameters
    ----------
    table : DataFrame, features × groups
        Mean absolute SHAP values, the most important feature first.
    unit : str
        Unit of the SHAP values.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    factor, shown, digits = drawn_in(unit)
    rows = factor * table.iloc[::-1]
    fig = go.Figure()
    for group, colour in reversed(colours_of(table.columns).items()):  # the first bar of a group is the lowest
        fig.add_bar(
            x=rows[group],
            y=[feature_label(str(name)) for name in rows.index],
            orientation="h",
            name=class_label(group),
            marker_color=colour,
            hovertemplate=f"%{{y}}, {class_label(group)}: %{{x:.{digits + 1}f}}<extra></extra>",
        )
    fig.update_layout(barmode="group", bargap=0.25)
    height = 110 + len(rows) * max(24, 10 * len(table.columns))
    finish(fig, height=height, x=f"Mean |SHAP| ({shown})", simulated=simulated)
    return fig.update_layout(legend_traceorder="reversed")


def dependence(
    points: pd.DataFrame,
    feature: str,
    other: str,
    *,
    unit: str,
    marked: str | None = None,
    deciles: bool = False,
    simulated: bool = False,
) -> go.Figure:
    """A feature's SHAP value against its value, coloured by a second feature's decile.

    Parameters
    ----------
    points : DataFrame
        Columns ``id``, ``value`` (shown unit), ``shap`` and ``decile`` (of the second feature).
    feature, other : str
        The two features.
    unit : str
        Unit of the SHAP values.
    marked : str, optional
        Id of a cell to mark.
    deciles : bool
        Whether ``value`` holds deciles within the species.
    simulated : bool
        Whether the cells are simulated.

    Returns
    -------
    Figure
    """
    factor, shown, digits = drawn_in(unit)
    points = points.assign(shap=factor * points["shap"])
    second = feature_label(other).replace(" (", "<br>(")
    bar = {"title": {"text": f"Decile of<br>{second}<br>(1–10)"}, "thickness": 12}
    place = _within_decile(points) if deciles else points["value"]
    fig = go.Figure(
        go.Scatter(
            x=place,
            y=points["shap"],
            mode="markers",
            marker={
                "size": 5,
                "color": points["decile"],
                "colorscale": LOW_TO_HIGH,
                "cmin": 1,
                "cmax": 10,
                "colorbar": bar,
                "opacity": 0.85,
            },
            customdata=points[["id", "value"]],
            name="cell",
            hovertemplate=f"%{{customdata[0]}}: %{{customdata[1]:.4g}}, SHAP %{{y:.{digits}f}}<extra></extra>",
            showlegend=False,
        )
    )
    fig.add_hline(y=0, line={"color": UNKNOWN, "width": 1})
    if deciles:
        _add_medians(fig, points)
        fig.update_xaxes(dtick=1, range=[0.4, 10.6])
    found = points.assign(value=place)[points["id"] == marked]
    if len(found):
        fig.add_scatter(
            x=found["value"],
            y=found["shap"],
            mode="markers",
            marker={"size": 13, "symbol": "circle-open", "color": POSITIVE, "line": {"width": 2.5}},
            name=f"cell {escape(marked)}",
            hovertemplate=f"SHAP %{{y:.{digits}f}}: the chosen cell<extra></extra>",
        )
    title = f"{feature_label(feature)} (decile in its species, 1–10)" if deciles else BY_NAME[feature].title
    legend = deciles or len(found) > 0
    return finish(fig, height=400, x=title, y=f"SHAP value ({shown})", simulated=simulated, legend=legend)


def _within_decile(points: pd.DataFrame) -> "pd.Series[float]":
    """Places of cells around their decile: a swarm a decile, for values within it are not known."""
    swarms = [
        pd.Series(value + 0.9 * _spread(part["shap"].to_numpy(dtype=np.float64), 40), index=part.index)
        for value, part in points.groupby("value")
    ]
    return pd.concat(swarms).reindex(points.index) if swarms else points["value"]


def _add_medians(fig: go.Figure, points: pd.DataFrame) -> None:
    """Draw the median SHAP value of each decile."""
    medians = points.groupby(points["value"].round())["shap"].median()
    x = [place for value in medians.index for place in (value - 0.42, value + 0.42, None)]
    y = [each for value in medians for each in (value, value, None)]
    line = {"color": POSITIVE, "width": 2.5}
    fig.add_scatter(x=x, y=y, mode="lines", line=line, name="median of a decile", hoverinfo="skip")


def contributions(
    values: pd.Series, texts: Sequence[str], *, unit: str, top: int = 12, simulated: bool = False
) -> go.Figure:
    """How far each of one cell's features moves the model from its base value, the largest first.

    Parameters
    ----------
    values : Series, by feature
        SHAP values.
    texts : sequence of str
        The features' values with units, in the order of `values`.
    unit : str
        Unit of the SHAP values.
    top : int
        Features shown individually; the rest are summed.
    simulated : bool
        Whether the cell is simulated.

    Returns
    -------
    Figure
        Bars from zero, to the right towards the class, to the left away from it.
    """
    factor, shown, digits = drawn_in(unit)
    text = pd.Series(list(texts), index=values.index)
    order = values.abs().sort_values(ascending=False).index
    first, rest = list(order[:top]), list(order[top:])
    names = [f"{feature_label(str(n)).replace(' (', '<br>(')} = {escape(text[n])}" for n in first]
    bars = [factor * float(values[n]) for n in first]
    if rest:
        names.append(f"{len(rest)} others")
        bars.append(factor * float(values[rest].sum()))
    fig = go.Figure(
        go.Bar(
            orientation="h",
            y=names,
            x=bars,
            marker_color=[POSITIVE if bar >= 0 else NEGATIVE for bar in bars],
            text=[signed(bar, digits) for bar in bars],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:+.2f}<extra></extra>",
        )
    )
    low, high = min(0.0, *bars), max(0.0, *bars)
    room = 0.2 * (high - low or 1.0)
    fig.update_xaxes(range=[low - room, high + room], zeroline=True, zerolinecolor=UNKNOWN, zerolinewidth=1)
    fig.update_yaxes(autorange="reversed")
    height = 110 + 33 * len(names)
    return finish(fig, height=height, x=f"SHAP value ({shown})", simulated=simulated, legend=False)
