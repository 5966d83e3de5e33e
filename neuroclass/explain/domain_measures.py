"""Measures of domain mixing and class separation in a feature space, on held-out cells.

References
----------
.. [1] Ben-David et al., "A theory of learning from different domains", Machine Learning 79, 2010.
.. [2] Gretton et al., "A kernel two-sample test", JMLR 13, 2012.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from neuroclass.explain.mixing import neighbour_agreement
from neuroclass.types.arrays import Floats, Mask, Names

SPECIES_ACCURACY = "species told by a classifier"
CLASS_ACCURACY = "class told by a classifier"
SPECIES_NEAR = "neighbours of the same species, within a class"
CLASS_NEAR = "neighbours of the same class"
DISCREPANCY = "MMD² between the species, within a class"
_SHUFFLES = 100


def classifier_accuracy(train: Floats, train_names: Names, test: Floats, test_names: Names) -> float:
    """Held-out balanced accuracy of a logistic regression, a fraction; chance is one over the number of groups."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000, class_weight="balanced"))
    classifier.fit(train, train_names)
    return float(balanced_accuracy_score(test_names, classifier.predict(test)))


def _kernel(features: Floats) -> Floats:
    squares = (features**2).sum(1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * features @ features.T, 0)
    return np.exp(-distances / max(float(np.median(distances)), 1e-12))


def discrepancy(features: Floats, names: Names, seed: int = 0) -> tuple[float, float]:
    """Unbiased squared maximum mean discrepancy of two groups, Gaussian kernel of median width.

    Parameters
    ----------
    features : ndarray, shape (n_cells, n_features)
        Features.
    names : ndarray of str, shape (n_cells,)
        Group of each cell; two groups.
    seed : int
        Seed of the shuffles.

    Returns
    -------
    value : float
        MMD²; near 0 for similar groups, and possibly negative.
    limit : float
        Its 95% quantile under random reassignment to groups.
    """
    kernel = _kernel(features)
    np.fill_diagonal(kernel, 0.0)
    first = names == np.unique(names)[0]

    def measure(inside: Mask) -> float:
        n, m = inside.sum(), (~inside).sum()
        a, b = kernel[np.ix_(inside, inside)].sum(), kernel[np.ix_(~inside, ~inside)].sum()
        return float(a / (n * (n - 1)) + b / (m * (m - 1)) - 2 * kernel[np.ix_(inside, ~inside)].mean())

    rng = np.random.default_rng(seed)
    null = [measure(rng.permutation(first)) for _ in range(_SHUFFLES)]
    return measure(first), float(np.quantile(null, 0.95))


def _within(classes: Names, measure: Callable[[Mask], tuple[float, float]]) -> tuple[float, float]:
    """Mean of a measure over the classes."""
    values = np.array([measure(classes == name) for name in np.unique(classes)])
    return float(values[:, 0].mean()), float(values[:, 1].mean())


def measures(
    train: Floats, test: Floats, train_species: Names, test_species: Names, train_classes: Names, test_classes: Names
) -> pd.DataFrame:
    """All measures for one space.

    Parameters
    ----------
    train, test : ndarray, shape (n_cells, n_features)
        Features of the training cells, for fitting classifiers, and of the held-out cells, for all measurements.
    train_species, test_species, train_classes, test_classes : ndarray of str
        Labels of these cells.

    Returns
    -------
    DataFrame
        measure, value, chance (of MMD²: its 95% quantile under no difference).
    """
    scale = np.maximum(train.std(0), 1e-9)
    scaled = test / scale
    near = _within(test_classes, lambda rows: neighbour_agreement(scaled[rows], test_species[rows]))
    apart = _within(test_classes, lambda rows: discrepancy(scaled[rows], test_species[rows]))
    rows = [
        (
            SPECIES_ACCURACY,
            classifier_accuracy(train, train_species, test, test_species),
            1 / len(np.unique(test_species)),
        ),
        (SPECIES_NEAR, *near),
        (DISCREPANCY, *apart),
        (
            CLASS_ACCURACY,
            classifier_accuracy(train, train_classes, test, test_classes),
            1 / len(np.unique(test_classes)),
        ),
        (CLASS_NEAR, *neighbour_agreement(scaled, test_classes)),
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "chance"])
