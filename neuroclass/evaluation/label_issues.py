"""Label issues: held-out cells that a model assigns to another class, unanimously and confidently.

A label is doubted if every repeat predicts the same other class and, by confident learning, the mean probability
of that class reaches the mean probability that held-out cells labelled with it have. Doubt is a reason to look at
the cell, not a proof: a systematic error of the model looks alike.

References
----------
.. [1] Northcutt, Jiang, Chuang, "Confident learning: estimating uncertainty in dataset labels", JAIR 70, 2021.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def label_issues(predictions: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Find held-out cells whose predictions contradict their label.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``id``, ``truth``, ``predicted``, ``p_<class>``; a row per cell and repeat.
    classes : sequence of str
        The classes.

    Returns
    -------
    DataFrame
        A row per cell: id, truth, suggested (class of largest mean probability), probability (its mean, fraction),
        unanimous (every repeat predicts the suggested class, which is not the label), confident (confident
        learning's criterion, for a class that is not the label), doubted (both).
    """
    columns = [f"p_{name}" for name in classes]
    grouped = predictions.groupby("id", sort=False)
    cells = grouped[columns].mean()
    truth = grouped["truth"].first().reindex(cells.index)
    mean = cells.to_numpy(dtype=np.float64)
    names = np.asarray(classes, dtype=object)
    limits = np.array([mean[(truth == name).to_numpy(), k].mean() for k, name in enumerate(classes)])
    best = mean.argmax(axis=1)
    suggested = names[best]
    other = suggested != truth.to_numpy()
    votes = predictions["predicted"] == predictions["id"].map(pd.Series(suggested, index=cells.index))
    unanimous = votes.groupby(predictions["id"], sort=False).all().reindex(cells.index).to_numpy() & other
    confident = (mean[np.arange(len(mean)), best] >= limits[best]) & other
    return pd.DataFrame(
        {
            "id": cells.index,
            "truth": truth.to_numpy(),
            "suggested": suggested,
            "probability": mean[np.arange(len(mean)), best],
            "unanimous": unanimous,
            "confident": confident,
            "doubted": unanimous & confident,
        }
    )


def label_issues_by_confusion(cells: pd.DataFrame) -> pd.DataFrame:
    """Confusions, with the number of probable label issues in each.

    Parameters
    ----------
    cells : DataFrame
        From `label_issues`.

    Returns
    -------
    DataFrame
        Columns truth, suggested, cells (put there by mean probability), unanimous, doubted (numbers of cells); the
        most doubted first.
    """
    wrong = cells[cells["suggested"] != cells["truth"]]
    grouped = wrong.groupby(["truth", "suggested"])
    table = grouped.agg(cells=("id", "size"), unanimous=("unanimous", "sum"), doubted=("doubted", "sum"))
    return table.reset_index().sort_values(["doubted", "cells"], ascending=False, ignore_index=True)
