"""Tables of figures on other laboratories and on partial recordings, as pages and charts read them."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from neuroclass.evaluation.names import ALONE, BATCH, LABORATORIES, NETWORK, OUTSIDE_SYSTEM_TITLES
from neuroclass.evaluation.summaries import wilson_interval
from neuroclass.features import FEATURE_NAMES, Stimulus

_FIGURES = ("accuracy", "balanced_accuracy", "stated", "promised", "coverage", "set_size")
_ALL = "all"


def laboratory_title(name: str) -> str:
    """A laboratory for people; a user's own keeps its name."""
    return LABORATORIES.get(name, (name, ""))[0]


def systems_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """A row a laboratory and system.

    Parameters
    ----------
    rows : sequence of dict
        ``laboratories`` of `evaluate_tables`.

    Returns
    -------
    DataFrame
        Columns laboratory, system (titles), ours (bool), accuracy, balanced_accuracy, stated, promised, coverage
        (fractions), set_size (classes; NaN where a system has none), features, cells.
    """
    frame = pd.DataFrame(rows)
    for name in _FIGURES:
        if name not in frame:
            frame[name] = float("nan")
    table = pd.DataFrame(
        {
            "laboratory": frame["laboratory"].map(laboratory_title),
            "system": frame["system"].map(lambda name: OUTSIDE_SYSTEM_TITLES.get(name, name)),
            "ours": frame["system"].isin((ALONE, BATCH, NETWORK)),
        }
    )
    for name in _FIGURES:
        table[name] = frame[name].astype(float)
    return table.assign(features=frame["n_features"], cells=frame["n_cells"])


def promises_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """What ours promised and stated beside what came true, a row a laboratory, alone and adapted.

    Parameters
    ----------
    rows : sequence of dict
        ``laboratories`` of `evaluate_tables`.

    Returns
    -------
    DataFrame
        Columns laboratory, system (``alone`` or ``adapted``), promised (NaN once adapted), stated, observed, low, high
        (fractions; 95% Wilson interval over cells), cells. A batch that was not adapted is left out.
    """
    found = []
    for row in rows:
        if row["system"] != ALONE and not (row["system"] == BATCH and row["adapted"]):
            continue
        low, high = wilson_interval([row["accuracy"] * row["n_cells"]], [row["n_cells"]])
        found.append(
            {
                "laboratory": laboratory_title(row["laboratory"]),
                "system": "alone" if row["system"] == ALONE else "adapted",
                "promised": row.get("promised", float("nan")),
                "stated": row["stated"],
                "observed": row["accuracy"],
                "low": low[0],
                "high": high[0],
                "cells": row["n_cells"],
            }
        )
    return pd.DataFrame(found)


def stimuli_title(laboratory: str) -> str:
    """A set of features of ``masked.json`` for people."""
    if laboratory == "+".join(stimulus.value for stimulus in Stimulus):
        return f"all {len(FEATURE_NAMES)} features"
    return laboratory.replace("_", " ").replace("+", ", ")


def partial_table(rows: Sequence[dict[str, Any]], species: Sequence[str]) -> pd.DataFrame:
    """A row a combination of stimuli and species.

    Parameters
    ----------
    rows : sequence of dict
        ``laboratories`` of `evaluate_sets`.
    species : sequence of str
        Those to keep.

    Returns
    -------
    DataFrame
        Columns name, species, cells, accuracy, low, high, svc, difference, promised, coverage (fractions), set_size
        (classes), open_gates (number; NaN for a model without gates). Combinations with the features that have no
        stimulus are left out, but for all features.
    """
    found = []
    for row in rows:
        title = stimuli_title(row["laboratory"])
        if row["species"] not in species or (Stimulus.NONE.value in title.split(", ") and not title.startswith(_ALL)):
            continue
        keys = ("low", "high", "svc", "difference", "promised", "coverage", "set_size")
        found.append(
            {
                "name": title if len(species) == 1 else f"{title}, {row['species']}",
                "species": row["species"],
                "cells": row["n_cells"],
                "accuracy": row["mean"],
                **{key: row[key] for key in keys},
                "open_gates": row.get("open_gates", float("nan")),
            }
        )
    return pd.DataFrame(found)
