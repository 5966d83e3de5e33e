"""Nested selection: settings are chosen by cross-validation within the training cells.

What `evaluate` says of such a system is honest for the whole procedure, the choice included.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import donor_folds
from neuroclass.config import DannSettings, LspinSettings
from neuroclass.types.arrays import Floats

INNER_FOLDS = 3

LSPIN_CANDIDATES: tuple[LspinSettings, ...] = (
    LspinSettings(),
    LspinSettings(gate_penalty=0.02),
    LspinSettings(gate_penalty=0.005, agreement=0.0, consensus=0.0),
)
_DECAY = replace(DannSettings().optimiser, weight_decay=1.0)
DANN_CANDIDATES: tuple[DannSettings, ...] = (
    DannSettings(),
    DannSettings(hidden=(8,), optimiser=_DECAY),
    DannSettings(hidden=(128, 64, 4), dropout=0.3, optimiser=_DECAY),
)


class Predicts(Protocol):
    """A trained classifier."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the probabilities."""
        ...

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Probabilities, shape (n_cells, n_classes)."""
        ...


Settings = TypeVar("Settings")
Model = TypeVar("Model", bound=Predicts)


def inner_accuracy(cohort: Cohort, label: str, train: Callable[[Cohort], Predicts], seed: int) -> float:
    """Accuracy by donor-grouped cross-validation within a cohort, mean over the species.

    Parameters
    ----------
    cohort : Cohort
        Training cells of an outer fold.
    label : str
        ``broad`` or ``subclass``.
    train : callable
        Cohort → trained classifier.
    seed : int
        Of the inner folds.

    Returns
    -------
    float
        Fraction of cells, each species with the same weight.
    """
    cells = cohort.labelled(label)
    right = np.zeros(len(cells))
    for fold in donor_folds(cells, label, INNER_FOLDS, seed=seed):
        model, test = train(cells.take(fold.train)), cells.take(fold.test)
        probabilities = model.predict_proba(test.matrix(), test.column("species").tolist())
        predicted = np.asarray(model.classes)[probabilities.argmax(1)]
        right[fold.test] = predicted == test.column(label)
    species = cells.column("species")
    return float(np.mean([right[species == name].mean() for name in np.unique(species)]))


def select_and_train(
    cohort: Cohort,
    label: str,
    candidates: Sequence[Settings],
    train: Callable[[Cohort, Settings], Model],
    seed: int,
) -> Model:
    """Train with the candidate that is best within the cohort; the first of equals.

    Parameters
    ----------
    cohort : Cohort
        Training cells.
    label : str
        ``broad`` or ``subclass``.
    candidates : sequence
        Settings to choose from, simplest first.
    train : callable
        (cohort, settings) → trained classifier.
    seed : int
        Of the inner folds.

    Returns
    -------
    classifier
        Trained on the whole cohort.
    """
    scores = [
        inner_accuracy(cohort, label, lambda cells, chosen=settings: train(cells, chosen), seed)  # type: ignore[misc]
        for settings in candidates
    ]
    return train(cohort, candidates[int(np.argmax(scores))])
