"""Runs side by side: a table, and in which settings they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from neuroclass.errors import SettingsError
from neuroclass.training.job import Job, number
from neuroclass.training.runs import RunConfig
from neuroclass.training.settings import all_values, with_values
from neuroclass.training.watch import JUDGED_BY, best_epoch

_SHOWN = ("data", "cells", "own", "align", "protocol", "repeats")


def started_at(job_id: str) -> datetime | None:
    """When a run was asked for, by its id; None where the id does not say."""
    try:
        return datetime.strptime(job_id[:15], "%Y%m%d-%H%M%S")
    except ValueError:
        return None


def run_row(job: Job) -> dict[str, Any]:
    """A run as a row of a table.

    Parameters
    ----------
    job : Job
        The run.

    Returns
    -------
    dict
        id, name, system, state, started (ISO 8601), cells, settings (those that are not the recipe's), epochs, seconds,
        best_epoch, and of the final model on validation donors accuracy and macro_f1 (fractions); None where unknown.
    """
    started = started_at(job.id)
    held = job.metrics.get("validation")
    held = held if isinstance(held, Mapping) else {}
    settings = job.config.get("settings")
    return {
        "id": job.id,
        "name": job.name,
        "system": job.model,
        "state": job.state.value,
        "started": started.isoformat() if started else None,
        "cells": job.config.get("cells"),
        "settings": dict(settings) if isinstance(settings, Mapping) else {},
        "epochs": len(job.history),
        "seconds": number(job.status.get("seconds")) or None,
        "best_epoch": best_of(job),
        "accuracy": number(held.get("accuracy")) or None,
        "macro_f1": number(held.get("macro_f1")) or None,
    }


def best_of(job: Job) -> int | None:
    """The epoch with the best validation macro F1 so far; None without validation."""
    scored = [{JUDGED_BY: number(one.get(JUDGED_BY))} for one in job.history if JUDGED_BY in one]
    return best_epoch(scored) if len(scored) == len(job.history) else None


def _complete(job: Job) -> dict[str, Any]:
    """Everything a run's weights depend on that its owner chose."""
    try:
        config = RunConfig.from_json(job.config)
    except SettingsError:
        return {"system": job.model}
    values = all_values(config.system, with_values(config.system, config.settings))
    return {
        "system": config.system,
        **{name: list(value) if isinstance(value, tuple) else value for name, value in values.items()},
        **{f"validation {name}": value for name, value in asdict(config.validation).items()},
        **{name: str(getattr(config, name)) for name in _SHOWN},
    }


def differences(jobs: Sequence[Job]) -> dict[str, list[Any]]:
    """In which settings runs differ.

    Parameters
    ----------
    jobs : sequence of Job
        The runs.

    Returns
    -------
    dict of str to list
        Each setting that is not the same in all of them, with its value in each; None where a run has no such setting.
    """
    whole = [_complete(job) for job in jobs]
    names = dict.fromkeys(name for one in whole for name in one)
    rows = {name: [one.get(name) for one in whole] for name in names}
    return {name: values for name, values in rows.items() if any(value != values[0] for value in values)}
