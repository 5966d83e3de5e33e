"""Cells as points, coloured and faceted by any column and linked to a table by id."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from neuroclass.charts.theme import category, class_label, colours_of, escape, finish, note, ordered, own_colour

MOST_FACETS = 12
MOST_SVG = 2000
"""Above this many points WebGL draws them, since as many SVG elements would be slow."""
SYMBOLS = {"mouse": "circle", "human": "diamond-open"}
_OTHER = "circle"
_STYLES = ((400, 4.0, 0.55), (150, 5.5, 0.75), (0, 6.5, 0.9))
"""From how many cells on a group's points have which size, px, and opacity: large groups are drawn as a haze."""
_SCALED = (5.0, 0.7)
"""Size, px, and opacity of points that are coloured by a number."""
_OUTLINE_PX = 1.4


def scatter(
    points: pd.DataFrame,
    *,
    titles: tuple[str, str],
    colour: str,
    colour_title: str = "",
    facet: str | None = None,
    selected: Collection[str] = (),
    ringed: Collection[str] = (),
    own: pd.DataFrame | None = None,
    simulated: bool = False,
    height: int = 520,
) -> go.Figure:
    """Scatter plot of cells.

    Parameters
    ----------
    points : DataFrame
        Columns ``id``, ``species``, ``x``, ``y`` (shown units), and those named by `colour` and `facet`.
    titles : tuple of str
        Axis titles with units.
    colour : str
        Column to colour by: numbers on a scale, otherwise by category.
    colour_title : str
        Title of the scale with its unit.
    facet : str, optional
        Column with one panel per value; beyond twelve, the rarest share one.
    selected : collection of str
        Ids to highlight; all if empty.
    ringed : collection of str
        Ids to ring.
    own : DataFrame, optional
        Columns ``name``, ``x``, ``y`` (shown units) of the user's cells, each named in the legend.
    simulated : bool
        Whether the cells are simulated.
    height : int
        Height, px, of one row of panels.

    Returns
    -------
    Figure
        Every point carries its id as customdata; mouse cells are dots, human cells open diamonds. Large groups are
        drawn first, small and pale, so that rare ones lie on top.
    """
    if points.empty:
        return note("No cell has both values.", height)
    panels = _panels(points, facet)
    names = list(dict.fromkeys(panels)) if facet is None else ordered(panels)
    n_columns = 1 if len(names) == 1 else min(3 if len(names) > 4 else 2, len(names))
    n_rows = -(-len(names) // n_columns)
    fig = make_subplots(
        n_rows,
        n_columns,
        subplot_titles=[f"{class_label(n)} ({int((panels == n).sum())})" for n in names] if facet else None,
        shared_xaxes="all",
        shared_yaxes="all",
        horizontal_spacing=0.03,
        vertical_spacing=0.08 if n_rows < 4 else 0.05,
    )
    number = pd.api.types.is_numeric_dtype(points[colour])
    limits = (float(points[colour].quantile(0.01)), float(points[colour].quantile(0.99))) if number else (0.0, 1.0)
    groups = pd.Series("all", index=points.index) if number else category(points[colour])
    colours = {} if number else colours_of(groups)
    marker = go.Scattergl if len(points) > MOST_SVG else go.Scatter
    legend = _Legend(points, groups, [*colours], colour)
    named: set[str] = set()
    chosen, rings = set(selected), set(ringed)
    for k, panel in enumerate(names):
        place = {"row": k // n_columns + 1, "col": k % n_columns + 1}
        for name, species, cells in _parts(points[panels == panel], groups, ["all", *colours]):
            trace = _trace(marker, cells, name, species, colours.get(name), colour, colour_title, chosen, limits)
            fig.add_trace(trace.update(legend.entry(name, species)), **place)
        around = points[(panels == panel) & points["id"].isin(rings)]
        if len(around):
            fig.add_trace(_rings(around, "ticked" not in named), **place)
            named.add("ticked")
        for trace in _own(own, legend=k == 0):
            fig.add_trace(trace, **place)
    fig.update_layout(dragmode="select" if len(points) > 1 else "zoom")
    total = height if n_rows == 1 else 60 + 280 * n_rows
    finish(fig, height=total, simulated=simulated, legend=bool(not number or rings or (own is not None and len(own))))
    if facet:
        fig.update_layout(margin_t=80 if not number else 56)
    fig.update_layout(legend={"tracegroupgap": 0, "itemsizing": "constant"})
    fig.update_xaxes(title_text=titles[0], row=n_rows)
    fig.update_yaxes(title_text=titles[1], col=1)
    return fig


def _panels(points: pd.DataFrame, facet: str | None) -> "pd.Series[str]":
    if facet is None:
        return pd.Series("", index=points.index)
    values = category(points[facet])
    common = values.value_counts().index[: MOST_FACETS - 1] if values.nunique() > MOST_FACETS else values.unique()
    return values.where(values.isin(common), "all others")


def _parts(
    points: pd.DataFrame, groups: "pd.Series[str]", names: Sequence[str]
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Points of each group and species, the largest first: a rare class is drawn on top of a common one."""
    found = dict(iter(points.groupby([groups.loc[points.index], "species"], sort=False)))
    first = {name: k for k, name in enumerate(names)}
    for key in sorted(found, key=lambda key: (-len(found[key]), _rank(key[1]), first[key[0]])):
        yield key[0], key[1], found[key]


def _rank(species: str) -> int:
    return [*SYMBOLS, species].index(species)


class _Legend:
    """What of the legend the traces bear: each group once, with its species where it is not the mouse's alone."""

    def __init__(self, points: pd.DataFrame, groups: "pd.Series[str]", names: Sequence[str], colour: str) -> None:
        self.names = names
        apart = points["species"].nunique() > 1 and colour != "species"
        species = points["species"].groupby(groups).nunique()
        self.shared = set(species.index[species > 1]) if apart else set()
        self.plain = {next(iter(SYMBOLS))} if apart else set(points["species"])
        self.named: set[str] = set()

    def entry(self, name: str, species: str) -> dict[str, Any]:
        """Settings of a trace of a group; without groups, the first trace bears the scale."""
        key = f"{species} {name}"
        first = key not in self.named
        self.named.add(key)
        if name not in self.names:
            return {"showlegend": False, "marker": {"showscale": first and len(self.named) == 1}}
        entry: dict[str, Any] = {
            "showlegend": first,
            "legendgroup": key,
            "legendrank": 1 + len(self.names) * _rank(species) + self.names.index(name),
        }
        if name in self.shared or species not in self.plain:
            entry["name"] = f"{escape(species)} {class_label(name)}"
        return entry


def _trace(
    kind: type,
    cells: pd.DataFrame,
    name: str,
    species: str,
    value: str | None,
    colour: str,
    colour_title: str,
    chosen: set[str],
    limits: tuple[float, float],
) -> go.Scatter:
    size, opacity = next((px, part) for least, px, part in _STYLES if len(cells) >= least)
    if value is None:
        size, opacity = _SCALED
    marker: dict[str, Any] = {"size": size, "opacity": opacity, "symbol": SYMBOLS.get(species, _OTHER)}
    if marker["symbol"].endswith("-open"):
        marker |= {"size": size + 0.5, "opacity": min(1.0, opacity + 0.25), "line": {"width": _OUTLINE_PX}}
    if value is None:
        marker |= {
            "color": cells[colour],
            "cmin": limits[0],
            "cmax": limits[1],
            "colorscale": "Viridis",
            "colorbar": {"title": {"text": escape(colour_title), "side": "right"}, "thickness": 12},
        }
        hover = "%{marker.color:.4g}"
    else:
        marker["color"] = value
        hover = class_label(name)
    inside = np.flatnonzero(cells["id"].isin(chosen)).tolist() if chosen else None
    return kind(
        x=cells["x"],
        y=cells["y"],
        mode="markers",
        name=class_label(name),
        customdata=cells[["id"]],
        marker=marker,
        selectedpoints=inside,
        selected={"marker": {"opacity": 0.9}},
        unselected={"marker": {"opacity": 0.08}},
        hovertemplate=f"%{{customdata[0]}}, {escape(species)} {hover}<br>x %{{x:.4g}}, y %{{y:.4g}}<extra></extra>",
    )


def _rings(cells: pd.DataFrame, legend: bool) -> go.Scatter:
    return go.Scatter(
        x=cells["x"],
        y=cells["y"],
        mode="markers",
        name="ticked",
        legendgroup="ticked",
        showlegend=legend,
        customdata=cells[["id"]],
        marker={"size": 13, "symbol": "circle-open", "color": "#D81B60", "line": {"width": 2.5}},
        hovertemplate="%{customdata[0]}<extra>ticked</extra>",
    )


def _own(own: pd.DataFrame | None, legend: bool) -> Iterator[go.Scatter]:
    """A star for each of the user's cells, drawn over all others."""
    for k, row in enumerate([] if own is None else own.itertuples()):
        yield go.Scatter(
            x=[row.x],
            y=[row.y],
            mode="markers",
            name=escape(row.name),
            legendgroup=f"own {row.name}",
            showlegend=legend,
            marker={"size": 15, "symbol": "star", "color": own_colour(k), "line": {"width": 1.5, "color": "white"}},
            hovertemplate="%{fullData.name}<br>x %{x:.4g}, y %{y:.4g}<extra>own cell</extra>",
        )


def effects(
    table: pd.DataFrame, names: tuple[str, str], simulated: bool = False, level: float = 0.05, most: int = 41
) -> go.Figure:
    """Features ranked by the effect size between two groups.

    Parameters
    ----------
    table : DataFrame
        Output of `neuroclass.cohort.compare.compare_selections`.
    names : tuple of str
        The two groups.
    simulated : bool
        Whether the cells are simulated.
    level : float
        Corrected p below which a bar is filled.
    most : int
        Most features drawn.

    Returns
    -------
    Figure
    """
    if table.empty:
        return note("No feature is known in both groups.")
    rows = table.head(most).iloc[::-1]
    sure = (rows["p_holm"] < level).to_numpy()
    fig = go.Figure(
        go.Bar(
            x=rows["delta"].round(4),
            y=[escape(name) for name in rows["feature"]],
            orientation="h",
            marker={
                "color": np.where(rows["delta"] > 0, "#B2182B", "#2166AC"),
                "opacity": np.where(sure, 0.95, 0.45),
            },
            customdata=rows[["p_holm", "median_a", "median_b"]],
            hovertemplate="%{y}: delta %{x:.3f}, corrected p %{customdata[0]:.2g}<br>medians %{customdata[1]:.4g} and "
            "%{customdata[2]:.4g}<extra></extra>",
        )
    )
    fig.update_xaxes(range=[-1.05, 1.05], zeroline=True)
    fig.update_yaxes(tickfont_size=12)
    title = f"Cliff's delta (−1 to 1; above 0: {escape(names[0])} higher than {escape(names[1])})"
    return finish(fig, height=90 + 18 * len(rows), x=title, y="Feature", simulated=simulated, legend=False)
