"""SHAP values in probability, relative to the model's prototypes of training cells.

A missing feature is missing in the prototypes too, so that its value is 0 and what the others say of it
is theirs.

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

PERMUTATIONS = 2


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
    permutations: int = PERMUTATIONS,
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
    permutations : int
        Orders, each walked forth and back, in which features are revealed.
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
        explained = _explain(model, z[np.ix_(rows, columns)], columns, str(key[0]), permutations, seed)
        values[np.ix_(rows, columns)], base[rows] = explained
        done += len(rows)
        if progress:
            progress(done, len(z))
    gap = base + values.sum(1) - model.standardised_probabilities(z, names.tolist())
    return ShapValues(values, base, np.abs(gap).max(1))


def _explain(
    model: Predictor, z: Floats, columns: npt.NDArray[np.int64], species: str, permutations: int, seed: int
) -> tuple[Floats, Floats]:
    """Values (n_cells, n_columns, n_classes) and base (n_classes,) of cells with the same features present."""
    import shap

    def probabilities(rows: Floats) -> Floats:
        whole = np.full((len(rows), model.background.shape[1]), np.nan)
        whole[:, columns] = rows
        return model.standardised_probabilities(whole, [species] * len(rows))

    background = model.background[:, columns]
    if not len(columns):
        return np.zeros((len(z), 0, len(model.classes))), probabilities(background).mean(0)
    masker = shap.maskers.Independent(background, max_samples=len(background))
    explainer = shap.explainers.Permutation(probabilities, masker, seed=seed)
    result = explainer(z, max_evals=permutations * (2 * len(columns) + 1), silent=True)
    return np.asarray(result.values).reshape(len(z), len(columns), -1), np.asarray(result.base_values)[0]
