"""Labels as numbers, soft targets and balancing weights."""

import numpy as np
import numpy.typing as npt

from neuroclass.cohort.cohort import Cohort

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


def class_numbers(cohort: Cohort, label: str, classes: tuple[str, ...]) -> Index:
    """Position of each cell's class, shape (n_cells,); −1 where it is not known."""
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places.get(value, -1) for value in cohort.column(label)], dtype=np.int64)


def soft_targets(truth: Index, n_classes: int, smoothing: float) -> Floats:
    """Class probabilities with label smoothing, shape (n_cells, n_classes); zeros where the class is not known."""
    targets = np.eye(n_classes)[np.maximum(truth, 0)] * (1 - smoothing) + smoothing / n_classes
    return np.asarray(targets * (truth >= 0)[:, None])


def balanced_weights(groups: Index) -> Floats:
    """Weights, mean 1, that give every group the same total; shape (n_cells,)."""
    _, which, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(len(groups) / (len(counts) * counts[which]))
