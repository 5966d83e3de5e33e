"""Deletion and insertion curves: whether the features that an explanation ranks high matter to the model.

The features of each held-out cell are ranked; either the first k are removed (deletion) or all others (insertion),
and the accuracy is measured. A feature is removed in one of two ways: *hidden*, as if it had not been recorded, so
that it is imputed and other gates may open instead; or *shut*, its gate set to 0 with all other gates unchanged.

References
----------
.. [1] Petsiuk, Das, Saenko, "RISE: randomized input sampling for explanation of black-box models", BMVC 2018.
"""

from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd
import torch

from neuroclass.nets.lspin import Lspin
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.predictor import for_members
from neuroclass.types.arrays import Floats, Integers, Mask, Names

COUNTS: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 41)
RANDOM_ORDERS = 3
HIDDEN, SHUT = "hidden", "shut"
DELETION, INSERTION = "deletion", "insertion"
_SEED = 20230528


@torch.inference_mode()
def probabilities_behind(model: LspinPredictor, x: Floats, open_to: Mask, species: list[str] | None = None) -> Floats:
    """Calibrated probabilities with some of a cell's gates forced shut.

    Parameters
    ----------
    model : LspinPredictor
        The model.
    x : ndarray, shape (n_cells, 41)
        Features in stored units, NaN where missing.
    open_to : ndarray of bool, shape (n_cells, 41)
        False where the gate is forced shut; the other gates do not change.
    species : list of str, optional
        Of each cell.

    Returns
    -------
    ndarray, shape (n_cells, n_classes)
    """
    z, present = model.preprocessor(x)
    members = model.architecture["n_members"]
    inputs = for_members(z, members)
    net = cast(Lspin, model.net)
    gates = net(inputs, for_members(present, members)).gates * for_members(open_to, members)
    mean = net.prediction(inputs * gates).softmax(-1).mean(0).numpy().astype(np.float64)
    return model.calibration(mean, 1.0 - present.mean(axis=1), species)


def gate_ablation(model: LspinPredictor, x: Floats, species: list[str] | None = None) -> Floats:
    """The effect of each gate on one cell's prediction.

    Parameters
    ----------
    model : LspinPredictor
        The model.
    x : ndarray, shape (1, 41)
        Features of the cell in stored units, NaN where missing.
    species : list of str, optional
        Of the cell.

    Returns
    -------
    ndarray, shape (42, n_classes)
        Row k: probabilities with gate k alone shut; last row: with all gates unchanged.
    """
    n_features = x.shape[1]
    open_to = np.concatenate([~np.eye(n_features, dtype=bool), np.ones((1, n_features), dtype=bool)])
    repeated = None if species is None else species * (n_features + 1)
    return probabilities_behind(model, np.repeat(x, n_features + 1, axis=0), open_to, repeated)


def deletion_table(
    model: LspinPredictor,
    x: Floats,
    truth: Names,
    importances: Mapping[str, Floats],
    seed: int = _SEED,
) -> pd.DataFrame:
    """Which held-out cells stay correct when the first features of each ranking, or all others, are removed.

    Parameters
    ----------
    model : LspinPredictor
        The model.
    x : ndarray, shape (n_cells, 41)
        Features in stored units, NaN where missing.
    truth : ndarray of str, shape (n_cells,)
        True classes.
    importances : mapping of str to ndarray, shape (n_cells, 41)
        Importance of each feature in each cell under each ranking; ties are broken at random.
    seed : int
        Seed of ties and of the random rankings, which are added.

    Returns
    -------
    DataFrame
        One row per cell and point of a curve: row (of the cell), curve, how, ranking, features (removed or kept),
        right (fraction of the random orders, else 0 or 1).
    """
    rng = np.random.default_rng(seed)
    orders = {name: [np.lexsort((rng.random(values.shape), -values), axis=1)] for name, values in importances.items()}
    orders["random"] = [rng.random(x.shape).argsort(axis=1) for _ in range(RANDOM_ORDERS)]
    frames = []
    for ranking, alternatives in orders.items():
        for curve in (DELETION, INSERTION):
            for how in (HIDDEN, SHUT):
                for count in COUNTS:
                    right = np.mean(
                        [_right(model, x, truth, order, count, curve, how) for order in alternatives], axis=0
                    )
                    point = {"curve": curve, "how": how, "ranking": ranking, "features": count}
                    frames.append(pd.DataFrame({"row": np.arange(len(x)), "right": right}).assign(**point))
    return pd.concat(frames, ignore_index=True)


def _right(model: LspinPredictor, x: Floats, truth: Names, order: Integers, count: int, curve: str, how: str) -> Mask:
    """Whether each cell is classified correctly without the first `count` features in its order, or with only them."""
    first = np.argsort(order, axis=1) < count
    kept = ~first if curve == DELETION else first
    if how == SHUT:
        probabilities = probabilities_behind(model, x, kept)
    else:
        probabilities = model.predict_proba(np.where(kept, x, np.nan))
    return np.asarray(np.array(model.classes)[probabilities.argmax(1)] == truth)


def summarise_curves(table: pd.DataFrame, n_resamples: int = 1000) -> pd.DataFrame:
    """Accuracy at each point with a 95% interval by bootstrap over donors.

    Parameters
    ----------
    table : DataFrame
        Rows of `deletion_table` with the cells' ``donor``.
    n_resamples : int
        Bootstrap samples.

    Returns
    -------
    DataFrame
        curve, how, ranking, features, accuracy, low, high (fractions of cells), cells.
    """
    donors, _ = pd.factorize(table["donor"])
    n_donors = donors.max() + 1
    weights = np.random.default_rng(_SEED).multinomial(n_donors, np.full(n_donors, 1 / n_donors), n_resamples)
    rows = []
    key = ["curve", "how", "ranking", "features"]
    for point, part in table.assign(donor=donors).groupby(key, sort=False):
        sums = np.bincount(part["donor"], weights=part["right"], minlength=n_donors)
        sizes = np.bincount(part["donor"], minlength=n_donors)
        low, high = np.quantile((weights @ sums) / (weights @ sizes), (0.025, 0.975))
        rows.append((*point, float(part["right"].mean()), float(low), float(high), len(part)))
    return pd.DataFrame(rows, columns=[*key, "accuracy", "low", "high", "cells"])
