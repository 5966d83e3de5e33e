"""Cross-species matches: the human cells nearest to a mouse cell in the space where species should not matter."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neuroclass.types.arrays import Floats

N_MATCHES = 5
N_NEAR = 5
SURVIVES = 0.6


def match_table(mouse: Sequence[str], human: Sequence[str], distances: Sequence[Floats]) -> pd.DataFrame:
    """Nearest human cells of each mouse cell, and how often retraining finds them again.

    Parameters
    ----------
    mouse, human : sequence of str
        Ids of the cells.
    distances : sequence of ndarray, shape (n_mouse, n_human)
        Distances by each of several trainings.

    Returns
    -------
    DataFrame
        id, rank (1 the nearest by the mean over trainings), twin, distance (mean, standard deviations of a feature),
        found_again (fraction of the trainings in which the twin is among the `N_NEAR` nearest).
    """
    mean = np.mean(distances, axis=0)
    near = np.mean([d.argsort(axis=1).argsort(axis=1) < N_NEAR for d in distances], axis=0)
    order = mean.argsort(axis=1)[:, :N_MATCHES]
    rows = np.arange(len(mouse))[:, None]
    ids = np.asarray(human, dtype=object)
    return pd.DataFrame(
        {
            "id": np.repeat(np.asarray(mouse, dtype=object), order.shape[1]),
            "rank": np.tile(np.arange(1, order.shape[1] + 1), len(mouse)),
            "twin": ids[order].ravel(),
            "distance": mean[rows, order].ravel().round(4),
            "found_again": near[rows, order].ravel().round(3),
        }
    )
