"""Summarise stored predictions for each cell: right, wrong or uncertain."""

from typing import Any

import pandas as pd

SURE = 0.6


def cell_verdicts(predictions: pd.DataFrame) -> pd.DataFrame:
    """Summarise a model's predictions for every cell.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``id``, ``truth`` and ``p_<class>`` (fractions of 1); one row per cell and repeat.

    Returns
    -------
    DataFrame, index id
        ``predicted``: likeliest class by the mean over repeats. ``verdict``: right, wrong, or
        uncertain where that class' mean probability is below `SURE`.
    """
    columns = [name for name in predictions.columns if name.startswith("p_")]
    mean = predictions.groupby("id")[columns].mean()
    truth: pd.Series[Any] = predictions.groupby("id")["truth"].first()
    predicted = mean.idxmax(axis=1).str.removeprefix("p_")
    verdict = (predicted == truth).map({True: "right", False: "wrong"}).where(mean.max(axis=1) >= SURE, "uncertain")
    return pd.DataFrame({"predicted": predicted, "verdict": verdict})
