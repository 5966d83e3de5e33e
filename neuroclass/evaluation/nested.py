"""Nested search: settings are chosen without an outer fold's cells, then scored on them.

The inner score of the chosen setting is the best of many and so optimistic, though its networks are fewer and see
fewer cells; the outer one is honest for the whole procedure, the search included. A further search on all cells gives
the setting to use.

References
----------
.. [1] Varma and Simon, "Bias in error estimation when using cross-validation for model selection", BMC Bioinformatics
   7, 2006.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import Fold, donor_folds
from neuroclass.config import SearchSettings
from neuroclass.evaluation.evaluate import in_parallel, test_trial, train_trial
from neuroclass.evaluation.metrics import HEADLINE, balanced_accuracy, paired_difference, summarise
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.evaluation.search import Search, open_search, run_searches, score
from neuroclass.training.registry import System, network
from neuroclass.training.search_space import Span, search_space
from neuroclass.training.settings import Values, with_values
from neuroclass.training.studies import UNPRUNED_TRIALS
from neuroclass.training.timing import training_seconds
from neuroclass.types.models import MODELS
from neuroclass.types.progress import ProgressCallback, ignore_progress

OUTER = "outer fold"
"""The stage of scoring the chosen settings."""
WHOLE = "all"
"""Name of the study on all cells."""
CHOSEN, RECIPE = "chosen", "recipe"
SCORE = "balanced accuracy: mean over the classes of each species of the fraction of cells that are right"
Document = dict[str, Any]


@dataclass(frozen=True)
class NestedPlan:
    """A nested search.

    Attributes
    ----------
    system : str
        ``dann`` or ``lspin``.
    cells : Cohort
        Labelled cells.
    folds : tuple of Fold
        Outer folds.
    fixed : mapping
        Values that are not searched.
    settings : SearchSettings
        How much is tried.
    """

    system: str
    cells: Cohort
    folds: tuple[Fold, ...]
    fixed: Values
    settings: SearchSettings

    @property
    def task(self) -> str:
        """The labels."""
        return MODELS[self.system].task


def plan_nested(system: str, cohort: Cohort, fixed: Values, settings: SearchSettings) -> NestedPlan:
    """Divide a cohort into donor-grouped outer folds.

    Parameters
    ----------
    system : str
        ``dann`` or ``lspin``.
    cohort : Cohort
        Cells; those without the label are left out.
    fixed : mapping
        Values that are not searched.
    settings : SearchSettings
        How much is tried.

    Returns
    -------
    NestedPlan

    Raises
    ------
    SettingsError
        If nothing is left to search.
    CohortError
        If some class has too few donors for the folds.
    """
    search_space(system, fixed)
    cells = cohort.labelled(MODELS[system].task)
    folds = donor_folds(cells, MODELS[system].task, settings.outer_folds, seed=settings.seed)
    for fold in folds:
        donor_folds(cells.take(fold.train), MODELS[system].task, settings.inner_folds, seed=settings.seed)
    return NestedPlan(system, cells, tuple(folds), fixed, settings)


def open_studies(plan: NestedPlan, folder: Path) -> dict[str, Search]:
    """The study of each outer fold, on its training cells alone, and that on all cells; begun or continued.

    Parameters
    ----------
    plan : NestedPlan
        The search.
    folder : Path
        Of the studies' files.

    Returns
    -------
    dict of str to Search
        ``"0"``, ``"1"``, … and ``"all"``.
    """
    cells = {str(fold.number): plan.cells.take(fold.train) for fold in plan.folds} | {WHOLE: plan.cells}
    return {
        name: open_search(folder / f"{name}.log", plan.system, part, plan.fixed, plan.settings, number)
        for number, (name, part) in enumerate(cells.items())
    }


def nested_search(
    plan: NestedPlan,
    folder: Path,
    jobs: int = 1,
    progress: ProgressCallback = ignore_progress,
    keep: Callable[[Document], None] = lambda _: None,
) -> Document:
    """Search, and score what was chosen on the cells that the search never saw.

    Parameters
    ----------
    plan : NestedPlan
        What to search.
    folder : Path
        Of the studies' files; a search that was cut off continues from them.
    jobs : int
        Fits at once; the result does not depend on it.
    progress : ProgressCallback
        Called after each round of trials and each outer fit.
    keep : callable
        Called with the document as it stands, whenever a trial has ended.

    Returns
    -------
    dict
        What JSON holds: ``studies`` with their trials, ``inner`` (optimistic), ``outer`` (honest) and ``recipe``
        (the shipped settings on the same folds), fractions with intervals; ``chosen``, the setting to use.
    """
    searches = open_studies(plan, folder)
    run_searches(searches, jobs, progress, lambda: keep(document(plan, searches)))
    asked = [(fold, kind) for fold in plan.folds for kind in (CHOSEN, RECIPE)]
    calls = [
        delayed(outer_predictions)(
            plan, fold, searches[str(fold.number)].chosen() if kind == CHOSEN else plan.fixed
        )
        for fold, kind in asked
    ]  # fmt: skip
    found = in_parallel(calls, jobs, OUTER, progress)
    tables = {kind: [table for (_, one), table in zip(asked, found, strict=True) if one == kind]
              for kind in (CHOSEN, RECIPE)}  # fmt: skip
    return document(plan, searches, tables[CHOSEN], tables[RECIPE])


def search_seconds(plan: NestedPlan, jobs: int) -> tuple[float, float]:
    """About how long a nested search takes, and at most, s, from short fits on cells of the first outer fold.

    Parameters
    ----------
    plan : NestedPlan
        The search.
    jobs : int
        Fits at once.

    Returns
    -------
    usual : float
        If half of the trials that may be pruned are, after their first inner fold.
    most : float
        If none is. Networks larger, or trained longer, than the recipe's come on top.
    """
    cells, asked = plan.cells.take(plan.folds[0].train), plan.settings
    part = cells.take(donor_folds(cells, plan.task, asked.inner_folds, seed=asked.seed)[0].train)
    whole = with_values(plan.system, plan.fixed)
    fit = training_seconds(plan.system, part, replace(whole, n_members=asked.members))
    outer = 2 * asked.outer_folds * training_seconds(plan.system, cells, whole) / max(1, jobs)
    n_studies = asked.outer_folds + 1
    rounds = -(-n_studies // max(1, jobs)) * fit
    may_end = max(0, asked.trials - UNPRUNED_TRIALS) * (asked.inner_folds - 1)
    most = asked.trials * asked.inner_folds
    return rounds * (most - may_end / 2) + outer, rounds * most + outer


def outer_predictions(plan: NestedPlan, fold: Fold, values: Values) -> pd.DataFrame:
    """Train one setting, as a whole ensemble, on an outer fold's training cells; predictions of the other cells."""
    import torch

    torch.set_num_threads(1)
    spec = MODELS[plan.system]
    system = System(spec.name, (spec.task,), network(spec, with_values(spec.name, values)))
    trial = Trial(0, fold.number, plan.settings.seed + fold.number, fold.train, fold.test)
    outer = Plan(plan.cells, (trial,))
    return test_trial(train_trial(system, spec.task, outer, trial), spec.task, outer, trial)


def document(
    plan: NestedPlan,
    searches: Mapping[str, Search],
    chosen: Sequence[pd.DataFrame] = (),
    recipe: Sequence[pd.DataFrame] = (),
) -> Document:
    """A nested search as it stands, as JSON holds it; no cell's values are in it.

    Parameters
    ----------
    plan : NestedPlan
        The search.
    searches : mapping of str to Search
        Its studies.
    chosen, recipe : sequence of DataFrame
        Predictions of each outer fold by the chosen setting and by the recipe; empty before they are made.

    Returns
    -------
    dict
    """
    scores = [score(table) for table in chosen]
    studies = [
        _study(search, None if name == WHOLE else int(name), scores[number] if number < len(scores) else None)
        for number, (name, search) in enumerate(searches.items())
    ]
    found: Document = {
        "system": plan.system,
        "task": plan.task,
        "score": SCORE,
        "cells": {
            "source": plan.cells.source,
            "simulated": plan.cells.simulated,
            "n_cells": len(plan.cells),
            "n_donors": int(plan.cells.frame["donor"].nunique()),
        },
        "search": asdict(plan.settings),
        "fixed": dict(plan.fixed),
        "space": {name: _dimension(one) for name, one in search_space(plan.system, plan.fixed).items()},
        "studies": studies,
    }
    if not chosen:
        return found
    pooled, usual = pd.concat(chosen, ignore_index=True), pd.concat(recipe, ignore_index=True)
    inner = [study["inner_score"] for study in studies if study["outer"] is not None]
    to_use = {"chosen": searches[WHOLE].chosen()} if searches[WHOLE].is_over else {}
    return (
        found
        | to_use
        | {
            "inner": {"balanced_accuracy": {"mean": float(np.mean(inner)), "sd": float(np.std(inner, ddof=1))}},
            "outer": figures(pooled, plan.task),
            "recipe": figures(usual, plan.task),
            "difference": paired_difference(pooled, usual),
        }
    )


def _study(search: Search, outer: int | None, outer_score: float | None) -> Document:
    trials = [{**asdict(trial), "score": trial.score} for trial in search.study.trials()]
    found: Document = {
        "outer": outer,
        "n_cells": len(search.cells),
        "n_donors": int(search.cells.frame["donor"].nunique()),
        "trials": trials,
    }
    if not search.is_over:
        return found
    return found | {
        "importance": search.study.importance(),
        "chosen": search.chosen(),
        "inner_score": search.study.best().score,
        "outer_score": outer_score,
    }


def _dimension(one: Any) -> Document:
    return asdict(one) if isinstance(one, Span) else {"options": list(one.options)}


def figures(predictions: pd.DataFrame, task: str) -> Document:
    """Balanced accuracy, accuracy and macro F1 over all cells and by species, fractions, with intervals over donors.

    Parameters
    ----------
    predictions : DataFrame
        Of all outer folds.
    task : str
        ``broad`` or ``subclass``.

    Returns
    -------
    dict
    """
    classes = TASK_CLASSES[task]
    species = predictions["species"].astype(str)
    named = predictions.assign(
        truth=species + "/" + predictions["truth"], predicted=species + "/" + predictions["predicted"]
    )
    strata = [f"{one}/{name}" for one in sorted(set(species)) for name in classes]
    found = summarise(named, strata, {"balanced_accuracy": balanced_accuracy})
    whole = {**found, **summarise(predictions, classes)}
    metrics = {"balanced_accuracy": balanced_accuracy, **HEADLINE}
    by_species = {str(one): summarise(rows, classes, metrics) for one, rows in predictions.groupby("species")}
    gates = {"open_gates": float(predictions["n_open"].median())} if "n_open" in predictions else {}
    return {**whole, "by_species": by_species, **gates}
