"""The circular taxonomy: cells by their angle in the plane of the first two principal components.

After [1], with the 41 features in place of the parameters of a spike model.

References
----------
.. [1] Rodríguez-Collado and Rueda, "Electrophysiological and transcriptomic features reveal a circular taxonomy of
   cortical neurons", Front. Hum. Neurosci. 15, 2021.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import i0e
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA

from neuroclass.types.arrays import Floats, Integers

CONCENTRATION = 40.0


@dataclass(frozen=True)
class Circle:
    """The plane of the first two principal components.

    Attributes
    ----------
    plane : PCA
        Two components, each turned so that its largest weight is positive.
    """

    plane: Any

    @classmethod
    def fit(cls, z: Floats) -> "Circle":
        """Fit on standardised, completed features, shape (n_cells, 41)."""
        plane = PCA(2, svd_solver="full").fit(z)
        largest = np.abs(plane.components_).argmax(axis=1)
        plane.components_ *= np.sign(plane.components_[np.arange(2), largest])[:, None]
        return cls(plane)

    def place(self, z: Floats) -> tuple[Floats, Floats]:
        """Angle, radians in (−π, π], and distance from the mean cell, standard deviations; shape (n_cells,) each."""
        first, second = self.plane.transform(z).T
        return np.arctan2(second, first), np.hypot(first, second)


def von_mises(angles: Floats, centres: Floats, concentration: float = CONCENTRATION) -> Floats:
    """Density of a von Mises distribution about each centre, 1/rad, shape (n_angles, n_centres)."""
    peak = 2 * np.pi * i0e(concentration)
    return np.asarray(np.exp(concentration * (np.cos(angles[:, None] - centres[None]) - 1)) / peak)


class CircularTaxonomy(ClassifierMixin, BaseEstimator):
    """Classes by angle alone: Bayes' rule on each class' kernel density over the circle; scikit-learn's interface.

    Parameters
    ----------
    concentration : float
        Of the von Mises kernel; 40 is a spread of about 9°.
    """

    def __init__(self, concentration: float = CONCENTRATION) -> None:
        self.concentration = concentration

    def fit(self, x: Floats, y: Integers) -> Self:
        """Fit on standardised features, shape (n_cells, 41), and labels."""
        self.classes_ = np.unique(y)
        self.circle_ = Circle.fit(x)
        self.angles_ = self.circle_.place(x)[0]
        self.truth_ = np.asarray(y)
        return self

    def predict_proba(self, x: Floats) -> Floats:
        """Probabilities, shape (n_cells, n_classes)."""
        near = von_mises(self.circle_.place(x)[0], self.angles_, self.concentration)
        weights = near @ (self.truth_[:, None] == self.classes_)
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))
