"""The cells that a network learns from, of whatever features, classes and domains."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neuroclass.types.arrays import Floats, Integers, Names


@dataclass(frozen=True)
class LearningCells:
    """Cells with what is known of them.

    Attributes
    ----------
    x : ndarray, shape (n_cells, n_features)
        Features, stored units, NaN where missing.
    truth : ndarray of int, shape (n_cells,)
        Position of the class; −1 where it is not known.
    classes : tuple of str
        In the order of `truth`.
    folds : ndarray of int, shape (n_cells,)
        Number of the donor group that each cell is held out with, 0 …; −1 for none.
    species : ndarray of str, shape (n_cells,)
        Species of each cell, for calibration.
    domains : ndarray of str, shape (n_cells,)
        Domain of each cell, which an adversary may not find out.
    """

    x: Floats
    truth: Integers
    classes: tuple[str, ...]
    folds: Integers
    species: npt.NDArray[np.object_]
    domains: Names
