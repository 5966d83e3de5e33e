"""Cells classified in this session, to be drawn among those of the cohort."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from neuroclass.classification.result import Answer, CellVerdict
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.features import BY_NAME

KEPT = "own-cells"
MOST = 200


@dataclass(frozen=True)
class OwnCell:
    """A cell that was classified in this session.

    Attributes
    ----------
    name : str
        The cell, with its file where that is called otherwise, and the sweeps that were left out.
    species : str
        ``mouse``, ``human`` or ``unknown``.
    features : mapping of name to float
        Measured features, stored units.
    """

    name: str
    species: str
    features: Mapping[str, float]


def keep(place: str, answers: Sequence[Answer]) -> None:
    """Remember the cells of an input, in place of those that it gave before.

    Parameters
    ----------
    place : str
        Identifies the input.
    answers : sequence of CellVerdict or RejectedInput
        What was found in it.
    """
    kept: dict[str, list[OwnCell]] = st.session_state.get(KEPT, {})
    found = [_own(one) for one in answers[:MOST] if isinstance(one, CellVerdict) and one.features]
    everything = {**{key: cells for key, cells in kept.items() if key != place}, place: found}
    while len(everything) > 1 and sum(map(len, everything.values())) > MOST:
        everything.pop(next(iter(everything)))
    st.session_state[KEPT] = everything


def _own(verdict: CellVerdict) -> OwnCell:
    name = verdict.cell if verdict.source.startswith(verdict.cell) else f"{verdict.source}, {verdict.cell}"
    without = f" without {sweeps_text(set(verdict.without_sweeps))}" if verdict.without_sweeps else ""
    return OwnCell(f"{name}{without}", verdict.species, verdict.features)


def known() -> dict[str, OwnCell]:
    """The cells by name; of two with one name the later has a number."""
    kept: dict[str, list[OwnCell]] = st.session_state.get(KEPT, {})
    found: dict[str, OwnCell] = {}
    for cell in (one for cells in kept.values() for one in cells):
        name, number = cell.name, 2
        while name in found:
            name, number = f"{cell.name} ({number})", number + 1
        found[name] = cell
    return found


def values(cells: Mapping[str, OwnCell], feature: str) -> "pd.Series[float]":
    """A feature of each cell that has it, in its display unit, by name; none for what is no feature."""
    if feature not in BY_NAME:
        return pd.Series(dtype=float)
    factor = BY_NAME[feature].display_factor
    return pd.Series(
        {name: one.features[feature] * factor for name, one in cells.items() if feature in one.features}, dtype=float
    )
