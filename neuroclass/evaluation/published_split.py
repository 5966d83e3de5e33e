"""The paper's own division of the cells, as its public code makes it: splits, scalers, and the cells that it drops.

References
----------
.. [1] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, 2023, and its public code.
"""

from dataclasses import dataclass

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import PAPER_SEED, PAPER_TRAIN_SHARE, paper_dann_split, paper_lspin_split
from neuroclass.errors import CohortError
from neuroclass.predictors.preprocess import PaperScaler
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers, Names
from neuroclass.types.models import DANN, LSPIN

BASELINE_SHARE = 0.2
"""Share of the cells that trained the paper's random forest, SVC and XGBoost."""
DANN_VALIDATION_SHARE, DANN_FITTED_SHARE = 0.15, 0.7
"""Of DANN's training rows: the last ones judge each epoch, and of the others these first ones are fitted."""
LEAST_A_CLASS = 5


@dataclass(frozen=True)
class SubclassCells:
    """The complete mouse cells, divided and scaled as for the paper's LSPIN.

    Attributes
    ----------
    x : ndarray, shape (n_cells, 41)
        Standardised by the mean and standard deviation of **all** cells, test cells included.
    truth : ndarray of int, shape (n_cells,)
        Position of the subclass in `classes`.
    train, validation, test : ndarray of int
        Rows; 64, 16 and 20%.
    few, others : ndarray of int
        Rows that train the other systems, 20%, and the rest, which tests them.
    """

    x: Floats
    truth: Integers
    train: Integers
    validation: Integers
    test: Integers
    few: Integers
    others: Integers

    @property
    def classes(self) -> tuple[str, ...]:
        """The subclasses."""
        return LSPIN.classes


def complete_mouse(cohort: Cohort) -> Cohort:
    """The mouse cells with a subclass and all 41 features, in the table's order.

    Raises
    ------
    CohortError
        If there are too few of a subclass for the paper's splits.
    """
    cells = cohort.labelled(LSPIN.task).of_species(Species.MOUSE).complete()
    counts = cells.frame[LSPIN.task].value_counts()
    short = [name for name in LSPIN.classes if counts.get(name, 0) < LEAST_A_CLASS]
    if short:
        raise CohortError(
            f"{cohort.source} has fewer than {LEAST_A_CLASS} mouse cells with all 41 features of {', '.join(short)}; "
            "the paper's splits need some of each subclass. Name the folder of the published tables with --data."
        )
    return cells


def subclass_cells(cohort: Cohort) -> SubclassCells:
    """Divide and scale the complete mouse cells as the paper's code does for LSPIN and the systems beside it."""
    from sklearn.model_selection import train_test_split

    cells = complete_mouse(cohort)
    scaler = PaperScaler.fit(cells.matrix())
    fold = paper_lspin_split(cells)
    train, validation = train_test_split(fold.train, train_size=PAPER_TRAIN_SHARE, random_state=PAPER_SEED)
    few, others = train_test_split(np.arange(len(cells)), train_size=BASELINE_SHARE, random_state=PAPER_SEED)
    return SubclassCells(
        scaler.standardise(cells.matrix()),
        class_numbers(cells, LSPIN.task, LSPIN.classes),
        np.asarray(train),
        np.asarray(validation),
        fold.test,
        np.asarray(few),
        np.asarray(others),
    )


@dataclass(frozen=True)
class BroadCells:
    """The cells of the paper's DANN, in stored units.

    Attributes
    ----------
    x : ndarray, shape (n_cells, 41)
        Features; NaN in no row that is used.
    truth : ndarray of int, shape (n_cells,)
        Position of the class in `classes`.
    species : ndarray of str, shape (n_cells,)
        Mouse or human.
    train, validation : ndarray of int
        Rows of mouse cells; the human ones are dropped, as they have no driver line.
    test : ndarray of int
        The last 20% of each species that have all features.
    scaled : ndarray of int
        Rows that the scaler of training saw: training, validation, and those that the code's own test took.
    """

    x: Floats
    truth: Integers
    species: Names
    train: Integers
    validation: Integers
    test: Integers
    scaled: Integers

    @property
    def classes(self) -> tuple[str, ...]:
        """Excitatory and inhibitory."""
        return DANN.classes


def labelled_broad(cohort: Cohort) -> Cohort:
    """The cells of both species with a broad class.

    Raises
    ------
    CohortError
        If one species has none.
    """
    cells = cohort.labelled(DANN.task)
    missing = [one.value for one in Species if not (cells.frame["species"] == one.value).any()]
    if missing:
        raise CohortError(
            f"{cohort.source} has no {' and no '.join(missing)} cell of known type; the paper's DANN is tested on both "
            "species. Name a folder that holds both published tables with --data."
        )
    return cells


def broad_cells(cohort: Cohort) -> BroadCells:
    """Divide the cells as the paper's code does for DANN.

    Raises
    ------
    CohortError
        If a species or a class is absent from training or test cells.
    """
    cells = labelled_broad(cohort)
    x, species = cells.matrix(), cells.frame["species"].to_numpy(dtype=str)
    whole = ~np.isnan(x).any(axis=1)
    fold = paper_dann_split(cells)
    rows = fold.train[whole[fold.train] & (species[fold.train] == Species.MOUSE.value)]
    fitted = rows[: int((1 - DANN_VALIDATION_SHARE) * len(rows))]
    truth = class_numbers(cells, DANN.task, DANN.classes)
    found = BroadCells(
        x,
        truth,
        species,
        fitted[: int(DANN_FITTED_SHARE * len(fitted))],
        rows[len(fitted) :],
        fold.test[whole[fold.test]],
        rows,
    )
    test_species = set(species[found.test].tolist())
    if len(np.unique(truth[found.train])) < len(DANN.classes) or len(test_species) < len(Species):
        raise CohortError(
            f"By the paper's split of {cohort.source} its training cells lack a class, or its test cells a species: "
            "the split takes the rows in the table's order. Name the folder of the published tables with --data."
        )
    return found
