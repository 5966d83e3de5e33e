"""Two-dimensional pictures of held-out cells: raw features, features without and with the adversary.

References
----------
.. [1] McInnes, Healy, Melville, "UMAP: uniform manifold approximation and projection", arXiv:1802.03426.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import DannSettings
from neuroclass.evaluation.protocols import Trial
from neuroclass.training.fit_dann import train_dann

Floats = npt.NDArray[np.float64]

SEED = 1


def umap_of(features: Floats, seed: int = SEED) -> Floats:
    """UMAP of standardised features, shape (n_cells, n) → (n_cells, 2), with a fixed seed."""
    from umap import UMAP

    spread = np.maximum(features.std(0), 1e-9)
    reducer = UMAP(n_neighbors=15, min_dist=0.2, random_state=seed, n_jobs=1)
    return np.asarray(reducer.fit_transform((features - features.mean(0)) / spread), dtype=np.float64)


def held_out_embedding(cohort: Cohort, trial: Trial) -> pd.DataFrame:
    """Embed the cells that a trial holds out.

    Parameters
    ----------
    cohort : Cohort
        Labelled cells of both species.
    trial : Trial
        Its training cells train DANN with and without the adversary.

    Returns
    -------
    DataFrame
        id, species, truth, space (``raw``, ``lambda0``, ``dann``), x, y.
    """
    train, test = cohort.take(trial.train), cohort.take(trial.test)
    adapted = train_dann(train, DannSettings())
    plain = train_dann(train, DannSettings(reversal=0.0))
    spaces = {
        "raw": adapted.preprocessor(test.matrix())[0],
        "lambda0": plain.embed(test.matrix()),
        "dann": adapted.embed(test.matrix()),
    }
    meta = test.frame[["id", "species"]].assign(truth=test.frame["broad"])
    frames = []
    for space, features in spaces.items():
        points = umap_of(features)
        frames.append(meta.assign(space=space, x=points[:, 0].round(4), y=points[:, 1].round(4)))
    return pd.concat(frames, ignore_index=True)
