"""A laboratory's own labelled cells among the loaded ones: joined as a domain, or moved to where those lie."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import DOMAIN_COLUMN, Cohort
from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.preprocess import restore, transform
from neuroclass.types.arrays import Floats

LABORATORY = "laboratory"
_LEAST = 3
_FEATURES = list(FEATURE_NAMES)


@dataclass(frozen=True)
class Offset:
    """How a laboratory's cells differ from the loaded ones of the same classes.

    Attributes
    ----------
    values : ndarray, shape (41,)
        Mean over the classes of the difference of class means, in transformed features; 0 where not known.
    classes : tuple of str
        Classes with at least three cells on both sides, over which it is the mean.
    """

    values: Floats
    classes: tuple[str, ...]

    def undone(self, cells: Cohort) -> Cohort:
        """The cells without it."""
        frame = cells.frame.copy()
        frame[_FEATURES] = restore(transform(cells.matrix()) - self.values)
        return replace(cells, frame=frame)


def laboratory_offset(loaded: Cohort, own: Cohort, task: str) -> Offset:
    """Measure how a laboratory's labelled cells differ from loaded ones of the same species and class.

    A mean over classes, so that a laboratory with other class proportions is not moved by them.

    Parameters
    ----------
    loaded, own : Cohort
        The reference and the laboratory; of the latter only cells that train.
    task : str
        ``broad`` or ``subclass``.

    Returns
    -------
    Offset

    Raises
    ------
    CohortError
        If no class has three cells on both sides.
    """
    differences, classes = [], []
    for (species, name), cells in own.labelled(task).frame.groupby(["species", task]):
        there = loaded.frame[(loaded.frame["species"] == species) & (loaded.frame[task] == name)]
        if min(len(cells), len(there)) < _LEAST:
            continue
        difference = _means(cells) - _means(there)
        differences.append(difference)
        classes.append(f"{species} {name}")
    if not classes:
        raise CohortError(
            f"No class has {_LEAST} cells both in {own.source} and among the loaded cells, so where they lie cannot "
            "be compared. Train without alignment."
        )
    known = np.isfinite(differences)
    total = np.where(known, differences, 0.0).sum(0)
    return Offset(total / np.maximum(known.sum(0), 1), tuple(classes))


def _means(frame: pd.DataFrame) -> Floats:
    values = transform(frame[_FEATURES].to_numpy(dtype=np.float64))
    known = np.isfinite(values)
    n = known.sum(0)
    means = np.where(known, values, 0.0).sum(0) / np.maximum(n, 1)
    return np.asarray(np.where(n >= _LEAST, means, np.nan))


def as_laboratory(own: Cohort, laboratory: str) -> Cohort:
    """A laboratory's cells under names and donors that cannot be the loaded ones', and as domains of their own."""
    frame = own.frame.assign(
        id=laboratory + ": " + own.frame["id"],
        donor=laboratory + ": " + own.frame["donor"],
        **{DOMAIN_COLUMN: LABORATORY + " " + own.frame["species"]},
    )
    return replace(own, frame=frame)


def joined(loaded: Cohort, own: Cohort) -> Cohort:
    """The loaded cells and a laboratory's, the latter from `as_laboratory`.

    DANN's adversary then tells mouse, human and the laboratory apart; LSPIN has no adversary and learns from the pool.
    """
    here = loaded.frame.assign(**{DOMAIN_COLUMN: loaded.frame["species"]})
    columns = [name for name in here.columns if name in own.frame.columns]
    frame = pd.concat([here[columns], own.frame[columns]], ignore_index=True)
    return Cohort(frame, f"{loaded.source} and {own.source}", loaded.simulated, (*loaded.notes, *own.notes))
