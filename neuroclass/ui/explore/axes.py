"""Axes and colours to plot cells by: features, embedding coordinates, metadata."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.reports.store import Table
from neuroclass.types.models import DANN, HUMAN_SUBCLASS
from neuroclass.ui import cache, widgets
from neuroclass.ui.explore.explore import COLOURS

NO_FACET = "none"
_HUMAN = "human"
_FIRST = (("upstroke_downstroke_ratio_long_square", "upstroke_downstroke_ratio"), ("ri", "f_i_curve_slope"))
"""Of long squares, which most laboratories record; the second where no cell has the first."""
_SPACES = {
    _HUMAN: "DANN, human subclasses",
    "raw": "input features",
    "lambda0": "DANN, no adversary",
    "dann": "DANN",
}


@dataclass(frozen=True)
class Axes:
    """The chosen axes, colour and facets."""

    x: str
    y: str
    colour: str
    facet: str | None


def name_of(option: str) -> str:
    """Display name of an option, with its unit if it has one."""
    if option in BY_NAME:
        return BY_NAME[option].title
    space, _, number = option.partition("_umap")
    if number:
        return f"UMAP {number}, {_SPACES.get(space, space)} (no unit)"
    return option.replace("_", " ").capitalize()


def short(feature: str) -> str:
    """Head of a narrow column: a feature without its stimulus, with its unit."""
    spec = BY_NAME[feature]
    name = spec.called.replace("Upstroke/downstroke", "Up/down")
    return f"{name} ({spec.shown_unit})" if spec.shown_unit else name


def values_of(frame: pd.DataFrame, option: str) -> "pd.Series[Any]":
    """Values of an option for each cell; features in display units."""
    if option in BY_NAME:
        return frame[option] * BY_NAME[option].display_factor
    if option in frame.columns:
        return frame[option]
    coordinates = embeddings()[option]
    return frame["id"].map(coordinates[~coordinates.index.duplicated()])


def embeddings() -> dict[str, "pd.Series[Any]"]:
    """Coordinates of the stored embedding by option; empty where there is none."""
    table, human = (cache.table_if_stored(name, Table.EMBEDDING) for name in (DANN.name, HUMAN_SUBCLASS.name))
    parts = (
        [] if table is None else [(space, table[table["space"] == space]) for space in dict.fromkeys(table["space"])]
    )
    if human is not None:
        parts.append((_HUMAN, human))
    columns: dict[str, pd.Series[Any]] = {}
    for space, part in parts:
        rows = part.set_index("id")
        columns |= {f"{space}_umap1": rows["x"], f"{space}_umap2": rows["y"]}
    return columns


def choose(frame: pd.DataFrame) -> tuple[Axes, pd.DataFrame]:
    """Let the user choose axes, colour and facets, kept in the URL, and collect the points.

    Returns
    -------
    axes : Axes
        The user's choice.
    points : DataFrame
        Columns id, species, x, y (display units), colour and facet; only cells with both values.
    """
    ids = set(frame["id"])
    coordinates = [name for name, column in embeddings().items() if ids & set(column.index)]
    numbers = [*FEATURE_NAMES, *coordinates]
    colours = [name for name in COLOURS if frame[name].notna().any()]
    first_x, first_y = (usual if frame[usual].notna().any() else other for usual, other in _FIRST)
    with st.container(key="place-axes"):  # two rows of two where the page is narrow
        first, second, third, fourth = st.columns([3, 3, 2, 2])
    with first:
        x = widgets.pick("x axis", numbers, "x", numbers.index(first_x), format_func=name_of)
    with second:
        y = widgets.pick("y axis", numbers, "y", numbers.index(first_y), format_func=name_of)
    with third:
        colour = widgets.pick("Colour by", [*colours, *FEATURE_NAMES], "colour", format_func=name_of)
    with fourth:
        facet = widgets.pick("Facet by", [NO_FACET, *colours], "facet", format_func=name_of)
    axes = Axes(x, y, colour, None if facet == NO_FACET else facet)
    columns = list(dict.fromkeys(("id", "species", *((facet,) if axes.facet else ()))))
    points = frame[columns].assign(x=values_of(frame, x), y=values_of(frame, y))
    points[colour] = values_of(frame, colour)
    return axes, points.dropna(subset=["x", "y"])
