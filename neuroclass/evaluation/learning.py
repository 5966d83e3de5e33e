"""Accuracy against the number of training cells, and against the number of labels."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.base import BaseEstimator

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import strata
from neuroclass.evaluation.evaluate import in_parallel, run_trials
from neuroclass.evaluation.metrics import summarise
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.semi_supervised import FuzzyCentres, SemiSupervised, discriminant, keep_few
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

SIZES = (100, 200, 400, 800)
BUDGETS = (3, 5, 10, 20, 50, 100)
DRAWS = 3
THREE_CLASSES = ("Glutamatergic", "Pvalb", "Sst")
_LEAST_DONORS = 2
_TRIES = 200


def fewer_donors(cohort: Cohort, rows: Integers, task: str, n_cells: int, seed: int) -> Integers:
    """About `n_cells` of the training cells, whole donors at random, two donors or more of each species and class.

    Parameters
    ----------
    cohort : Cohort
        All cells.
    rows : ndarray of int
        The training cells.
    task : str
        ``broad`` or ``subclass``.
    n_cells : int
        Fewest cells to take.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of int
        At least `n_cells` rows, at most one donor's cells more; all rows where there are no more.
    """
    donors = cohort.column("donor")[rows].astype(str)
    classes = strata(cohort, task)[rows]
    rng = np.random.default_rng(seed)
    chosen = rows
    for _ in range(_TRIES):
        order = rng.permutation(np.unique(donors))
        sizes = np.array([(donors == donor).sum() for donor in order]).cumsum()
        taken = np.isin(donors, order[: 1 + int(np.searchsorted(sizes, n_cells))])
        chosen = rows[taken]
        table = pd.DataFrame({"donor": donors[taken], "class": classes[taken]}).groupby("class")["donor"].nunique()
        if len(table) == len(np.unique(classes)) and table.min() >= _LEAST_DONORS:
            return chosen
    return chosen


def learning_curve(
    systems: tuple[str, ...], task: str, plan: Plan, jobs: int = 1, progress: ProgressCallback = ignore_progress
) -> list[dict[str, Any]]:
    """Train on fewer donors of the first repeat's training folds; test on the same held-out cells.

    Returns
    -------
    list of dict
        ``model``, ``n_train`` (mean number of training cells), ``n_cells`` (held-out), ``metrics``; the last size
        is the whole training fold.
    """
    first = [trial for trial in plan.trials if trial.repeat == 0]
    whole = min(len(trial.train) for trial in first)
    sizes = [size for size in SIZES if size < 0.9 * whole]
    rows = []
    for done, size in enumerate([*sizes, whole]):
        trials = tuple(_smaller(plan, task, trial, size) if size < whole else trial for trial in first)
        for name in systems:
            predictions = run_trials(name, task, replace(plan, trials=trials), jobs)
            rows.append(
                {
                    "model": name,
                    "n_train": float(np.mean([len(trial.train) for trial in trials])),
                    "n_cells": int(predictions["id"].nunique()),
                    "metrics": summarise(predictions, TASK_CLASSES[task]),
                }
            )
        progress(Progress("learning curve", done + 1, len(sizes) + 1))
    return rows


def _smaller(plan: Plan, task: str, trial: Trial, size: int) -> Trial:
    return replace(trial, train=fewer_donors(plan.cohort, trial.train, task, size, trial.seed))


class _SameLabelsOnly(BaseEstimator):
    """Linear discriminant analysis on the few labelled cells alone."""

    def __init__(self, n_labels: int, seed: int) -> None:
        self.n_labels, self.seed = n_labels, seed

    def fit(self, x: Floats, y: Integers) -> Any:
        few = keep_few(y, self.n_labels, self.seed)
        return discriminant().fit(x[few >= 0], few[few >= 0])


METHODS: dict[str, tuple[str, Any]] = {
    "few-labels": ("self-training (LDA)", SemiSupervised),
    "labels-only": ("LDA on the labelled cells alone", _SameLabelsOnly),
    "fuzzy-centres": ("fuzzy c-means from the labelled cells (Ghaderi 2018)", FuzzyCentres),
}


def _budget_trial(plan: Plan, task: str, trial: Trial, classes: tuple[str, ...], budget: int) -> pd.DataFrame:
    train, test = plan.cohort.take(trial.train), plan.cohort.take(trial.test)
    preprocessor = Preprocessor.fit(train.matrix())
    z, y = preprocessor(train.matrix())[0], class_numbers(train, task, classes)
    held_out = preprocessor(test.matrix())[0]
    frames = []
    for name, (_, make) in METHODS.items():
        for draw in range(DRAWS):
            model = make(budget, trial.seed * DRAWS + draw).fit(z, y)
            named = [classes[k] for k in model.classes_[model.predict_proba(held_out).argmax(axis=1)]]
            frame = test.frame[["id", "donor"]].assign(truth=test.frame[task], predicted=named)
            frames.append(frame.assign(model=name, repeat=draw, fold=trial.fold, budget=budget))
    return pd.concat(frames, ignore_index=True)


def label_budget(plan: Plan, task: str, jobs: int = 1) -> list[dict[str, Any]]:
    """Held-out accuracy against the number of labelled training cells per class; the rest are used unlabelled.

    Parameters
    ----------
    plan : Plan
        Donor-grouped cross-validation of the subclass task; its first repeat is used.
    task : str
        ``subclass``.
    jobs : int
        Processes at once.

    Returns
    -------
    list of dict
        ``classes`` (``Pyr, Pvalb, Sst`` or ``all``), ``model`` (one of `METHODS`), ``labels`` (a class), ``n_cells``
        (held-out), ``n_train`` (mean number of training cells, labelled or not), ``metrics`` over three draws.
    """
    rows = []
    for title, classes in (("Pyr, Pvalb, Sst", THREE_CLASSES), ("all", TASK_CLASSES[task])):
        inside = np.isin(plan.cohort.column(task).astype(str), classes)
        trials = [
            replace(trial, train=trial.train[inside[trial.train]], test=trial.test[inside[trial.test]])
            for trial in plan.trials
            if trial.repeat == 0
        ]
        calls = (delayed(_budget_trial)(plan, task, trial, classes, budget) for budget in BUDGETS for trial in trials)
        table = pd.concat(in_parallel(list(calls), jobs, "label budget", ignore_progress), ignore_index=True)
        for (name, budget), part in table.groupby(["model", "budget"], sort=False):
            rows.append(
                {
                    "classes": title,
                    "model": str(name),
                    "labels": int(budget),
                    "n_cells": int(part["id"].nunique()),
                    "n_train": float(np.mean([len(trial.train) for trial in trials])),
                    "metrics": summarise(part, classes),
                }
            )
    return rows
