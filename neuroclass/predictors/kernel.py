"""Kernel logistic regression on random Fourier features, one model for each donor group left out.

φ(u) = (4 √(2/D) cos(Ωu + b), u) with u the whitened features (and, for both species, one input that is 1 for human),
p = softmax(A φ(u) + a). The random features stand for a Gaussian kernel, so that no training cell is kept.

References
----------
.. [1] Rahimi and Recht, "Random features for large-scale kernel machines", NIPS 2007.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from neuroclass.types.arrays import Floats

N_RANDOM = 300
_AMPLITUDE = 4.0


@dataclass(frozen=True)
class Kernel:
    """Trained models.

    Attributes
    ----------
    root : ndarray, shape (n_features, n_features)
        Whitening matrix.
    frequencies : ndarray, shape (n_inputs, 300)
        Ω; one row more than there are features where the species is an input.
    phases : ndarray, shape (300,)
        b.
    coefficients : ndarray, shape (n_folds, n_classes, 300 + n_inputs)
        A.
    intercepts : ndarray, shape (n_folds, n_classes)
        a.
    """

    root: Floats
    frequencies: Floats
    phases: Floats
    coefficients: Floats
    intercepts: Floats

    def features(self, z: Floats, human: bool) -> Floats:
        """φ, shape (n_cells, 300 + n_inputs), of standardised features without gaps."""
        inputs = z @ self.root
        if len(self.frequencies) > inputs.shape[1]:
            inputs = np.column_stack([inputs, np.full(len(z), float(human))])
        waves = np.cos(inputs @ self.frequencies + self.phases) * np.sqrt(2 / len(self.phases)) * _AMPLITUDE
        return np.column_stack([waves, inputs])

    def members(self, z: Floats, human: bool) -> Floats:
        """Probabilities of each model, shape (n_folds, n_cells, n_classes)."""
        logits = self.features(z, human) @ self.coefficients.transpose(0, 2, 1) + self.intercepts[:, None, :]
        return np.asarray(softmax(logits, axis=2))

    def arrays(self) -> dict[str, Floats]:
        """Arrays to save."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> "Kernel":
        """Rebuild from the output of `arrays`."""
        return cls(*(np.asarray(arrays[field.name], dtype=np.float64) for field in fields(cls)))
