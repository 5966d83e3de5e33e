"""Neighbourhood agreement in an embedding, a check on its visual impression."""

import numpy as np
import numpy.typing as npt

from neuroclass.types.arrays import Floats

N_NEIGHBOURS = 15


def neighbour_agreement(points: Floats, labels: npt.ArrayLike, n_neighbours: int = N_NEIGHBOURS) -> tuple[float, float]:
    """How often a point's neighbours share its label, averaged with equal weight per label.

    Parameters
    ----------
    points : ndarray, shape (n, n_dims)
        Positions.
    labels : array_like of str, shape (n,)
        One label per point.
    n_neighbours : int
        Number of neighbours.

    Returns
    -------
    agreement : float
        Mean over labels of the mean share of neighbours with the same label, a fraction.
    chance : float
        The same for random neighbours: one over the number of labels.
    """
    from scipy.spatial import cKDTree

    names = np.asarray(labels, dtype=str)
    n_neighbours = min(n_neighbours, len(names) - 1)
    kinds, codes, sizes = np.unique(names, return_inverse=True, return_counts=True)
    _, near = cKDTree(points).query(points, k=n_neighbours + 1)
    weight = 1.0 / sizes
    near_weight = weight[codes[near[:, 1:]]]
    same = codes[near[:, 1:]] == codes[:, None]
    share = (near_weight * same).sum(1) / near_weight.sum(1)
    return float(np.mean([share[codes == k].mean() for k in range(len(kinds))])), 1.0 / len(kinds)
