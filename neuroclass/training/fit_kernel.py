"""Fit the kernel logistic regression of one set of features."""

import numpy as np

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.predictors.foundation import SPECIES
from neuroclass.predictors.kernel import N_RANDOM, Kernel
from neuroclass.predictors.voices import BROAD
from neuroclass.training.fit_feature_set import whitening
from neuroclass.training.training_table import N_FOLDS, TrainingTable
from neuroclass.types.arrays import Floats, Integers

_MOST_ITERATIONS = 300


def fit_kernel(table: TrainingTable, columns: Integers, task: str, seed: int) -> Kernel:
    """Fit, each model without one donor group.

    Parameters
    ----------
    table : TrainingTable
        All cells; human ones serve the broad task only, with the species as one more input.
    columns : ndarray of int, shape (n_features,)
        Features of the set.
    task : str
        ``broad`` or ``subclass``.
    seed : int
        Of the random features.

    Returns
    -------
    Kernel
    """
    from sklearn.linear_model import LogisticRegression

    truth = table.truth[task]
    usable = truth >= 0
    z = table.z[:, columns]
    root = _rounded(whitening(z[usable]))
    rng = np.random.default_rng(seed)
    width = np.sqrt(2 / len(columns) / (z[usable] @ root).var())
    n_inputs = len(columns) + (task == BROAD)
    frequencies = rng.normal(size=(n_inputs, N_RANDOM))
    frequencies[: len(columns)] *= width
    n_classes = len(TASK_CLASSES[task])
    plain = Kernel(
        root,
        _rounded(frequencies),
        _rounded(rng.uniform(0, 2 * np.pi, N_RANDOM)),
        np.zeros((N_FOLDS, n_classes, N_RANDOM + n_inputs)),
        np.zeros((N_FOLDS, n_classes)),
    )
    human = table.species != SPECIES[0]
    features = np.where(human[:, None], plain.features(z, True), plain.features(z, False))
    for fold in range(N_FOLDS):
        rows = usable & (table.folds != fold)
        model = LogisticRegression(max_iter=_MOST_ITERATIONS).fit(features[rows], truth[rows])
        two = len(model.coef_) == 1
        plain.coefficients[fold] = _rounded(np.concatenate([-model.coef_, model.coef_]) / 2 if two else model.coef_)
        ends = np.concatenate([-model.intercept_, model.intercept_]) / 2 if two else model.intercept_
        plain.intercepts[fold] = _rounded(ends)
    return plain


def _rounded(values: Floats) -> Floats:
    """In half precision, as stored."""
    return values.astype(np.float16).astype(np.float64)
