"""Typicality: how unusual a cell is among the training cells, on the features it has.

d² = z_p' Σ_pp⁻¹ z_p over the k features present. Its cube root is nearly normal (Wilson and Hilferty):
t = ((d²/k)^⅓ − (1 − 2/9k)) / √(2/9k). The score is the fraction of held-out training cells, with about as
many features hidden, whose t is at least as large.

References
----------
.. [1] Wilson and Hilferty, "The distribution of chi-square", PNAS 17, 1931.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neuroclass.predictors.preprocess import Preprocessor, by_pattern
from neuroclass.types.arrays import Floats

PRESENT_KNOTS: Floats = np.array([6.0, 14.0, 22.0, 30.0, 41.0])
QUANTILES: Floats = np.linspace(0, 1, 401)


def distances(z: Floats, preprocessor: Preprocessor) -> Floats:
    """Normalised Mahalanobis distance on the features present.

    Parameters
    ----------
    z : ndarray, shape (n_cells, 41)
        Standardised features, NaN where missing.
    preprocessor : Preprocessor
        Provides the covariance.

    Returns
    -------
    ndarray, shape (n_cells,)
        About standard normal for typical cells; 0 where no feature is present.
    """
    present = ~np.isnan(z)
    result = np.zeros(len(z))
    for pattern, rows in by_pattern(present):
        k = int(pattern.sum())
        if k == 0:
            continue
        values = z[rows][:, pattern]
        solved = np.linalg.solve(preprocessor.covariance[np.ix_(pattern, pattern)], values.T).T
        square = np.maximum((values * solved).sum(1), 0.0)
        spread = 2 / (9 * k)
        result[rows] = (np.cbrt(square / k) - (1 - spread)) / np.sqrt(spread)
    return result


@dataclass(frozen=True)
class Typicality:
    """Quantiles of the distance around each knot of the number of features present, shape (5, 401)."""

    table: Floats

    @classmethod
    def fit(cls, z: Floats, preprocessor: Preprocessor) -> "Typicality":
        """Fit on standardised training cells, shape (n_cells, 41), NaN where a feature is hidden."""
        scores, counts = distances(z, preprocessor), (~np.isnan(z)).sum(1)
        nearest = np.abs(counts[:, None] - PRESENT_KNOTS).argmin(1)
        chosen = (scores[nearest == knot] for knot in range(len(PRESENT_KNOTS)))
        return cls(np.stack([np.quantile(s if len(s) >= 30 else scores, QUANTILES) for s in chosen]))

    def __call__(self, z: Floats, preprocessor: Preprocessor) -> Floats:
        """Fraction of training cells at least as unusual, shape (n_cells,)."""
        scores, counts = distances(z, preprocessor), (~np.isnan(z)).sum(1)
        return np.array([self._share(s, k) for s, k in zip(scores, counts, strict=True)])

    def _share(self, score: float, count: int) -> float:
        place = np.interp(count, PRESENT_KNOTS, np.arange(len(PRESENT_KNOTS)))
        low = int(place)
        high = min(low + 1, len(PRESENT_KNOTS) - 1)
        quantiles = self.table[low] + (place - low) * (self.table[high] - self.table[low])
        return float(1 - np.interp(score, quantiles, QUANTILES, left=0.0, right=1.0))

    def arrays(self) -> dict[str, Floats]:
        """Arrays to save."""
        return {"novelty.table": self.table}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> "Typicality":
        """Rebuild from the output of `arrays`."""
        return cls(np.asarray(arrays["novelty.table"], dtype=np.float64))
