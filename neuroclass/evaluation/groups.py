"""Accuracy by driver line, layer, dendrite type and structure, on pure lines, and on cells with every feature."""

from typing import Any

import pandas as pd

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.evaluation.label_issues import label_issues
from neuroclass.evaluation.metrics import summarise
from neuroclass.evaluation.protocols import Plan
from neuroclass.evaluation.purity import LEAST_CELLS, MOST_ERRORS, pure_cells, pure_rows
from neuroclass.evaluation.summaries import group_accuracy
from neuroclass.types.arrays import Mask

BY = ("line", "layer", "dendrite_type", "structure", "reporter_status")


def group_document(
    name: str, task: str, plan: Plan, predictions: pd.DataFrame, comparisons: pd.DataFrame, jobs: int = 1
) -> dict[str, Any]:
    """Group accuracies for the Performance page; group figures only, no single cells.

    Parameters
    ----------
    name, task : str
        Ours, and what it learned.
    plan : Plan
        Donor-grouped cross-validation.
    predictions : DataFrame
        Ours.
    comparisons : DataFrame
        Other systems' predictions: system, id, repeat, predicted.
    jobs : int
        Processes at once.

    Returns
    -------
    dict
        ``by``: for each of `BY` the rows of `group_accuracy` with ``doubted`` (number of cells whose label is doubted)
        and, for lines, ``pure`` (share of the trials that call it pure); ``pure`` and ``complete``: number of cells
        and the metrics of every system on them.
    """
    classes = TASK_CLASSES[task]
    cells = plan.cohort.frame.set_index("id")
    pure = pure_cells(plan, task, jobs)
    issues = label_issues(predictions, classes).set_index("id")["doubted"]
    by = {}
    for column in BY:
        table = group_accuracy(predictions, cells[column])
        if table.empty:
            continue
        table["doubted"] = issues.groupby(cells[column]).sum().reindex(table["group"]).to_numpy(dtype=int)
        if column == "line":
            table["pure"] = _share_of_trials(pure, predictions, cells["line"]).reindex(table["group"]).to_numpy()
        by[column] = table.to_dict("records")
    complete = set(plan.cohort.complete().frame["id"])
    known = predictions["id"].isin(complete).to_numpy()
    kept = pure_rows(predictions, pure)
    return {
        "by": by,
        "pure": {
            "rule": f"a line of which an SVC errs on at most {MOST_ERRORS:.0%} of its training cells, predicted by "
            f"donor-grouped cross-validation within the training cells (at least {LEAST_CELLS} cells)",
            **_on(kept, name, predictions, comparisons, classes),
        },
        "complete": {
            "rule": "cells none of whose 41 features is missing",
            **_on(known, name, predictions, comparisons, classes),
        },
    }


def _share_of_trials(pure: pd.DataFrame, predictions: pd.DataFrame, line: pd.Series) -> pd.Series:
    """Fraction of each line's held-out predictions whose training cells classify the line as pure."""
    of = predictions["id"].map(line)
    return (pure.groupby("line").size() / of.value_counts()).reindex(of.dropna().unique()).fillna(0.0)


def _on(
    rows: Mask, name: str, predictions: pd.DataFrame, comparisons: pd.DataFrame, classes: tuple[str, ...]
) -> dict[str, Any]:
    """Metrics of every system on some of the predictions."""
    part = predictions[rows]
    if part.empty:
        return {"n_cells": 0, "systems": {}}
    systems = {name: summarise(part, classes)}
    keys = part[["id", "repeat", "donor", "fold", "truth"]]
    for system, theirs in comparisons.groupby("system"):
        systems[str(system)] = summarise(keys.merge(theirs, on=["id", "repeat"]), classes)
    return {"n_cells": int(part["id"].nunique()), "systems": systems}
