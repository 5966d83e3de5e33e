"""Training cells as mixtures of normals: what ships in their place, to draw stand-ins from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neuroclass.types.arrays import Floats, Integers


@dataclass(frozen=True)
class ClassMixtures:
    """A mixture of normals for each class of each species, in standardised features.

    Attributes
    ----------
    group : ndarray of int, shape (n_components,)
        Number of the class; see `counts`.
    weights : ndarray, shape (n_components,)
        Within the class; they sum to 1.
    means : ndarray, shape (n_components, 41)
        Of each component.
    covariances : ndarray, shape (n_components, 41, 41)
        Of each component.
    counts : ndarray of int, shape (n_groups,)
        Training cells of each class.
    """

    group: Integers
    weights: Floats
    means: Floats
    covariances: Floats
    counts: Integers

    def sample(self, seed: int) -> tuple[Floats, Integers]:
        """Draw as many cells of each class as it has training cells.

        Returns
        -------
        z : ndarray, shape (n_cells, 41)
            Standardised features.
        group : ndarray of int, shape (n_cells,)
            Class of each.
        """
        rng = np.random.default_rng(seed)
        cells, groups = [], []
        for number, count in enumerate(self.counts):
            own = np.flatnonzero(self.group == number)
            for component, n in zip(own, rng.multinomial(count, self.weights[own]), strict=True):
                drawn = rng.multivariate_normal(self.means[component], self.covariances[component], n, method="eigh")
                cells.append(drawn)
                groups.append(np.full(n, number))
        return np.concatenate(cells), np.concatenate(groups)

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """Arrays to save."""
        return {
            f"mixtures.{name}": getattr(self, name) for name in ("group", "weights", "means", "covariances", "counts")
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> "ClassMixtures":
        """Rebuild from the output of `arrays`."""
        weights, means, covariances = (
            np.asarray(arrays[f"mixtures.{name}"], dtype=np.float64) for name in ("weights", "means", "covariances")
        )
        group, counts = (np.asarray(arrays[f"mixtures.{name}"], dtype=np.int64) for name in ("group", "counts"))
        return cls(group, weights, means, covariances, counts)
