"""Tables made from stored predictions on held-out cells.

References
----------
.. [1] Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from neuroclass.types.arrays import Floats


def wilson_interval(right: npt.ArrayLike, n: npt.ArrayLike, z: float = 1.96) -> tuple[Floats, Floats]:
    """Wilson's score interval of a share.

    Parameters
    ----------
    right, n : array_like, shape (k,)
        Successes and trials, n > 0.
    z : float
        Standard normal quantile; 1.96 for 95%.

    Returns
    -------
    low, high : ndarray, shape (k,)
        Fractions of 1.
    """
    n = np.asarray(n, dtype=np.float64)
    share = np.asarray(right, dtype=np.float64) / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return np.minimum(share, centre - half), np.maximum(share, centre + half)


def confusion_counts(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Numbers of predictions, true classes × predicted classes.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``truth`` and ``predicted``.
    classes : sequence of str
        Order of rows and columns.

    Returns
    -------
    DataFrame of int
    """
    from sklearn.metrics import confusion_matrix

    names = list(classes)
    counts = confusion_matrix(predictions["truth"], predictions["predicted"], labels=names)
    return pd.DataFrame(counts, pd.Index(names, name="truth"), pd.Index(names, name="predicted"))


def class_scores(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Precision, recall, F1 (fractions, 0 where undefined) and number of cells of each class.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``id``, ``truth`` and ``predicted``.
    classes : sequence of str
        Order of the rows.

    Returns
    -------
    DataFrame
        Columns class, precision, recall, f1, cells.
    """
    from sklearn.metrics import precision_recall_fscore_support

    names = list(classes)
    precision, recall, f1, _ = precision_recall_fscore_support(
        predictions["truth"], predictions["predicted"], labels=names, zero_division=0
    )
    cells = predictions.groupby("truth")["id"].nunique().reindex(names, fill_value=0)
    columns = {"class": names, "precision": precision, "recall": recall, "f1": f1, "cells": cells.to_numpy()}
    return pd.DataFrame(columns)


def group_accuracy(predictions: pd.DataFrame, group: pd.Series) -> pd.DataFrame:
    """Accuracy of groups of cells, each cell's repeats averaged first.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``id``, ``truth`` and ``predicted``.
    group : Series
        Group of each cell, by id; cells without one are left out.

    Returns
    -------
    DataFrame
        Columns group, truth (commonest class), cells, accuracy, low, high (95% Wilson interval over cells).
    """
    table = predictions.assign(right=predictions["truth"] == predictions["predicted"])
    cells = table.groupby("id").agg(right=("right", "mean"), truth=("truth", "first"))
    cells["group"] = group.reindex(cells.index)
    cells = cells[cells["group"].notna()]
    if cells.empty:
        return pd.DataFrame(columns=["group", "truth", "cells", "accuracy", "low", "high"])
    grouped = cells.groupby("group")
    rows = grouped.agg(cells=("right", "size"), accuracy=("right", "mean")).reset_index()
    rows["truth"] = grouped["truth"].agg(lambda t: t.mode().iloc[0]).to_numpy()
    rows["low"], rows["high"] = wilson_interval(rows["accuracy"] * rows["cells"], rows["cells"])
    return rows[["group", "truth", "cells", "accuracy", "low", "high"]]


def reliability_bins(predictions: pd.DataFrame, classes: Sequence[str], n_bins: int = 10) -> pd.DataFrame:
    """Stated probability of the predicted class against how often it is right, in bins of equal size.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``truth``, ``predicted`` and ``p_<class>``.
    classes : sequence of str
        The classes.
    n_bins : int
        Bins of equal numbers of predictions.

    Returns
    -------
    DataFrame
        Columns stated, observed, low, high (fractions), predictions.
    """
    stated = predictions[[f"p_{name}" for name in classes]].max(axis=1).to_numpy()
    right = (predictions["truth"] == predictions["predicted"]).to_numpy()
    order = np.argsort(stated, kind="stable")
    rows = []
    for part in np.array_split(order, n_bins):
        if part.size:
            low, high = wilson_interval([right[part].sum()], [part.size])
            rows.append((stated[part].mean(), right[part].mean(), low[0], high[0], part.size))
    return pd.DataFrame(rows, columns=["stated", "observed", "low", "high", "predictions"])


def percentile_in(values: npt.ArrayLike, value: float) -> float:
    """Percentage of values below `value`, ties counted half; NaN without values."""
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not known.size or not np.isfinite(value):
        return float("nan")
    return float(100 * ((known < value).mean() + 0.5 * (known == value).mean()))


def flatten_results(results: Sequence[Mapping[str, Any]], *, published: bool = False) -> pd.DataFrame:
    """Result objects as printed by ``evaluate --json``, one row per system, protocol and group of cells.

    Parameters
    ----------
    results : sequence of mapping
        With ``model``, ``protocol``, ``n_cells``, ``metrics``, ``groups`` and, for published figures, ``note``.
    published : bool
        Whether these are other people's figures.

    Returns
    -------
    DataFrame
        Columns system, protocol, group, metric, mean, low, high (fractions, NaN where unknown), cells, note, published.
    """
    rows = []
    for result in results:
        groups = {"all": result.get("metrics", {}), **result.get("groups", {})}
        for group, metrics in groups.items():
            for metric in ("accuracy", "macro_f1"):
                value = metrics.get(metric)
                if value is None:
                    continue
                value = value if isinstance(value, Mapping) else {"mean": value}
                rows.append(
                    {
                        "system": result.get("model"),
                        "protocol": result.get("protocol", ""),
                        "group": group,
                        "metric": metric,
                        "mean": value.get("mean"),
                        "low": value.get("low"),
                        "high": value.get("high"),
                        "cells": result.get("n_cells"),
                        "note": result.get("note", ""),
                        "published": published,
                    }
                )
    columns = ["system", "protocol", "group", "metric", "mean", "low", "high", "cells", "note", "published"]
    return pd.DataFrame(rows, columns=columns).astype({"mean": float, "low": float, "high": float})
