"""Class probabilities of a batch's cells, by themselves and with their laboratory allowed for.

With k features, densities are raised to the power 1 / (1 + k / 15), because features of real cells repeat one another
more than the model allows for. The verdict pools a cell's own posterior with the batch's:

    p ∝ p_alone^(1 − λ) p_batch^λ,   λ = n² / (n² + 40²)

References
----------
.. [1] Grünwald, "The safe Bayesian", ALT 2012 (densities raised to a power under misspecification).
"""

import numpy as np
from scipy.special import logsumexp

from neuroclass.adaptation.variational import RIDGE, Home, LabFit, log_densities
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.lab_shifts import lab_covariance
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Floats, Mask

_POWER_FEATURES = 15.0
_HALF_TRUST = 40.0
_UNKNOWN_LAB = 1.2
_TINY = 1e-9


def reference_home(shapes: ClassShapes, preprocessor: Preprocessor, seen: Mask) -> Home:
    """The reference on some features, shape (41,) of bool, as `fit_laboratory` takes it."""
    block = np.ix_(seen, seen)
    within = shapes.pooled[block] + RIDGE * np.eye(int(seen.sum()))
    return Home(shapes.means[:, seen], within, lab_covariance(preprocessor)[block])


def unknown_laboratory(z: Floats, home: Home) -> Floats:
    """Logarithm of each class' density for a cell of an unknown laboratory, shape (n_cells, n_classes)."""
    spread = _UNKNOWN_LAB * home.within + home.physical
    return log_densities(z, home.means, np.repeat(spread[None], len(home.means), 0))


def tempered(logs: Floats, z: Floats) -> Floats:
    """Logarithms of densities, shape (n_cells, n_classes), after the power that the features of `z` are worth."""
    k = (~np.isnan(z)).sum(1, keepdims=True)
    return np.asarray(logs / (1 + k / _POWER_FEATURES))


def normalised(logs: Floats) -> Floats:
    """Probabilities from logarithms, shape (n_cells, n_classes)."""
    return np.asarray(np.exp(logs - logsumexp(logs, axis=1, keepdims=True)))


def posterior(fit: LabFit, z: Floats) -> Floats:
    """Class probabilities under a laboratory, densities raised to the power that the features are worth."""
    return normalised(tempered(fit.log_joint(z) - fit.log_share, z) + fit.log_share)


def pooled_verdict(alone: Floats, batch: Floats, n_cells: int) -> Floats:
    """The cells' own posteriors and the batch's, pooled with a weight that grows with the batch."""
    trust = n_cells**2 / (n_cells**2 + _HALF_TRUST**2)
    logs = (1 - trust) * np.log(np.maximum(alone, _TINY)) + trust * np.log(np.maximum(batch, _TINY))
    return normalised(logs)
