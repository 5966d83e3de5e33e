"""Planted laboratories of known classes, and the limit of the prediction sets that they give.

A planted laboratory has the features, size and estimated proportions of the batch. Its offset is drawn from the prior
of real ones, the offset of each class has twice the sd that the fit expects, each class has its own covariance,
distorted by a Wishart draw, and cells have the tails of a t with eight degrees of freedom: the planted laboratories are
stranger than the fit assumes. They are learned like the batch; each needs some limit on 1 − p(true class) to reach the
nominal coverage, and the limit taken suffices for nine in ten of them.

References
----------
.. [1] Sadinle, Lei, Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 2019.
"""

import numpy as np

from neuroclass.adaptation.variational import DOF, FEATURE_DOF, FEATURE_SD, RIDGE, Home, LabFit, fit_laboratory
from neuroclass.adaptation.verdicts import normalised, pooled_verdict, posterior, tempered, unknown_laboratory
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.types.arrays import Floats, Integers, Mask

_LABORATORIES = 8
_MOST_CELLS = 150
_WISHART_DOF = 60
_CLASS_SD = 0.25
_LABORATORIES_COVERED = 0.9
_ROUNDS = 12


def set_limit(
    fit: LabFit, home: Home, shapes: ClassShapes, seen: Mask, n_cells: int, rng: np.random.Generator
) -> float:
    """Largest 1 − p of a class inside a prediction set of the nominal coverage.

    Parameters
    ----------
    fit : LabFit
        The batch as it was learned.
    home : Home
        The reference on the features seen.
    shapes : ClassShapes
        The reference on all features.
    seen : ndarray of bool, shape (41,)
        The features seen.
    n_cells : int
        Cells of the batch.
    rng : Generator
        Of the draws.

    Returns
    -------
    float
    """
    limits = []
    share = fit.pseudo_counts / fit.pseudo_counts.sum()
    for _ in range(_LABORATORIES):
        z, truth = plant(share, home, shapes, seen, min(n_cells, _MOST_CELLS), rng)
        alone = normalised(tempered(unknown_laboratory(z, home), z))
        learned = fit_laboratory(z, alone, home, _ROUNDS)
        p = pooled_verdict(alone, posterior(learned, z), n_cells)
        limits.append(np.quantile(1 - p[np.arange(len(z)), truth], COVERAGE, method="higher"))
    return float(np.quantile(limits, _LABORATORIES_COVERED))


def plant(
    share: Floats, home: Home, shapes: ClassShapes, seen: Mask, n_cells: int, rng: np.random.Generator
) -> tuple[Floats, Integers]:
    """Draw one laboratory's cells.

    Returns
    -------
    z : ndarray, shape (n_cells, n_seen)
        Standardised features.
    truth : ndarray of int, shape (n_cells,)
        Their classes.
    """
    n_classes, k = home.means.shape
    truth = rng.choice(n_classes, n_cells, p=share / share.sum())
    offset = rng.multivariate_normal(np.zeros(k), home.physical, method="eigh")
    offset = offset + FEATURE_SD * rng.standard_t(FEATURE_DOF, k)
    means = home.means + offset + _CLASS_SD * rng.normal(size=(n_classes, k))
    covariances = shapes.covariances[:, seen][:, :, seen] + RIDGE * np.eye(k)
    draws = rng.normal(size=(_WISHART_DOF + k, k)) / np.sqrt(_WISHART_DOF + k)
    roots = np.linalg.cholesky(covariances) @ np.linalg.cholesky(draws.T @ draws)
    scale = np.sqrt(rng.chisquare(DOF, n_cells) / DOF)[:, None]
    noise = np.einsum("nij,nj->ni", roots[truth], rng.normal(size=(n_cells, k)))
    return means[truth] + noise / scale, truth
