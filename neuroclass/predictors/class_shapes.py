"""Classes as Student t distributions in standardised features, judged on exactly the features present.

z | c ~ t_ν(μ_c, Σ_c) over the features that a cell has; a missing one is marginalised, not imputed. A laboratory
moves its cells along a few physical directions (offset of the potentials, temperature, resistance, rheobase step,
spike height, bridge; see `lab_shifts`): a cell of an unknown one has the covariance Σ_c + K.

References
----------
.. [1] Kotz and Nadarajah, "Multivariate t Distributions and Their Applications", 2004.
.. [2] Friedman, "Regularized discriminant analysis", JASA 84, 1989 (covariances shrunk to their pooled mean).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, cholesky
from scipy.special import gammaln, logsumexp

from neuroclass.predictors.preprocess import by_pattern
from neuroclass.types.arrays import Floats, Integers

_LEAST_DIAGONAL = 1e-3


def log_t(z: Floats, mean: Floats, covariance: Floats, dof: float) -> Floats:
    """Logarithm of the density of a multivariate t, on the features present.

    Parameters
    ----------
    z : ndarray, shape (n_cells, n_features)
        NaN where missing.
    mean : ndarray, shape (n_features,)
        Location.
    covariance : ndarray, shape (n_features, n_features)
        Scale matrix.
    dof : float
        ν.

    Returns
    -------
    ndarray, shape (n_cells,)
        0 for a cell without features.
    """
    return log_t_remeasured(z, mean, covariance, dof, np.zeros(z.shape[1]))


def log_t_remeasured(z: Floats, mean: Floats, covariance: Floats, dof: float, probability: Floats) -> Floats:
    """As `log_t`, where at most one feature may be another measurement under the same name.

    That feature's variance is larger by 1 (standardised). Each hypothesis is a rank-one change of the covariance, so
    that one factorisation serves all.

    Parameters
    ----------
    z, mean, covariance, dof
        See `log_t`.
    probability : ndarray, shape (n_features,)
        Of each feature being another measurement; all 0 for the plain t.

    Returns
    -------
    ndarray, shape (n_cells,)
    """
    result = np.zeros(len(z))
    for pattern, rows in by_pattern(~np.isnan(z)):
        k = int(pattern.sum())
        if not k:
            continue
        factor = cholesky(covariance[np.ix_(pattern, pattern)], lower=True)
        residual = z[rows][:, pattern] - mean[pattern]
        solved = cho_solve((factor, True), residual.T).T
        square = (residual * solved).sum(1)
        log_determinant = 2 * np.log(np.diag(factor)).sum()
        other = probability[pattern]
        kernel = _log_kernel(square, log_determinant, k, dof)
        if other.any():
            stretch = 1 + np.diag(cho_solve((factor, True), np.eye(k)))
            reduced = square[:, None] - solved**2 / stretch
            with np.errstate(divide="ignore"):
                odds = np.log(other) - np.log1p(-other)
            each = _log_kernel(reduced, log_determinant + np.log(stretch), k, dof) + odds
            kernel = logsumexp(np.column_stack([kernel, each]), axis=1) + np.log1p(-other).sum()
        result[rows] = kernel + gammaln((dof + k) / 2) - gammaln(dof / 2) - k / 2 * np.log(dof * np.pi)
    return result


def _log_kernel(square: Floats, log_determinant: Floats | float, k: int, dof: float) -> Floats:
    return np.asarray(-0.5 * log_determinant - (dof + k) / 2 * np.log1p(square / dof))


@dataclass(frozen=True)
class ClassShapes:
    """Class means and covariances of standardised features.

    Attributes
    ----------
    means : ndarray, shape (n_classes, 41)
        μ_c.
    covariances : ndarray, shape (n_classes, 41, 41)
        Each class' own covariance.
    counts : ndarray, shape (n_classes,)
        Training cells of each class.
    """

    means: Floats
    covariances: Floats
    counts: Floats

    @classmethod
    def fit(cls, z: Floats, truth: Integers, n_classes: int) -> "ClassShapes":
        """Fit on standardised, completed training cells, shape (n_cells, 41), with the position of their class."""
        own = [z[truth == k] for k in range(n_classes)]
        floor = _LEAST_DIAGONAL * np.eye(z.shape[1])
        return cls(
            np.stack([cells.mean(0) for cells in own]),
            np.stack([np.cov(cells.T, ddof=0) + floor for cells in own]),
            np.array([len(cells) for cells in own], dtype=np.float64),
        )

    @property
    def proportions(self) -> Floats:
        """Of the training cells, shape (n_classes,)."""
        return np.asarray(self.counts / self.counts.sum())

    @property
    def pooled(self) -> Floats:
        """Covariance within classes, shape (41, 41)."""
        return np.asarray(np.tensordot(self.proportions, self.covariances, 1))

    def blended(self, own: float) -> Floats:
        """Covariances with weight `own` on the class' own and the rest on the pooled, shape (n_classes, 41, 41)."""
        return np.asarray(own * self.covariances + (1 - own) * self.pooled)

    def log_likelihoods(self, z: Floats, covariances: Floats, dof: float, probability: Floats | None = None) -> Floats:
        """Logarithm of each class' density, shape (n_cells, n_classes); see `log_t_remeasured`."""
        other = np.zeros(z.shape[1]) if probability is None else probability
        pairs = zip(self.means, covariances, strict=True)
        return np.stack([log_t_remeasured(z, mean, covariance, dof, other) for mean, covariance in pairs], axis=1)

    def only(self, columns: Integers) -> "ClassShapes":
        """The same classes in fewer features."""
        block = self.covariances[:, columns[:, None], columns[None, :]]
        return ClassShapes(self.means[:, columns], block, self.counts)

    def sample(self, proportions: Floats, n_cells: int, rng: np.random.Generator) -> tuple[Floats, Integers]:
        """Draw cells, normal within classes: features, shape (n_cells, 41), and classes, shape (n_cells,)."""
        which = rng.choice(len(self.means), n_cells, p=proportions / proportions.sum())
        z = np.empty((n_cells, self.means.shape[1]))
        for k, (mean, covariance) in enumerate(zip(self.means, self.covariances, strict=True)):
            rows = which == k
            z[rows] = rng.multivariate_normal(mean, covariance, int(rows.sum()), method="eigh")
        return z, which

    def arrays(self) -> dict[str, Floats]:
        """Arrays to save."""
        return {"classes.means": self.means, "classes.covariances": self.covariances, "classes.counts": self.counts}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> "ClassShapes":
        """Rebuild from the output of `arrays`."""
        names = ("classes.means", "classes.covariances", "classes.counts")
        return cls(*(np.asarray(arrays[name], dtype=np.float64) for name in names))
