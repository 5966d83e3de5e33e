"""Place uploaded cells among reference cells, in a UMAP of the reference's DANN features.

References
----------
.. [1] McInnes, Healy, Melville, "UMAP: uniform manifold approximation and projection", arXiv:1802.03426.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.explain.embedding import SEED
from neuroclass.predictors.dann import DannPredictor
from neuroclass.types.arrays import Floats


@dataclass(frozen=True, eq=False)
class Map:
    """A fitted map of reference cells, in which other cells can be placed.

    Attributes
    ----------
    points : DataFrame
        id, species, truth, x, y of the reference cells.
    """

    points: pd.DataFrame
    _model: DannPredictor
    _reducer: Any
    _centre: Floats
    _spread: Floats

    def place(self, x: Floats) -> Floats:
        """Place cells: features, shape (n_cells, 41), in stored units → (n_cells, 2)."""
        features = (self._model.embed(x) - self._centre) / self._spread
        return np.asarray(self._reducer.transform(features), dtype=np.float64)


def map_of(model: DannPredictor, cohort: Cohort) -> Map:
    """Fit a UMAP, with a fixed seed, to a cohort's domain-invariant features.

    Parameters
    ----------
    model : DannPredictor
        The shipped model; trained on the database's cells, so these are not held out.
    cohort : Cohort
        The reference cells.
    """
    from umap import UMAP

    features = model.embed(cohort.matrix())
    centre, spread = features.mean(0), np.maximum(features.std(0), 1e-9)
    reducer = UMAP(n_neighbors=15, min_dist=0.2, random_state=SEED, transform_seed=SEED, n_jobs=1)
    points = reducer.fit_transform((features - centre) / spread)
    table = cohort.frame[["id", "species"]].assign(truth=cohort.frame["broad"], x=points[:, 0], y=points[:, 1])
    return Map(table, model, reducer, centre, spread)
