"""Two-dimensional embeddings of cells.

References
----------
.. [1] McInnes, Healy, Melville, "UMAP: uniform manifold approximation and projection", arXiv:1802.03426.
"""

import numpy as np

from neuroclass.types.arrays import Floats

SEED = 1


def umap_of(features: Floats, seed: int = SEED) -> Floats:
    """UMAP of standardised features, shape (n_cells, n) → (n_cells, 2), with a fixed seed."""
    from umap import UMAP

    spread = np.maximum(features.std(0), 1e-9)
    reducer = UMAP(n_neighbors=15, min_dist=0.2, random_state=seed, n_jobs=1)
    return np.asarray(reducer.fit_transform((features - features.mean(0)) / spread), dtype=np.float64)
