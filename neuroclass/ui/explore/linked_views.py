"""Linked scatter plot and table of cells; the selection is kept in the URL."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.cell_types import label_of
from neuroclass.charts import points as charts
from neuroclass.charts.theme import download_config
from neuroclass.cohort.cohort import META_COLUMNS
from neuroclass.cohort.selections import decode, encode
from neuroclass.errors import SettingsError
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.ui import widgets
from neuroclass.ui.cells import own_cells
from neuroclass.ui.cells.own_cells import OwnCell
from neuroclass.ui.cells.selected_cell import open_cell
from neuroclass.ui.explore import axes as axes_of
from neuroclass.ui.explore import group_comparison, overlaid
from neuroclass.ui.explore.explore import selected_ids
from neuroclass.ui.selection import chosen_ids, table_key
from neuroclass.ui.text import escaped

CHART, DRAWN, PICKED, FROM_CHART, ADDRESS = "cells", "drawn", "picked", "picked_in_chart", "sel"
MOST_ROWS = 7
LONGEST_ID = 11
"""Letters of an id that fit a narrow column."""


@st.fragment
def views(frame: pd.DataFrame, everyone: pd.DataFrame, simulated: bool, source: str) -> None:
    """Show scatter plot, table, comparison and distributions of the same cells.

    Parameters
    ----------
    frame : DataFrame
        Cells after the filters, as `neuroclass.ui.explore.explore.decorated` gives them.
    everyone : DataFrame
        All loaded cells, to which selections refer.
    simulated : bool
        Whether the cells are simulated.
    source : str
        Where the cells are from.
    """
    all_ids = everyone["id"].tolist()
    _from_address(all_ids)
    own = overlaid.chosen()
    axes, points = axes_of.choose(frame)
    picked = set(st.session_state[PICKED])
    rows = frame[frame["id"].isin(picked)] if picked else frame
    rows = frame if rows.empty else rows
    narrowed = len(rows) < len(frame)
    key = f"table-{encode(rows['id'].tolist(), all_ids)[-24:]}-{len(rows)}"
    ticked = _ticked(key, rows)
    _scatter(axes, points, len(frame), ticked, simulated, own)
    if len(looked_at := ticked or (rows["id"].tolist() if narrowed else [])) == 1:
        _preview(looked_at[0], source, simulated)
    _table(key, rows, narrowed, (axes.x, axes.y), simulated)
    if narrowed:
        st.query_params[ADDRESS] = encode(rows["id"].tolist(), all_ids)
    elif ADDRESS in st.query_params:
        del st.query_params[ADDRESS]
    group_comparison.distributions(rows, axes.x if axes.x in BY_NAME else "sag", simulated, own)
    group_comparison.more(frame, rows if narrowed else None, everyone, simulated, own)
    widgets.figures_zip("explore")


def _preview(cell_id: str, source: str, simulated: bool) -> None:
    from neuroclass.ui.explore import preview  # here, for it imports what the list does without

    preview.show(cell_id, source, simulated)


def _own_points(own: Mapping[str, OwnCell], axes: axes_of.Axes) -> pd.DataFrame:
    """Names and places of the user's cells that have both features."""
    places = pd.DataFrame({"x": own_cells.values(own, axes.x), "y": own_cells.values(own, axes.y)})
    return places.dropna().rename_axis("name").reset_index()


def _from_address(all_ids: list[str]) -> None:
    if PICKED in st.session_state:
        return
    st.session_state[PICKED], st.session_state[FROM_CHART] = [], False
    try:
        st.session_state[PICKED] = decode(st.query_params.get(ADDRESS, ""), all_ids)
    except SettingsError as error:
        st.warning(escaped(error), icon=":material/warning:")


def pick(ids: list[str], in_chart: bool = False) -> None:
    """Select cells; an empty selection shows all."""
    st.session_state[PICKED], st.session_state[FROM_CHART] = ids, in_chart


def _pick_in_chart() -> None:
    pick(selected_ids(st.session_state[CHART]), in_chart=True)


def _ticked(key: str, rows: pd.DataFrame) -> list[str]:
    """Ids of the table's ticked rows, available before the table is drawn."""
    state = st.session_state.get(key)
    return [str(rows["id"].iloc[k]) for k in state.selection.rows if k < len(rows)] if state else []


def _scatter(
    axes: axes_of.Axes,
    points: pd.DataFrame,
    n_cells: int,
    ticked: list[str],
    simulated: bool,
    own: Mapping[str, OwnCell],
) -> None:
    names = axes_of.name_of(axes.x), axes_of.name_of(axes.y)
    many = len(points) > charts.MOST_SVG
    light = many and st.session_state[FROM_CHART] and not ticked  # the chart already shows its own selection
    selected = () if light else tuple(st.session_state[PICKED])
    mine = _own_points(own, axes)
    key = (axes, tuple(points["id"]), selected, tuple(ticked), tuple(mine.itertuples(index=False, name=None)))
    if st.session_state.get(DRAWN, (None, None))[0] != key:
        fig = charts.scatter(
            points,
            titles=names,
            colour=axes.colour,
            colour_title=axes_of.name_of(axes.colour),
            facet=axes.facet,
            selected=selected,
            ringed=ticked,
            own=mine,
            simulated=simulated,
        )
        st.session_state[DRAWN] = key, fig
    fig = st.session_state[DRAWN][1]
    widgets.keep_figure("scatter", fig, points, simulated)
    st.plotly_chart(
        fig,
        key=CHART,
        on_select=_pick_in_chart,
        selection_mode=("points", "box", "lasso"),
        config=download_config("scatter", select=True),
        alt=f"{names[1]} against {names[0]} of {len(points)} cells",
    )
    missing = f" {n_cells - len(points):,} more lack one of the two values." if n_cells > len(points) else ""
    widgets.figure_footer(
        "scatter",
        points.rename(columns={"x": names[0], "y": names[1]}),
        caption=f"{len(points):,} cells{_symbols(points)}.{missing}{overlaid.missing(own, (axes.x, axes.y))} **Drag a "
        "box or lasso to select cells** for the table and all figures; of a single cell the sweeps are previewed here. "
        "Double-click a class in the legend to see it alone.",
        simulated=simulated,
    )


def _symbols(points: pd.DataFrame) -> str:
    if points["species"].nunique() < 2:
        return ""
    return (
        ": mouse cells as dots, their class by driver line; human cells as open diamonds, by dendrite type; rare "
        "classes on top"
    )


def _table(key: str, rows: pd.DataFrame, narrowed: bool, axes: tuple[str, str], simulated: bool) -> None:
    table = rows[["id", "class"]].assign(**{"class": rows["class"].map(label_of, na_action="ignore")})
    if rows["species"].nunique() > 1:
        table.insert(1, "species", rows["species"])
    table["layer"] = rows["layer"]
    brief = bool(table["id"].str.len().max() <= LONGEST_ID)
    config: dict[str, Any] = {
        "id": st.column_config.TextColumn("Cell", width=76 if brief else 190),
        "species": st.column_config.TextColumn("Species", width=64),
        "class": st.column_config.TextColumn("Class", width=105),
        "layer": st.column_config.TextColumn("Layer", width=52),
    }
    for name in dict.fromkeys(name for name in axes if name in BY_NAME):
        values = rows[name] * BY_NAME[name].display_factor
        table[name] = [float(f"{value:.3g}") for value in values]
        config[name] = st.column_config.NumberColumn(axes_of.short(name), width=125, help=BY_NAME[name].title)
    if rows["line"].notna().any():
        table["line"] = rows["line"]
        config["line"] = st.column_config.TextColumn("Driver line")
    table = table.reset_index(drop=True)
    with st.container(key="chosen", horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        where = "in the selection" if narrowed else "after the filters"
        st.markdown(f"**{len(rows):,} cell{'' if len(rows) == 1 else 's'}** {where}")
        if narrowed:
            st.button("Clear the selection", type="tertiary", icon=":material/close:", on_click=pick, args=([],))
    ids = table["id"].astype(str).tolist()
    event = st.dataframe(
        table,
        hide_index=True,
        height=widgets.table_height(len(rows), MOST_ROWS),
        key=table_key(key, ids),
        on_select="rerun",
        selection_mode="multi-row",
        column_config=config,
    )
    ticked = chosen_ids(event, ids)
    with st.container(horizontal=True, vertical_alignment="center"):
        opened = st.button(
            "Open the cell",
            disabled=not ticked,
            icon=":material/open_in_full:",
            type="primary",
            on_click=open_cell,
            args=(ticked[0] if ticked else None,),
        )
        if opened:
            st.rerun(scope="app")
        st.button("Select ticked rows", disabled=not ticked, on_click=partial(pick, ticked))
    columns = [*META_COLUMNS, *FEATURE_NAMES]
    widgets.figure_footer(
        "cells",
        lambda: rows[columns],
        caption="" if ticked else "Tick a row to preview its sweeps or to open the cell. The CSV has all columns.",
        simulated=simulated,
    )
