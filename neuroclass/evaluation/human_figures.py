"""What is said of held-out human cells: metrics, prediction sets, and the answer that users get.

Metrics are those of GABAergic cells: excitatory cells, of other laboratories, are easy, and are counted by themselves.
"""

from typing import Any

import pandas as pd

from neuroclass.cell_types import HumanSubclass
from neuroclass.cohort.human import TABLE_COLUMN
from neuroclass.evaluation.laboratories import HOME
from neuroclass.evaluation.metrics import HEADLINE, balanced_accuracy, expected_calibration_error, summarise
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan
from neuroclass.evaluation.summaries import confusion_counts
from neuroclass.io.feature_table import CONDITION_COLUMN
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.training.fit_human_subclass import TASK
from neuroclass.types.models import HUMAN_SUBCLASS

METRICS = {**HEADLINE, "balanced_accuracy": balanced_accuracy}
_EXCITATORY = HumanSubclass.GLUTAMATERGIC.value


def gabaergic(predictions: pd.DataFrame) -> pd.DataFrame:
    """The predictions of GABAergic cells."""
    return predictions[predictions["truth"] != _EXCITATORY].reset_index(drop=True)


def describe_human(name: str, plan: Plan, predictions: pd.DataFrame) -> dict[str, Any]:
    """Metrics of held-out predictions.

    Parameters
    ----------
    name : str
        The system.
    plan : Plan
        From `human_plan`.
    predictions : DataFrame
        From `run_human_trials`.

    Returns
    -------
    dict
        ``metrics`` (accuracy, macro F1, balanced accuracy) and ``groups`` (by condition) of GABAergic cells;
        ``excitatory`` (fraction called Glutamatergic, by table); ``classes`` (recall); ``confusion`` (cells per repeat,
        true class first); for our model ``sets``, ``calibration_error``, ``open_gates``, ``false_alarms`` and
        ``stimuli``; ``answer``, the same figures of what users are told. All fractions of held-out cells.
    """
    classes = HUMAN_SUBCLASS.classes
    told = predictions[predictions["answer"]]
    predictions = predictions[~predictions["answer"]]
    home = predictions[predictions["laboratory"] == plan.trials[0].laboratories[0].name]
    cells, others = gabaergic(home), home[home["truth"] == _EXCITATORY]
    result: dict[str, Any] = {
        "model": name,
        "task": TASK,
        "protocol": Protocol.DONOR_CV.value,
        "cells": "GABAergic",
        "n_cells": int(cells["id"].nunique()),
        "n_donors": int(cells["donor"].nunique()),
        "n_repeats": int(cells["repeat"].nunique()),
        "seeds": sorted({trial.seed for trial in plan.trials}),
        **_figures(cells, others),
        "confusion": (confusion_counts(home, classes) / home["repeat"].nunique()).round(1).to_numpy().tolist(),
    }
    if "exact_set_right" in cells:
        result["sets"] = _sets(cells, others) | {"observed": float(cells["exact_set_right"].mean())}
        result["open_gates"] = {"median": float(cells["n_open"].median())}
        result["false_alarms"] = {
            f"below {limit}": float((cells["typicality"] < limit).mean()) for limit in (0.01, 0.05)
        }
    if predictions["laboratory"].nunique() > 1:
        parts = gabaergic(predictions).groupby("laboratory", sort=False)
        result["stimuli"] = {str(key): _with_stimuli(rows) for key, rows in parts if key != HOME.name}
    if len(told):
        result["answer"] = _answer(told, plan.trials[0].laboratories[0].name)
    return result


def _answer(told: pd.DataFrame, as_recorded: str) -> dict[str, Any]:
    home = told[told["laboratory"] == as_recorded]
    cells, others = gabaergic(home), home[home["truth"] == _EXCITATORY]
    parts = gabaergic(told).groupby("laboratory", sort=False)
    return {
        **_figures(cells, others),
        "sets": _sets(cells, others),
        "stimuli": {str(key): _with_stimuli(rows) for key, rows in parts if key != as_recorded},
    }


def _figures(cells: pd.DataFrame, others: pd.DataFrame) -> dict[str, Any]:
    """What is said of every system, from predictions of GABAergic and of excitatory cells."""
    classes, right = HUMAN_SUBCLASS.classes, cells["truth"] == cells["predicted"]
    called = (others["predicted"] == _EXCITATORY).groupby(others[TABLE_COLUMN]).mean()
    return {
        "metrics": summarise(cells, classes, METRICS),
        "groups": {str(key): summarise(rows, classes, METRICS) for key, rows in cells.groupby(CONDITION_COLUMN)},
        "classes": _shares(right, cells),
        "excitatory": {str(key): float(share) for key, share in called.items()},
        "calibration_error": expected_calibration_error(cells, classes),
    }


def _shares(held: "pd.Series[bool]", cells: pd.DataFrame) -> dict[str, float]:
    return {str(key): float(share) for key, share in held.groupby(cells["truth"]).mean().items()}


def _held(cells: pd.DataFrame) -> "pd.Series[bool]":
    pairs = zip(cells["truth"], cells["prediction_set"], strict=True)
    return pd.Series([truth in chosen.split("|") for truth, chosen in pairs], index=cells.index, dtype=bool)


def _sets(cells: pd.DataFrame, others: pd.DataFrame) -> dict[str, Any]:
    held = _held(cells)
    return {
        "coverage": COVERAGE,
        "shown": float(held.mean()),
        "mean_size": float(cells["set_size"].mean()),
        "classes": _shares(held, cells),
        "excitatory": float(_held(others).mean()),
    }


def _with_stimuli(cells: pd.DataFrame) -> dict[str, Any]:
    """What a card says of cells recorded with these stimuli; see `HumanSubclassPredictor.expected_accuracy`."""
    metrics = summarise(cells, HUMAN_SUBCLASS.classes, METRICS)
    right = cells["truth"] == cells["predicted"]
    return {
        "accuracy": metrics["accuracy"]["mean"],
        "low": metrics["accuracy"]["low"],
        "high": metrics["accuracy"]["high"],
        "balanced_accuracy": metrics["balanced_accuracy"]["mean"],
        "macro_f1": metrics["macro_f1"]["mean"],
        "by_class": _shares(right, cells),
        **({"coverage": float(_held(cells).mean())} if "prediction_set" in cells else {}),
        "n_cells": int(cells["id"].nunique()),
    }
