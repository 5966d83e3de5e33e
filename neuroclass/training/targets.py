"""Labels as numbers, soft targets and balancing weights."""

from typing import TYPE_CHECKING

import numpy as np

from neuroclass.types.arrays import Floats, Integers

if TYPE_CHECKING:
    from neuroclass.cohort.cohort import Cohort


def class_numbers(cohort: "Cohort", label: str, classes: tuple[str, ...]) -> Integers:
    """Position of each cell's class, shape (n_cells,); −1 where it is not known."""
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places.get(value, -1) for value in cohort.column(label)], dtype=np.int64)


def soft_targets(truth: Integers, n_classes: int, smoothing: float) -> Floats:
    """Class probabilities with label smoothing, shape (n_cells, n_classes); zeros where the class is not known."""
    targets = np.eye(n_classes)[np.maximum(truth, 0)] * (1 - smoothing) + smoothing / n_classes
    return np.asarray(targets * (truth >= 0)[:, None])


def balanced_weights(domains: Integers, shares: Floats) -> Floats:
    """Weights that give every class of every domain the same total.

    Parameters
    ----------
    domains : ndarray of int, shape (n_cells,)
        Domain of each cell, 0 …
    shares : ndarray, shape (n_cells, n_classes)
        Class probabilities; one-hot where the class is known.

    Returns
    -------
    ndarray, shape (n_cells,)
        w_i ∝ Σ_k s_ik / Σ_j∈domain(i) s_jk; mean 1.
    """
    weights = np.zeros(len(domains))
    for domain in np.unique(domains):
        inside = domains == domain
        totals = shares[inside].sum(0)
        weights[inside] = (shares[inside] / np.where(totals > 0, totals, np.inf)).sum(1)
    return np.asarray(weights / weights.mean())
