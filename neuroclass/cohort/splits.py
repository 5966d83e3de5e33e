"""Splits: donor-grouped and stratified folds, and the paper's own splits by name.

Cells of one donor share an animal, a slice day and often a rig, so a donor is never on both sides of a
split (except in the paper's own splits, which are kept as published).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neuroclass.errors import CohortError
from neuroclass.types.arrays import Integers, Names

if TYPE_CHECKING:
    from neuroclass.cohort.cohort import Cohort

PAPER_SEED = 1
PAPER_TRAIN_SHARE = 0.8
LEAST_DONORS = 3
"""Of each class, so that one can be held out for validation and one more for calibration."""
_FINE = 20


@dataclass(frozen=True)
class Fold:
    """One split of a cohort: row positions of training and test cells."""

    repeat: int
    number: int
    train: Integers
    test: Integers


def strata(cohort: "Cohort", label: str) -> Names:
    """Species and class of each cell, shape (n_cells,), over which folds are balanced."""
    return (cohort.frame["species"] + "/" + cohort.frame[label].astype(str)).to_numpy(dtype=str)


def donor_folds(cohort: "Cohort", label: str, n_folds: int = 5, n_repeats: int = 1, seed: int = 0) -> list[Fold]:
    """Make stratified folds that share no donor.

    Parameters
    ----------
    cohort : Cohort
        Cells with a value for `label`.
    label : str
        ``broad`` or ``subclass``.
    n_folds, n_repeats : int
        Folds per repeat, and number of repeats with new shuffles.
    seed : int
        Repeat r is shuffled with seed + r.

    Returns
    -------
    list of Fold
        ``n_folds * n_repeats`` folds; within a repeat each cell is tested once.

    Raises
    ------
    CohortError
        If a class has fewer donors than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    classes, groups = strata(cohort, label), cohort.column("donor").astype(str)
    for name in np.unique(classes):
        n_donors = len(np.unique(groups[classes == name]))
        if n_donors < n_folds:
            raise CohortError(
                f"{name} has cells of {n_donors} donors; {n_folds} donor-grouped folds need at least {n_folds}. "
                "Use fewer folds or a larger cohort."
            )
    folds = []
    for repeat in range(n_repeats):
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed + repeat)
        for number, (train, test) in enumerate(splitter.split(classes, classes, groups)):
            folds.append(Fold(repeat, number, train, test))
    return folds


def hold_out_donors(cohort: "Cohort", label: str, share: float, seed: int) -> Fold:
    """Hold out about a share of the cells, whole donors, classes and species in proportion.

    Parameters
    ----------
    cohort : Cohort
        Cells with a value for `label`.
    label : str
        ``broad`` or ``subclass``.
    share : float
        Fraction of the cells to hold out, above 0, at most ½.
    seed : int
        Of the shuffle.

    Returns
    -------
    Fold

    Raises
    ------
    CohortError
        If some class has cells of fewer than three donors: two must train.
    """
    donors = cohort.frame.groupby(strata(cohort, label))["donor"].nunique()
    if donors.min() < LEAST_DONORS:
        raise CohortError(
            f"{donors.idxmin()} has cells of {donors.min()} donors; to hold some out for validation, each class needs "
            "three. Hold out none (validation share 0), or use a larger cohort."
        )
    n_folds = min(_FINE, int(donors.min()))
    folds = donor_folds(cohort, label, n_folds, seed=seed)[: min(n_folds - 2, max(1, round(share * n_folds)))]
    held = np.sort(np.concatenate([fold.test for fold in folds]))
    return Fold(0, 0, np.setdiff1d(np.arange(len(cohort)), held), held)


def paper_lspin_split(cohort: "Cohort") -> Fold:
    """The paper's LSPIN split: ``train_test_split(train_size=.8, random_state=1)``.

    Expects the complete mouse cells in published order (1,105 training and 277 test cells)
    and groups neither by donor nor by class.
    """
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(cohort))
    train, test = train_test_split(rows, train_size=PAPER_TRAIN_SHARE, random_state=PAPER_SEED)
    return Fold(0, 0, np.asarray(train), np.asarray(test))


def paper_dann_split(cohort: "Cohort") -> Fold:
    """The paper's DANN split: the last 20% of each species, in published order, are the test cells."""
    train, test = [], []
    for species in cohort.frame["species"].unique():
        rows = np.flatnonzero((cohort.frame["species"] == species).to_numpy())
        cut = int(PAPER_TRAIN_SHARE * len(rows))
        train.append(rows[:cut])
        test.append(rows[cut:])
    return Fold(0, 0, np.concatenate(train), np.concatenate(test))
