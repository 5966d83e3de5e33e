"""Recalibrate probabilities and 90% sets with labelled cells: of the same laboratory, or of other ones.

With p the probabilities as they are, the recalibrated ones are softmax(log p / T + b). The temperature T and the
biases b of the classes minimise the cross-entropy of the labelled cells plus a normal prior that shrinks log T and b to
0; a class without a labelled cell keeps b = 0. A set holds the classes with 1 − p ≤ the held-out cells' quantile of
1 − p(true class).

References
----------
.. [1] Guo et al., "On calibration of modern neural networks", ICML 2017.
.. [2] Sadinle, Lei, Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 2019.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from neuroclass.errors import CohortError
from neuroclass.evaluation.metrics import probabilities_of
from neuroclass.evaluation.names import ALONE
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.types.arrays import Floats, Integers, Mask, Names

N_FOLDS = 5
LEAST_A_CLASS = 5
PRIOR_SD = 0.5
"""Standard deviation of the prior of log T and of the biases, natural log units."""
_FLOOR = 1e-3


@dataclass(frozen=True)
class Recalibration:
    """What labelled cells changed.

    Attributes
    ----------
    temperature : float
        T; above 1 the probabilities become less certain.
    bias : ndarray, shape (n_classes,)
        Of the log probabilities.
    limit : float
        Largest 1 − p of a class in the set.
    """

    temperature: float
    bias: Floats
    limit: float

    def probabilities(self, p: Floats) -> Floats:
        """Recalibrated probabilities, shape (n_cells, n_classes)."""
        return _changed(p, self.temperature, self.bias)

    def sets(self, p: Floats) -> Mask:
        """Sets of cells with probabilities `p` before recalibration; each holds at least the likeliest class."""
        q = self.probabilities(p)
        inside = (1 - q) <= self.limit
        inside[np.arange(len(q)), q.argmax(1)] = True
        return np.asarray(inside)


@dataclass(frozen=True)
class RecalibrationCheck:
    """Recalibration to a laboratory, as cross-validated on its own labelled cells.

    Attributes
    ----------
    fitted : Recalibration
        From all labelled cells.
    before, after : dict
        ``accuracy``, ``balanced_accuracy``, ``stated`` probability of the predicted class, ``coverage`` of the 90% sets
        (fractions of the cells) and ``set_size`` (classes); after: each cell by the folds without it.
    n_cells : int
        Labelled cells.
    n_folds : int
        Folds.
    grouped_by : str
        ``donor`` where no donor stands on both sides of a fold, else ``cell``.
    """

    fitted: Recalibration
    before: dict[str, float]
    after: dict[str, float]
    n_cells: int
    n_folds: int
    grouped_by: str


def why_not_recalibrated(truth: Sequence[str]) -> str:
    """Why cells with these labels are too few to recalibrate with; empty if they are enough."""
    counts = pd.Series(list(truth), dtype=object).value_counts()
    few = [f"{name} ({n})" for name, n in counts.items() if n < LEAST_A_CLASS]
    if few:
        return f"each class present needs {LEAST_A_CLASS} labelled cells or more; found fewer of {', '.join(few)}"
    return "" if len(counts) > 1 else "the labelled cells are of one class; at least two are needed"


def recalibrate(predictions: pd.DataFrame, classes: Sequence[str], donors: Sequence[str]) -> RecalibrationCheck:
    """Fit a recalibration to a laboratory's labelled cells, and cross-validate it on them.

    Parameters
    ----------
    predictions : DataFrame
        One row per cell: ``truth``, ``prediction_set`` (names joined by |) and ``p_<class>``.
    classes : sequence of str
        In the order of the probabilities.
    donors : sequence of str, shape (n_cells,)
        Folds keep donors together, where every fold gets one.

    Returns
    -------
    RecalibrationCheck

    Raises
    ------
    CohortError
        If a class has too few labelled cells; see `why_not_recalibrated`.
    """
    if reason := why_not_recalibrated(predictions["truth"].tolist()):
        raise CohortError(f"The probabilities cannot be recalibrated: {reason}.")
    p, truth = _probabilities(predictions, classes)
    groups = np.asarray(list(donors), dtype=str)
    folds, grouped_by = _folds(truth, groups)
    q, inside = np.empty_like(p), np.zeros(p.shape, dtype=bool)
    for train, test in folds:
        fold = fit_recalibration(p[train], truth[train], groups[train])
        q[test], inside[test] = fold.probabilities(p[test]), fold.sets(p[test])
    shown = np.array([[name in text.split("|") for name in classes] for text in predictions["prediction_set"]])
    return RecalibrationCheck(
        fit_recalibration(p, truth, groups),
        _metrics(p, shown, truth),
        _metrics(q, inside, truth),
        len(p),
        len(folds),
        grouped_by,
    )


def fit_recalibration(p: Floats, truth: Integers, donors: Names) -> Recalibration:
    """Fit temperature and biases to labelled cells, and the limit to their scores in an inner cross-validation.

    Parameters
    ----------
    p : ndarray, shape (n_cells, n_classes)
        Probabilities.
    truth : ndarray of int, shape (n_cells,)
        True classes.
    donors : ndarray of str, shape (n_cells,)
        Of the folds.
    """
    scores = np.empty(len(p))
    for train, test in _folds(truth, donors)[0]:
        q = _changed(p[test], *_fit(p[train], truth[train]))
        scores[test] = 1 - q[np.arange(len(test)), truth[test]]
    rank = math.ceil((len(scores) + 1) * COVERAGE)
    limit = float(np.sort(scores)[rank - 1]) if rank <= len(scores) else 1.0
    return Recalibration(*_fit(p, truth), limit)


def _folds(truth: Integers, donors: Names) -> tuple[list[tuple[Integers, Integers]], str]:
    """Stratified folds by donor, or by cell where there are fewer donors than folds."""
    n_folds = max(2, min(N_FOLDS, int(np.bincount(truth)[np.unique(truth)].min())))
    cells = np.zeros((len(truth), 1))
    if len(np.unique(donors)) >= n_folds:
        by_donor = StratifiedGroupKFold(n_folds, shuffle=True, random_state=0)
        found = [(train, test) for train, test in by_donor.split(cells, truth, donors) if len(test) and len(train)]
        return found, "donor" if len(np.unique(donors)) < len(donors) else "cell"
    by_cell = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    return list(by_cell.split(cells, truth)), "cell"


def _fit(p: Floats, truth: Integers) -> tuple[float, Floats]:
    logs, rows, n_classes = np.log(p + _FLOOR), np.arange(len(truth)), p.shape[1]
    seen = np.isin(np.arange(n_classes), truth)

    def loss(parameters: Floats) -> float:
        logits = logs / np.exp(parameters[0]) + parameters[1:] * seen
        prior = float((parameters**2).sum()) / (2 * PRIOR_SD**2)
        return (prior - float(log_softmax(logits, axis=1)[rows, truth].sum())) / len(truth)

    found = minimize(loss, np.zeros(1 + n_classes), method="L-BFGS-B").x
    return float(np.exp(found[0])), np.asarray(found[1:] * seen)


def _changed(p: Floats, temperature: float, bias: Floats | float = 0.0) -> Floats:
    return np.asarray(softmax(np.log(p + _FLOOR) / temperature + bias, axis=1))


def _metrics(p: Floats, sets: Mask, truth: Integers) -> dict[str, float]:
    right = p.argmax(1) == truth
    return {
        "accuracy": float(right.mean()),
        "balanced_accuracy": float(np.mean([right[truth == k].mean() for k in np.unique(truth)])),
        "stated": float(p.max(1).mean()),
        "coverage": float(sets[np.arange(len(sets)), truth].mean()),
        "set_size": float(sets.sum(1).mean()),
    }


def calibrated_elsewhere(predictions: pd.DataFrame, classes: Sequence[str]) -> list[dict[str, Any]]:
    """For each table, coverage and stated probability with temperature and limit from the other tables' cells.

    Parameters
    ----------
    predictions : DataFrame
        Of `evaluate_tables`; the rows of cells alone are used.
    classes : sequence of str
        In the order of the probabilities.

    Returns
    -------
    list of dict
        A row per table, where there is another one.
    """
    alone = predictions[predictions["system"] == ALONE]
    rows = []
    for table in alone["laboratory"].unique():
        own, others = (alone[(alone["laboratory"] == table) == inside] for inside in (True, False))
        if others.empty:
            continue
        p, truth = _probabilities(others, classes)
        weights = 1 / others.groupby("laboratory")["id"].transform("size").to_numpy()
        temperature = _temperature(p, truth, weights / weights.sum())
        scores = 1 - _changed(p, temperature)[np.arange(len(p)), truth]
        limit = float(np.quantile(scores, COVERAGE))
        q, own_truth = _probabilities(own, classes)
        fitted = Recalibration(temperature, np.zeros(len(classes)), limit)
        heated = fitted.probabilities(q)
        shown = np.array([[name in text.split("|") for name in classes] for text in own["prediction_set"]])
        before, after = _metrics(q, shown, own_truth), _metrics(heated, fitted.sets(q), own_truth)
        rows.append(
            {
                "laboratory": table,
                "species": own["species"].iloc[0],
                "calibrated_on": sorted(others["laboratory"].unique()),
                "n_cells": len(own),
                "accuracy": before["accuracy"],
                "temperature": temperature,
                **{key: before[key] for key in ("stated", "coverage", "set_size")},
                **{f"{key}_recalibrated": after[key] for key in ("stated", "coverage", "set_size")},
            }
        )
    return rows


def _probabilities(frame: pd.DataFrame, classes: Sequence[str]) -> tuple[Floats, Integers]:
    places = {name: k for k, name in enumerate(classes)}
    return probabilities_of(frame, classes), frame["truth"].map(places).to_numpy(dtype=np.int64)


def _temperature(p: Floats, truth: Integers, weights: Floats) -> float:
    logs, rows = np.log(p + _FLOOR), np.arange(len(truth))
    found = minimize_scalar(
        lambda t: -float(weights @ log_softmax(logs / t, axis=1)[rows, truth]), bounds=(0.3, 5.0), method="bounded"
    )
    return float(found.x)
