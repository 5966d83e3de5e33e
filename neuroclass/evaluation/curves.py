"""ROC and precision–recall curves, one class against the rest, from stored predictions.

References
----------
.. [1] Fawcett, "An introduction to ROC analysis", Pattern Recognit. Lett. 27, 2006.
.. [2] Davis and Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from neuroclass.types.arrays import Floats, Mask

N_POINTS = 200


def _steps(score: Floats, positive: Mask) -> tuple[Floats, Floats]:
    """True and false positives with ever lower thresholds, from 0; equal scores are one step."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(positive[order])[last].astype(np.float64)
    return np.insert(hits, 0, 0.0), np.insert(last + 1.0 - hits, 0, 0.0)


def area_under_roc(score: Floats, positive: Mask) -> float:
    """Area under the ROC curve; NaN where one of the two kinds is missing."""
    hits, alarms = _steps(score, positive)
    if not hits[-1] or not alarms[-1]:
        return float("nan")
    x, y = alarms / alarms[-1], hits / hits[-1]
    return float((np.diff(x) * (y[1:] + y[:-1]) / 2).sum())


def average_precision(score: Floats, positive: Mask) -> float:
    """Mean precision over the recall, without interpolation; NaN where no cell is positive."""
    hits, alarms = _steps(score, positive)
    if not hits[-1]:
        return float("nan")
    precision = hits[1:] / (hits[1:] + alarms[1:])
    return float((np.diff(hits / hits[-1]) * precision).sum())


def one_against_rest(predictions: pd.DataFrame, classes: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Curves of each class and their areas.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``repeat``, ``truth`` and ``p_<class>``; curves pool the repeats, areas are their mean over repeats.
    classes : sequence of str
        The classes.

    Returns
    -------
    curves : DataFrame
        Columns class, threshold (probability from which a cell is called the class), false_positives,
        recall, precision (fractions), at most 200 points per class.
    areas : DataFrame
        Columns class, roc_auc, average_precision (fractions of 1), prevalence (fraction of the cells).
    """
    curves, areas = [], []
    repeats = predictions["repeat"] if "repeat" in predictions else pd.Series(0, index=predictions.index)
    for name in classes:
        score = predictions[f"p_{name}"].to_numpy(dtype=np.float64)
        positive = (predictions["truth"] == name).to_numpy()
        if not positive.any() or positive.all():
            continue
        parts = [(score[rows], positive[rows]) for rows in ((repeats == r).to_numpy() for r in repeats.unique())]
        hits, alarms = _steps(score, positive)
        levels = np.insert(np.sort(np.unique(score))[::-1], 0, np.inf)
        keep = np.unique(np.linspace(0, len(hits) - 1, N_POINTS).round().astype(int))
        called = np.maximum(hits + alarms, 1)
        curves.append(
            pd.DataFrame(
                {
                    "class": name,
                    "threshold": levels[keep],
                    "false_positives": (alarms / alarms[-1])[keep],
                    "recall": (hits / hits[-1])[keep],
                    "precision": np.where(hits + alarms > 0, hits / called, 1.0)[keep],
                }
            )
        )
        areas.append(
            {
                "class": name,
                "roc_auc": float(np.mean([area_under_roc(*part) for part in parts])),
                "average_precision": float(np.mean([average_precision(*part) for part in parts])),
                "prevalence": float(positive.mean()),
            }
        )
    columns = ["class", "threshold", "false_positives", "recall", "precision"]
    return (pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=columns)), pd.DataFrame(areas)
