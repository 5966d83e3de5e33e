"""How unlike every training class a cell is, on the features it has, allowing for any laboratory's shift.

Two measures, both under the cell's likeliest class with the covariance of an unknown laboratory: the Mahalanobis
distance, whose cube root is nearly normal (Wilson and Hilferty), and each feature's deviation from its expectation
given the cell's others, in standard deviations, which a single impossible value raises though the distance of
many features hides it. Ratios, which laboratories measure differently, are allowed half a unit of variance more.

References
----------
.. [1] Wilson and Hilferty, "The distribution of chi-square", PNAS 17, 1931.
"""

from dataclasses import dataclass

import numpy as np

from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.preprocess import by_pattern
from neuroclass.predictors.voices import REMEASURED, away_covariance
from neuroclass.types.arrays import Floats, Integers

_OFTEN = 0.1
_REMEASURED_VARIANCE = 0.5
_LEVELS: Floats = np.linspace(0, 1, 401)


def allowance(columns: Integers) -> Floats:
    """Further variance of features that laboratories measure differently, shape (n_features, n_features)."""
    return np.diag(np.where(REMEASURED[columns] >= _OFTEN, _REMEASURED_VARIANCE, 0.0))


def deviations(z: Floats, shapes: ClassShapes, lab: Floats) -> tuple[Floats, Floats]:
    """Distance from the likeliest class, and each feature's deviation given the others.

    Parameters
    ----------
    z : ndarray, shape (n_cells, n_features)
        Standardised, not clipped, NaN where missing.
    shapes : ClassShapes
        Of the same features.
    lab : ndarray, shape (n_features, n_features)
        K, with the `allowance`.

    Returns
    -------
    distance : ndarray, shape (n_cells,)
        About standard normal for typical cells; 0 where no feature is present.
    deviation : ndarray, shape (n_cells, n_features)
        In standard deviations; 0 where missing.
    """
    covariance = away_covariance(shapes, lab)
    distance, deviation = np.zeros(len(z)), np.zeros(z.shape)
    for pattern, rows in by_pattern(~np.isnan(z)):
        k = int(pattern.sum())
        if not k:
            continue
        precision = np.linalg.inv(covariance[np.ix_(pattern, pattern)])
        residual = z[rows][:, None, pattern] - shapes.means[None, :, pattern]
        solved = residual @ precision
        square = (residual * solved).sum(2)
        nearest = square.argmin(1)
        cells = np.arange(len(nearest))
        spread = 2 / (9 * k)
        distance[rows] = (np.cbrt(square[cells, nearest] / k) - (1 - spread)) / np.sqrt(spread)
        found = np.zeros((len(nearest), len(pattern)))
        found[:, pattern] = solved[cells, nearest] / np.sqrt(np.diag(precision))
        deviation[rows] = found
    return distance, deviation


@dataclass(frozen=True)
class Strangeness:
    """Quantiles among held-out cells: of the distance, of the largest deviation, and of the rarer of both; (3, 401)."""

    table: Floats

    @classmethod
    def fit(cls, distance: Floats, largest: Floats) -> "Strangeness":
        """Fit on held-out cells: distances and largest absolute deviations, shape (n_cells,)."""
        table = np.stack([np.quantile(distance, _LEVELS), np.quantile(largest, _LEVELS), np.zeros(len(_LEVELS))])
        table[2] = np.quantile(cls(table)._rarer(distance, largest), _LEVELS)
        return cls(table)

    def _rarer(self, distance: Floats, largest: Floats) -> Floats:
        shares = [
            1 - np.interp(values, quantiles, _LEVELS, left=0.0, right=1.0)
            for values, quantiles in zip((distance, largest), self.table[:2], strict=True)
        ]
        return np.minimum(*shares)

    def share(self, distance: Floats, largest: Floats) -> Floats:
        """Share of held-out cells at least as unusual, shape (n_cells,)."""
        return np.asarray(np.interp(self._rarer(distance, largest), self.table[2], _LEVELS))
