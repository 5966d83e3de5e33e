"""Semi-supervised classification: most training cells are used unlabelled.

Self-training: a classifier trained on the labelled cells labels those it is sure of, and is trained again.
Beside it the method of [1], cluster centres by fuzzy c-means, here begun at the labelled cells' means, and the
nearest centre as the class.

References
----------
.. [1] Ghaderi, Marateb, Safari, "Electrophysiological profiling of neocortical neural subtypes: a
   semi-supervised method applied to in vivo whole-cell patch-clamp data", Front. Neurosci. 12, 2018.
.. [2] Yarowsky, "Unsupervised word sense disambiguation rivaling supervised methods", ACL 1995 (self-training).
"""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.semi_supervised import SelfTrainingClassifier

from neuroclass.types.arrays import Floats, Integers

LABELS_A_CLASS = 20
SURE = 0.9
_UNLABELLED = -1
_ROUNDS = 50


def discriminant() -> LinearDiscriminantAnalysis:
    """Linear discriminant analysis with shrunk covariance, suited to few labels."""
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


def keep_few(y: Integers, n_labels: int, seed: int) -> Integers:
    """Labels of `n_labels` cells per class drawn at random, −1 for the others; shape (n_cells,)."""
    rng = np.random.default_rng(seed)
    result = np.full(len(y), _UNLABELLED, dtype=np.int64)
    for name in np.unique(y):
        rows = np.flatnonzero(y == name)
        result[rng.choice(rows, min(n_labels, len(rows)), replace=False)] = name
    return result


class SemiSupervised(ClassifierMixin, BaseEstimator):
    """Self-training on few labels per class; scikit-learn's interface.

    Parameters
    ----------
    n_labels : int
        Labelled cells per class; the labels of all others are not used.
    seed : int
        Of the draw.
    """

    def __init__(self, n_labels: int = LABELS_A_CLASS, seed: int = 0) -> None:
        self.n_labels, self.seed = n_labels, seed

    def fit(self, x: Floats, y: Integers) -> Self:
        """Fit on standardised features, shape (n_cells, n_features), and all labels, of which few are looked at."""
        self.model_: Any = SelfTrainingClassifier(discriminant(), threshold=SURE)
        self.model_.fit(x, keep_few(np.asarray(y), self.n_labels, self.seed))
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, x: Floats) -> Floats:
        """Probabilities, shape (n_cells, n_classes)."""
        return np.asarray(self.model_.predict_proba(x))


class FuzzyCentres(ClassifierMixin, BaseEstimator):
    """Fuzzy c-means begun at the labelled cells' means; the nearest centre is the class.

    Parameters
    ----------
    n_labels, seed : int
        See `SemiSupervised`.
    fuzziness : float
        Exponent of the memberships, above 1.
    """

    def __init__(self, n_labels: int = LABELS_A_CLASS, seed: int = 0, fuzziness: float = 1.5) -> None:
        self.n_labels, self.seed, self.fuzziness = n_labels, seed, fuzziness

    def fit(self, x: Floats, y: Integers) -> Self:
        """Fit; see `SemiSupervised.fit`."""
        few = keep_few(np.asarray(y), self.n_labels, self.seed)
        known = few >= 0
        self.classes_ = np.unique(few[known])
        self.centres_ = np.array([x[few == name].mean(axis=0) for name in self.classes_])
        for _ in range(_ROUNDS):
            members = self.predict_proba(x)
            members[known] = few[known][:, None] == self.classes_
            weights = members**self.fuzziness
            self.centres_ = weights.T @ x / weights.sum(axis=0)[:, None]
        return self

    def predict_proba(self, x: Floats) -> Floats:
        """Memberships, shape (n_cells, n_classes); they sum to 1."""
        squared = ((x[:, None] - self.centres_) ** 2).sum(axis=2)
        inverse = (squared + 1e-9) ** (-1 / (self.fuzziness - 1))
        return np.asarray(inverse / inverse.sum(axis=1, keepdims=True))
