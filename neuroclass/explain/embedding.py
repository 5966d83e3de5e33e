"""Two-dimensional pictures of cells.

References
----------
.. [1] McInnes, Healy, Melville, "UMAP: uniform manifold approximation and projection", arXiv:1802.03426.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from umap import UMAP

Floats = npt.NDArray[np.float64]

SEED = 1


def _standardised(features: Floats, like: Floats) -> Floats:
    return np.asarray((features - like.mean(0)) / np.maximum(like.std(0), 1e-9))


def fit_umap(features: Floats, seed: int = SEED) -> "UMAP":
    """UMAP of standardised features, shape (n_cells, n), with a fixed seed."""
    from umap import UMAP

    reducer = UMAP(n_neighbors=15, min_dist=0.2, random_state=seed, n_jobs=1)
    return reducer.fit(_standardised(features, features))


def umap_of(features: Floats, seed: int = SEED) -> Floats:
    """UMAP of standardised features, shape (n_cells, n) → (n_cells, 2), with a fixed seed."""
    return np.asarray(fit_umap(features, seed).embedding_, dtype=np.float64)


def place(reducer: "UMAP", features: Floats, new: Floats) -> Floats:
    """Positions of new cells in a picture, shape (n_new, 2), by UMAP's ``transform``.

    Parameters
    ----------
    reducer : UMAP
        Fitted on `features`.
    features : ndarray, shape (n_cells, n)
        What it was fitted on.
    new : ndarray, shape (n_new, n)
        Features of the new cells.

    Returns
    -------
    ndarray
    """
    return np.asarray(reducer.transform(_standardised(new, features)), dtype=np.float64)
