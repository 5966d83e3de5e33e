"""Carry out a search for settings in its run's folder, and say what it found."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neuroclass.cohort.cohort import Cohort
from neuroclass.commands.estimates import say_search
from neuroclass.io.atomic import write_atomically
from neuroclass.reports.store import Document, ReportStore
from neuroclass.training import runs
from neuroclass.training.command_line import command
from neuroclass.training.runs import RunConfig, write_json
from neuroclass.training.settings import differing
from neuroclass.types.progress import ProgressCallback


def search_in_folder(config: RunConfig, folder: Path, cells: Cohort, note: ProgressCallback) -> dict[str, Any]:
    """Search, or continue a search; what it found goes to search.json, and where asked to a folder of models.

    Parameters
    ----------
    config : RunConfig
        Of the run, with its search.
    folder : Path
        The run's.
    cells : Cohort
        The loaded cells.
    note : callable
        Takes progress; raises to pause.

    Returns
    -------
    dict
        What result.json holds.

    Raises
    ------
    SettingsError
        If nothing is left to search.
    CohortError
        If some class has too few donors for the folds.
    TrainingPaused
        If it was asked to pause.
    """
    from neuroclass.evaluation.nested import nested_search, plan_nested

    assert config.search is not None
    plan = plan_nested(config.system, cells, config.settings, config.search)
    say_search(config, folder, plan)
    found = nested_search(plan, folder / runs.STUDIES, config.jobs, note, _keeper(folder))
    write_json(folder / runs.SEARCH, found)
    if config.out:
        ReportStore(config.system, Path(config.out) / config.system).write(Document.SEARCH, found)
    return {
        "model": config.system,
        "run": folder.name,
        "name": config.name,
        "folder": str(folder),
        "command": train_command(config, found["chosen"]),
        **{key: found[key] for key in ("chosen", "inner", "outer", "recipe", "difference", "cells", "search", "fixed")},
    }


def _keeper(folder: Path) -> Callable[[Mapping[str, Any]], None]:
    return lambda found: write_atomically(folder / runs.SEARCH, json.dumps(found, ensure_ascii=False).encode())


def train_command(config: RunConfig, chosen: Mapping[str, Any]) -> str:
    """The command that trains with the setting that a search chose."""
    return command(RunConfig(config.system, differing(config.system, chosen), data=config.data, jobs=config.jobs))


def summary(answer: Mapping[str, Any]) -> str:
    """What a search found, in a few lines."""
    inner, outer, recipe = (answer[key]["balanced_accuracy"] for key in ("inner", "outer", "recipe"))
    cells, search, gain = answer["cells"], answer["search"], answer["difference"]
    simulated = "simulated " if cells["simulated"] else ""
    return (
        f"{answer['model']}, balanced accuracy (fraction) on {cells['n_cells']} {simulated}cells of "
        f"{cells['n_donors']} donors from {cells['source']}, {search['outer_folds']} donor-grouped outer folds:\n"
        f"inner {inner['mean']:.3f}: of the settings chosen, by the folds that chose them, so optimistic, but with "
        f"{search['members']} network{'s' if search['members'] > 1 else ''} on fewer cells\n"
        f"outer {outer['mean']:.3f} [{outer['low']:.3f}, {outer['high']:.3f}]: of the same on cells that the search "
        f"never saw\n"
        f"recipe {recipe['mean']:.3f} [{recipe['low']:.3f}, {recipe['high']:.3f}]: "
        f"{'the shipped settings' if not answer['fixed'] else 'the shipped settings but for those fixed'}, on the same "
        "cells; "
        f"accuracy of the chosen − its {gain['difference']:+.3f} [{gain['low']:+.3f}, {gain['high']:+.3f}]\n"
        f"Train with the setting chosen on all cells:\n{answer['command']}"
    )
