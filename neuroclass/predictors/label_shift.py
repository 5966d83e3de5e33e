"""Class proportions of unlabelled cells, and posteriors corrected for them.

References
----------
.. [1] Saerens, Latinne, Decaestecker, "Adjusting the outputs of a classifier to new a priori
   probabilities", Neural Computation 14, 2002.
"""

import numpy as np

from neuroclass.types.arrays import Floats

_ROUNDS = 200
_TOLERANCE = 1e-6


def adapt_to_proportions(probabilities: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """Correct posteriors for the cells' own class proportions, estimated by expectation–maximisation.

    Parameters
    ----------
    probabilities : ndarray, shape (n_cells, n_classes)
        Posteriors under `prior`.
    prior : ndarray, shape (n_classes,)
        Class proportions of the training cells.

    Returns
    -------
    adapted : ndarray, shape (n_cells, n_classes)
    proportions : ndarray, shape (n_classes,)
        Estimated class proportions.
    """
    proportions, adapted = prior, probabilities
    for _ in range(_ROUNDS):
        adapted = probabilities * (proportions / prior)
        adapted = adapted / adapted.sum(1, keepdims=True)
        updated = adapted.mean(0)
        if np.abs(updated - proportions).max() < _TOLERANCE:
            break
        proportions = updated
    return adapted, proportions
