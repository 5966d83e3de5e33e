"""The cells most like one cell, within its species and across species."""

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES, PERSON_FEATURES

COMPARED: tuple[str, ...] = tuple(name for name in FEATURE_NAMES if name not in PERSON_FEATURES)
LEAST_SHARED = len(COMPARED) // 2


def standard_scores(cells: Cohort) -> pd.DataFrame:
    """Features that sweeps give, each less its species' mean and over its species' standard deviation.

    Parameters
    ----------
    cells : Cohort
        All cells.

    Returns
    -------
    DataFrame, index id, shape (n_cells, 39)
        NaN where missing.
    """
    values = cells.frame[list(COMPARED)]
    groups = values.groupby(cells.frame["species"])
    spread = groups.transform("std").replace(0.0, np.nan)
    scores = (values - groups.transform("mean")) / spread
    return scores.set_index(cells.frame["id"])


def nearest_cells(cells: Cohort, scores: pd.DataFrame, cell_id: str, species: str, n: int = 5) -> pd.DataFrame:
    """Cells of one species that are most like a cell.

    Parameters
    ----------
    cells : Cohort
        All cells.
    scores : DataFrame
        Their `standard_scores`; across species, a cell is thus compared by where it stands in its own.
    cell_id : str
        The cell.
    species : str
        Species of the cells to look among.
    n : int
        Most cells wanted.

    Returns
    -------
    DataFrame
        Columns id, broad, subclass, layer, distance (root mean square difference of standard scores over the features
        both have) and shared (number of those); nearest first. Cells that share fewer than half are left out.

    Raises
    ------
    CohortError
        If there is no such cell.
    """
    if cell_id not in scores.index:
        raise CohortError(f"{cell_id!r} is not a cell of {cells.source}; choose one from its table.")
    others = cells.frame[(cells.frame["species"] == species) & (cells.frame["id"] != cell_id)]
    difference = scores.loc[others["id"]].to_numpy() - scores.loc[cell_id].to_numpy()
    shared = np.isfinite(difference).sum(axis=1)
    squares = np.nansum(difference**2, axis=1)
    distance = np.sqrt(squares / np.maximum(shared, 1))
    table = others[["id", "broad", "subclass", "layer"]].assign(distance=distance, shared=shared)
    return table[shared >= LEAST_SHARED].nsmallest(n, "distance").reset_index(drop=True)
