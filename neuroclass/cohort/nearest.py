"""The nearest neighbours of a cell, within its species and across species."""

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES, PERSON_FEATURES

COMPARED: tuple[str, ...] = tuple(name for name in FEATURE_NAMES if name not in PERSON_FEATURES)
LEAST_SHARED = len(COMPARED) // 2


def standard_scores(cells: Cohort) -> pd.DataFrame:
    """Standardise the features measured on sweeps by their species' mean and standard deviation.

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
    """Find the cells of one species that are most similar to a given cell.

    Parameters
    ----------
    cells : Cohort
        All cells.
    scores : DataFrame
        Their `standard_scores`, so that across species cells compare by their rank within their own.
    cell_id : str
        The cell.
    species : str
        Species to search.
    n : int
        Maximum number of neighbours.

    Returns
    -------
    DataFrame
        Columns id, broad, subclass, layer, distance (root mean square difference of standard scores over the features
        both have) and shared (their number); nearest first. Cells sharing fewer than half the features are left out.

    Raises
    ------
    CohortError
        If the cell does not exist.
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
