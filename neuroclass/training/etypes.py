"""Electrophysiological types found without labels: sparse PCA and a mixture of Gaussians, their number by BIC.

After [1], with the 41 features in place of sparse components of the traces, and without merging clusters.

References
----------
.. [1] Gouwens et al., "Classification of electrophysiological and morphological neuron types in the mouse
   visual cortex", Nat. Neurosci. 22, 2019.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import MiniBatchSparsePCA
from sklearn.mixture import GaussianMixture

from neuroclass.types.arrays import Floats, Integers

N_COMPONENTS = 12
SPARSITY = 3.0
COUNTS = range(2, 21)
LEAST_VARIANCE = 0.01


@dataclass(frozen=True)
class ETypes:
    """Fitted types.

    Attributes
    ----------
    axes : MiniBatchSparsePCA
        Sparse components.
    kept : ndarray of int, shape (n_kept,)
        Components with at least 1% of the components' summed variance.
    scale : ndarray, shape (n_kept,)
        Their standard deviations over the training cells.
    mixture : GaussianMixture
        With diagonal covariances.
    bic : tuple of float
        Bayesian information criterion for each of `COUNTS`.
    """

    axes: Any
    kept: Integers
    scale: Floats
    mixture: Any
    bic: tuple[float, ...]

    @classmethod
    def fit(cls, z: Floats, seed: int) -> "ETypes":
        """Fit on standardised, completed features, shape (n_cells, 41)."""
        axes = MiniBatchSparsePCA(N_COMPONENTS, alpha=SPARSITY, batch_size=64, max_iter=100, random_state=seed).fit(z)
        scores = axes.transform(z)
        variance = scores.var(axis=0)
        kept = np.flatnonzero(variance >= LEAST_VARIANCE * variance.sum())
        scale = np.sqrt(variance[kept])
        points = scores[:, kept] / scale
        counts = [n for n in COUNTS if n <= max(2, len(z) // 10)]
        mixtures = [
            GaussianMixture(n, covariance_type="diag", reg_covar=1e-3, random_state=seed, max_iter=300).fit(points)
            for n in counts
        ]
        bic = tuple(float(mixture.bic(points)) for mixture in mixtures)
        return cls(axes, kept, scale, mixtures[int(np.argmin(bic))], bic)

    @property
    def n_types(self) -> int:
        """Number of types."""
        return int(self.mixture.n_components)

    def memberships(self, z: Floats) -> Floats:
        """Probability of each type, shape (n_cells, n_types)."""
        return np.asarray(self.mixture.predict_proba(self.axes.transform(z)[:, self.kept] / self.scale))


class ETypeClassifier(ClassifierMixin, BaseEstimator):
    """Types found without labels, then read as the classes of their training cells; scikit-learn's interface.

    Parameters
    ----------
    seed : int
        Of both fits.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, x: Floats, y: Integers) -> Self:
        """Fit the types on `x` alone, shape (n_cells, 41), then count the classes of each type."""
        self.classes_ = np.unique(y)
        self.types_ = ETypes.fit(x, self.seed)
        members = self.types_.memberships(x)
        counts = members.T @ (np.asarray(y)[:, None] == self.classes_) + 1 / len(self.classes_)
        self.class_of_type_ = counts / counts.sum(axis=1, keepdims=True)
        return self

    def predict_proba(self, x: Floats) -> Floats:
        """Probabilities, shape (n_cells, n_classes)."""
        return np.asarray(self.types_.memberships(x) @ self.class_of_type_)
