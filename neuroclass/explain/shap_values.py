"""SHAP values in probability, relative to the model's prototypes of training cells.

Each prototype is turned into the cell one feature at a time, in its own random orders and their reverses;
a feature's value is the mean change of the probability when it is revealed (the estimator of shap's
``PermutationExplainer``, with an order for each prototype instead of one for all, and no compilation at
the first call). Base plus values is the model's probability by construction. A missing feature is missing
in the prototypes too, so that its value is 0 and what the others say of it is theirs.

References
----------
.. [1] Lundberg and Lee, "A unified approach to interpreting model predictions", NeurIPS 2017.
.. [2] Mitchell et al., "Sampling permutations for Shapley value estimation", JMLR 23, 2022.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from neuroclass.predictors.predictor import Predictor

Floats = npt.NDArray[np.float64]

PAIRS = 2


@dataclass(frozen=True)
class ShapValues:
    """What each feature adds to each class's probability.

    Attributes
    ----------
    values : ndarray, shape (n_cells, 41, n_classes)
        0 for missing features.
    base : ndarray, shape (n_cells, n_classes)
        Mean probability of the prototypes with the same features and species.
    error : ndarray, shape (n_cells,)
        Largest gap between base plus values and the model's probabilities.
    """

    values: Floats
    base: Floats
    error: Floats


def shap_values(
    model: Predictor,
    x: Floats,
    species: Sequence[str] | None = None,
    pairs: int = PAIRS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> ShapValues:
    """Explain cells.

    Parameters
    ----------
    model : Predictor
        The model.
    x : ndarray, shape (n_cells, 41)
        Features in stored units, NaN where missing.
    species : sequence of str, optional
        Of each cell.
    pairs : int
        Random orders for each prototype, each walked forth and back.
    seed : int
        Of the orders.
    progress : callable, optional
        Called as (done, of) with numbers of cells.

    Returns
    -------
    ShapValues
    """
    z = model.preprocessor.standardise(x)
    present = ~np.isnan(z)
    names = np.array(["any"] * len(z) if species is None else [str(name) for name in species], dtype=object)
    values = np.zeros((*z.shape, len(model.classes)))
    base = np.empty((len(z), len(model.classes)))
    keys = [(names[row], present[row].tobytes()) for row in range(len(z))]
    done = 0
    for key in dict.fromkeys(keys):
        rows = np.flatnonzero([other == key for other in keys])
        columns = np.flatnonzero(present[rows[0]])
        explained = _explain(model, z[np.ix_(rows, columns)], columns, str(key[0]), pairs, seed)
        values[np.ix_(rows, columns)], base[rows] = explained
        done += len(rows)
        if progress:
            progress(done, len(z))
    gap = base + values.sum(1) - model.standardised_probabilities(z, names.tolist())
    return ShapValues(values, base, np.abs(gap).max(1))


def _explain(
    model: Predictor, z: Floats, columns: npt.NDArray[np.int64], species: str, pairs: int, seed: int
) -> tuple[Floats, Floats]:
    """Values (n_cells, n_columns, n_classes) and base (n_classes,) of cells with the same features present."""

    def probabilities(rows: Floats) -> Floats:
        whole = np.full((len(rows), model.background.shape[1]), np.nan)
        whole[:, columns] = rows
        return model.standardised_probabilities(whole, [species] * len(rows))

    background = model.background[:, columns]
    base = probabilities(background).mean(0)
    values = np.zeros((len(z), len(columns), len(model.classes)))
    if not len(columns):
        return values, base
    walks, revealed = _walks(len(columns), pairs * len(background), seed)
    start = np.repeat(np.tile(background, (pairs, 1)), 2, axis=0)[:, None, :]
    for row, cell in enumerate(z):
        steps = np.where(revealed, cell, start)
        p = probabilities(steps.reshape(-1, len(columns))).reshape(*steps.shape[:2], -1)
        gains = np.diff(p, axis=1)
        for feature in range(len(columns)):
            values[row, feature] = gains[walks == feature].mean(0)
    return values, base


def _walks(n_features: int, n_pairs: int, seed: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Orders in which features are revealed, each followed by its reverse, and what is revealed at each step.

    Returns
    -------
    orders : ndarray, shape (2 n_pairs, n_features)
    revealed : ndarray of bool, shape (2 n_pairs, n_features + 1, n_features)
    """
    random = np.random.default_rng(seed)
    orders = np.stack([order for _ in range(n_pairs) for order in _there_and_back(random.permutation(n_features))])
    place = np.argsort(orders, axis=1)
    return orders, place[:, None, :] < np.arange(n_features + 1)[None, :, None]


def _there_and_back(order: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    return order, order[::-1]
