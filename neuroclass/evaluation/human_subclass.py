"""Evaluate the human subclass model, beside other systems on the same donor-grouped folds.

Metrics are those of GABAergic cells: excitatory cells, of other laboratories, are easy, and are counted by themselves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.cell_types import Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.human import TABLE_COLUMN
from neuroclass.cohort.splits import donor_folds
from neuroclass.config import HumanSubclassSettings
from neuroclass.evaluation.evaluate import in_parallel, test_trial
from neuroclass.evaluation.human_answer import answer_trial
from neuroclass.evaluation.human_figures import METRICS, describe_human, gabaergic
from neuroclass.evaluation.laboratories import HOME, Laboratory
from neuroclass.evaluation.learning import fewer_donors
from neuroclass.evaluation.metrics import (
    paired_difference,
    summarise,
)
from neuroclass.evaluation.names import HUMAN_SYSTEM_TITLES
from neuroclass.evaluation.protocols import N_FOLDS, Plan, Trial
from neuroclass.features import Stimulus
from neuroclass.io.feature_table import CONDITION_COLUMN
from neuroclass.predictors.human_subclass import COMBINATIONS, HumanSubclassPredictor
from neuroclass.training.baselines import FittedEstimator
from neuroclass.training.fit_human_subclass import TASK, human_preprocessor, train_human_subclass, used_features
from neuroclass.training.registry import Classifier
from neuroclass.training.targets import class_numbers
from neuroclass.types.models import HUMAN_SUBCLASS
from neuroclass.types.progress import ProgressCallback, ignore_progress

BASELINES = tuple(name for name in HUMAN_SYSTEM_TITLES if name != HUMAN_SUBCLASS.name)
SHARES = (0.25, 0.5, 0.75)
N_REPEATS = 5


def stimuli_recorded() -> tuple[Laboratory, ...]:
    """Every combination of the stimuli that the model uses, all of them last."""
    return tuple(
        Laboratory(
            "+".join(stimulus.value for stimulus in recorded),
            hidden=tuple(stimulus for stimulus in Stimulus if stimulus not in recorded),
        )
        for recorded in COMBINATIONS
    )


def human_plan(cohort: Cohort, repeats: int = N_REPEATS, laboratories: Sequence[Laboratory] = (HOME,)) -> Plan:
    """Donor-grouped cross-validation of the human cells; the mouse cells are training cells of every fold.

    Parameters
    ----------
    cohort : Cohort
        From `load_human_cells`.
    repeats : int
        Number of repeats.
    laboratories : sequence of Laboratory
        As which held-out cells are measured.

    Returns
    -------
    Plan
        Its cells are the cohort's.
    """
    known = np.flatnonzero(cohort.frame[TASK].notna().to_numpy())
    mouse = np.flatnonzero((cohort.frame["species"] == Species.MOUSE).to_numpy())
    trials = [
        Trial(
            fold.repeat,
            fold.number,
            fold.repeat * N_FOLDS + fold.number,
            np.concatenate([known[fold.train], mouse]),
            known[fold.test],
            laboratories=tuple(laboratories),
        )
        for fold in donor_folds(cohort.take(known), TASK, N_FOLDS, repeats)
    ]
    return Plan(cohort, tuple(trials))


def _baseline(name: str, seed: int) -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    if name == "lr":
        return LogisticRegression(C=0.1, class_weight="balanced", max_iter=2000)
    if name == "lda":
        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    return SVC(C=3.0, probability=True, random_state=seed)


def train_human_system(name: str, cohort: Cohort, seed: int) -> Classifier:
    """Train the model's recipe, or one of `BASELINES` on the same features, standardised and imputed alike."""
    if name == HUMAN_SUBCLASS.name:
        recipe = HumanSubclassSettings()
        return train_human_subclass(cohort, replace(recipe, lspin=replace(recipe.lspin, seed=seed)))
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import make_pipeline

    human = cohort.labelled(TASK)
    used = used_features(human)
    preprocessor = human_preprocessor(human.matrix(), used)
    chosen = ColumnTransformer([("used", "passthrough", np.flatnonzero(used))])
    estimator = make_pipeline(chosen, _baseline(name, seed))
    classes = HUMAN_SUBCLASS.classes
    estimator.fit(preprocessor(human.matrix())[0], class_numbers(human, TASK, classes))
    return FittedEstimator(classes, preprocessor, estimator)


def _run(name: str, plan: Plan, trial: Trial, answers: bool) -> pd.DataFrame:
    import torch

    torch.set_num_threads(1)
    model = train_human_system(name, plan.cohort.take(trial.train), trial.seed)
    frames = [test_trial(model, TASK, plan, trial).assign(answer=False)]
    if answers and isinstance(model, HumanSubclassPredictor):
        frames.append(answer_trial(model, plan, trial).assign(answer=True))
    return pd.concat(frames, ignore_index=True)


def run_human_trials(
    name: str,
    plan: Plan,
    jobs: int = 1,
    progress: ProgressCallback = ignore_progress,
    *,
    answers: bool = False,
) -> pd.DataFrame:
    """Held-out predictions of a system, as `run_trials` gives them, with each cell's ``condition`` and ``table``.

    With `answers` those of `answer_trial` follow; ``answer`` tells them apart.
    """
    calls = [delayed(_run)(name, plan, trial, answers) for trial in plan.trials]
    predictions = pd.concat(in_parallel(calls, jobs, name, progress), ignore_index=True)
    about = plan.cohort.frame[["id", CONDITION_COLUMN, TABLE_COLUMN]]
    return predictions.merge(about, on="id", how="left", validate="many_to_one")


def evaluate_human(
    cohort: Cohort, repeats: int | None = None, jobs: int = 1, progress: ProgressCallback = ignore_progress
) -> tuple[list[dict[str, Any]], dict[str, pd.DataFrame]]:
    """Evaluate the model and the baselines on the same folds.

    Parameters
    ----------
    cohort : Cohort
        From `load_human_cells`.
    repeats : int, optional
        Repeats of the cross-validation; by default `N_REPEATS`.
    jobs : int
        Trials at once.
    progress : ProgressCallback
        Called after each trial.

    Returns
    -------
    results : list of dict
        From `describe_human`, ours first; the others' with ``ours_minus_this``, see `paired_difference`.
    predictions : dict of str to DataFrame
        Held-out predictions by system, of the cells as recorded.
    """
    repeats = repeats or N_REPEATS
    plan = human_plan(cohort, repeats, (HOME, *stimuli_recorded()))
    plain = replace(plan, trials=tuple(replace(trial, laboratories=(HOME,)) for trial in plan.trials))
    results, kept = [], {}
    for name in HUMAN_SYSTEM_TITLES:
        ours = name == HUMAN_SUBCLASS.name
        predictions = run_human_trials(name, plan if ours else plain, jobs, progress, answers=ours)
        results.append(describe_human(name, plan, predictions))
        home = predictions[(predictions["laboratory"] == HOME.name) & ~predictions["answer"]]
        kept[name] = home.drop(columns=["laboratory", "answer"]).reset_index(drop=True)
        if not ours:
            difference = paired_difference(gabaergic(kept[HUMAN_SUBCLASS.name]), gabaergic(kept[name]))
            results[-1]["ours_minus_this"] = difference
    return results, kept


def human_learning_curve(
    cohort: Cohort,
    jobs: int = 1,
    progress: ProgressCallback = ignore_progress,
    whole: Mapping[str, pd.DataFrame] | None = None,
) -> list[dict[str, Any]]:
    """Train on fewer donors of the first repeat's folds; test on the same held-out cells.

    What was trained on the whole folds need not be trained again: `whole` has the predictions of `evaluate_human`.

    Returns
    -------
    list of dict
        ``model``, ``n_train`` and ``n_donors`` (mean numbers of human training cells and donors), ``n_cells``
        (held-out GABAergic cells) and their ``metrics``; the last size is the whole training fold.
    """
    plan = human_plan(cohort, 1)
    human = (cohort.frame["species"] == Species.HUMAN).to_numpy()
    donors = cohort.column("donor").astype(str)
    rows = []
    for share in (*SHARES, 1.0):
        trials = []
        for trial in plan.trials:
            known = trial.train[human[trial.train]]
            fewer = known
            if share < 1:
                fewer = fewer_donors(cohort, known, TASK, round(share * len(known)), trial.seed)
            trials.append(replace(trial, train=np.concatenate([fewer, trial.train[~human[trial.train]]])))
        smaller = replace(plan, trials=tuple(trials))
        used = [trial.train[human[trial.train]] for trial in trials]
        for name in (HUMAN_SUBCLASS.name, "lr"):
            if share == 1 and whole is not None:
                found = whole[name][whole[name]["repeat"] == 0]
            else:
                found = run_human_trials(name, smaller, jobs, progress)
            cells = gabaergic(found)
            rows.append(
                {
                    "model": name,
                    "n_train": float(np.mean([len(train) for train in used])),
                    "n_donors": float(np.mean([len(np.unique(donors[train])) for train in used])),
                    "n_cells": int(cells["id"].nunique()),
                    "metrics": summarise(cells, HUMAN_SUBCLASS.classes, METRICS),
                }
            )
    return rows
