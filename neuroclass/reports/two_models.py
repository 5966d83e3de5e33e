"""Two models of the library side by side: cells, settings that differ, metrics, and paired differences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neuroclass.config import MODELS_DIR
from neuroclass.errors import LibraryError
from neuroclass.evaluation.metrics import paired_difference
from neuroclass.library.entry import TASKS, ModelEntry
from neuroclass.reports.store import ReportStore, Table
from neuroclass.types.models import MODEL_OF_TASK

NO_REPORT = "one of them has no report on held-out cells"
OTHER_CELLS = "their reports are on different cells or labels"
OTHER_TASKS = "they tell different things, so their accuracies are not comparable"


@dataclass(frozen=True)
class Side:
    """One of two models, for one task."""

    entry: ModelEntry
    card: Mapping[str, Any]
    report: ReportStore


def side_of(entry: ModelEntry, task: str) -> Side:
    """A model's card and report; of the shipped models, those of the task's."""
    if not entry.shipped:
        return Side(entry, entry.card, ReportStore(entry.name, entry.folder))
    name = MODEL_OF_TASK[task].name
    report = ReportStore(name, MODELS_DIR / name)
    return Side(entry, report.card(), report)


def task_of_pair(first: ModelEntry, second: ModelEntry) -> str:
    """The task of the first of two that has one; ``subclass`` for the shipped models beside themselves."""
    return first.task or second.task or TASKS[1]


def compare_models(first: ModelEntry, second: ModelEntry) -> dict[str, Any]:
    """What is stored of two models, side by side.

    Parameters
    ----------
    first, second : ModelEntry
        Two different ones.

    Returns
    -------
    dict
        ``models``: id, name, system, task, cells, protocol and metrics of each. ``settings``: those that differ, each
        with both values, None where a model has no such setting. ``paired``: first − second in accuracy on the same
        held-out cells and repeats (``difference``, ``low``, ``high``, ``p``, ``accuracies`` of both, ``n_cells``,
        ``n_donors``), or None and ``why``.

    Raises
    ------
    LibraryError
        If both are the same.
    """
    if first.id == second.id:
        raise LibraryError(f"{first.name!r} cannot be compared with itself; name two models.")
    task = task_of_pair(first, second)
    sides = [side_of(first, first.task or task), side_of(second, second.task or task)]
    a, b = (flat(side.card.get("settings") or {}) for side in sides)
    differ = {key: [a.get(key), b.get(key)] for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)}
    paired, why = _paired(*sides)
    return {"models": [_described(side) for side in sides], "settings": differ, "paired": paired, "why": why}


def flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings under dotted names."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value}
    return found


def _described(side: Side) -> dict[str, Any]:
    cells = side.card.get("training_cells") or {}
    metrics = side.card.get("metrics") or {}
    return {
        "id": side.entry.id,
        "name": side.entry.name,
        "system": str(side.card.get("system") or side.card.get("model", "")),
        "task": side.card.get("task"),
        "cells": {key: cells.get(key) for key in ("source", "n_cells", "n_donors", "sha256", "simulated")},
        "protocol": side.card.get("protocol"),
        "metrics": metrics.get("metrics"),
        "n_tested": metrics.get("n_cells"),
    }


def _paired(first: Side, second: Side) -> tuple[dict[str, Any] | None, str]:
    """Difference on the same held-out cells and repeats, or why there is none."""
    if first.card.get("task") != second.card.get("task"):
        return None, OTHER_TASKS
    if not all(side.report.has(Table.PREDICTIONS) for side in (first, second)):
        return None, NO_REPORT
    ours, theirs = first.report.predictions(), second.report.predictions()
    repeats = set(ours["repeat"]) & set(theirs["repeat"])
    ours, theirs = (table[table["repeat"].isin(repeats)] for table in (ours, theirs))
    keys = ["id", "repeat", "truth"]
    same = ours[keys].astype(str).merge(theirs[keys].astype(str), on=keys)
    if not len(same) or len(same) != len(ours) or len(same) != len(theirs):
        return None, OTHER_CELLS
    accuracies = [float((table["predicted"] == table["truth"]).mean()) for table in (ours, theirs)]
    return {
        **paired_difference(ours, theirs),
        "accuracies": accuracies,
        "n_cells": int(ours["id"].nunique()),
        "n_donors": int(ours["donor"].nunique()),
        "n_repeats": len(repeats),
    }, ""
