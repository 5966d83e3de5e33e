"""Partial recordings: models fitted to exactly some features, on held-out donors, beside an SVC on the same features.

In each fold every set of features is fitted anew on the training cells alone. A set is tested on the cells that have
all of its features, so that nothing is imputed and no system learns from what the set leaves out.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation.evaluate import Evaluation, in_parallel
from neuroclass.evaluation.metrics import expected_calibration_error, summarise
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial, plan_protocol
from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus, features_of
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.voices import BROAD, HOME
from neuroclass.training.feature_sets import fit_feature_set
from neuroclass.training.library import whole_stimuli
from neuroclass.training.training_table import TrainingTable, training_table
from neuroclass.types.arrays import Floats, Integers, Mask, Names
from neuroclass.types.models import MODELS
from neuroclass.types.progress import ProgressCallback, ignore_progress

_SVC_C = 3.0
_STIMULI = np.array([spec.stimulus.value for spec in FEATURES])


def random_sets(n_sets: int, least: int = 5, most: int = 30, seed: int = 0) -> tuple[Mask, ...]:
    """Random sets of features of uniform size between `least` and `most`, each shape (41,)."""
    rng = np.random.default_rng(seed)
    sets = []
    for _ in range(n_sets):
        present = np.zeros(len(FEATURE_NAMES), dtype=bool)
        present[rng.choice(len(present), rng.integers(least, most + 1), replace=False)] = True
        sets.append(present)
    return tuple(sets)


def set_name(present: Mask) -> str:
    """The stimuli of a set joined by +; the number of features and their digits for any other set."""
    stimuli = [stimulus for stimulus in Stimulus if present[stimulus.value == _STIMULI].any()]
    whole = {name for stimulus in stimuli for name in features_of(stimulus)}
    if whole == {name for name, known in zip(FEATURE_NAMES, present, strict=True) if known}:
        return "+".join(stimulus.value for stimulus in stimuli)
    return f"{int(present.sum())} features: " + ", ".join(
        name for name, known in zip(FEATURE_NAMES, present, strict=True) if known
    )


def evaluate_sets(
    name: str,
    cohort: Cohort,
    *,
    sets: Sequence[Mask] | None = None,
    repeats: int = 1,
    jobs: int = 2,
    progress: ProgressCallback = ignore_progress,
) -> Evaluation:
    """Evaluate DANN or LSPIN as fitted to sets of features, in donor-grouped 5-fold cross-validation.

    Parameters
    ----------
    name : str
        ``dann`` or ``lspin``.
    cohort : Cohort
        All cells, of both species.
    sets : sequence of ndarray of bool, shape (41,), optional
        The sets; by default all combinations of stimuli.
    repeats : int
        Repeats with new folds.
    jobs : int
        Fits at once.
    progress : ProgressCallback
        Called after each set of each fold.

    Returns
    -------
    Evaluation
        Its result has ``laboratories``, a row a set and species: accuracy (``mean`` with interval), ``svc`` and the
        difference, ``open_gates`` (median), ``coverage`` and ``set_size`` of the 90% sets, and the accuracy that the
        fits promised.
    """
    spec = MODELS[name]
    plan = plan_protocol(Protocol.DONOR_CV, cohort, spec.task, repeats)
    wanted = whole_stimuli() if sets is None else tuple(sets)
    humans = cohort.take(np.flatnonzero((cohort.frame["species"] == Species.HUMAN).to_numpy()))
    calls = [delayed(_one)(spec.task, plan, trial, humans, present) for trial in plan.trials for present in wanted]
    frames = in_parallel(calls, jobs, "set of features", progress)
    predictions = pd.concat(frames, ignore_index=True)
    return Evaluation(_describe(name, spec.task, predictions), predictions)


def _one(task: str, plan: Plan, trial: Trial, humans: Cohort, present: Mask) -> pd.DataFrame:
    """Fit one set on a trial's training cells, and judge its test cells that have all of the features."""
    import torch

    torch.set_num_threads(1)
    test = plan.cohort.take(trial.test)
    test = test.take(np.flatnonzero(np.isfinite(test.matrix()[:, present]).all(1)))
    table = training_table(_training_cells(task, plan.cohort.take(trial.train), humans))
    model = fit_feature_set(table, present, trial.seed)
    species = test.column("species").tolist()
    z = table.foundation.preprocessor.standardise(np.where(present, test.matrix(), np.nan))
    judgement = model.judge(z, species)
    p = judgement.of(task)
    classes = TASK_CLASSES[task]
    limits = model.limits_of(task, species, judgement.home, COVERAGE)
    truth = np.array([classes.index(one) for one in test.column(task)])
    columns: dict[str, Any] = {
        "predicted": [classes[k] for k in p.argmax(1)],
        "svc": [classes[k] for k in _svc(task, table, present, z, np.array(species))],
        "set_size": ((1 - p) <= limits[:, None]).sum(1),
        "covered": (1 - p[np.arange(len(p)), truth]) <= limits,
        "home": judgement.home,
        "promised": [model.held_out[one][task][HOME]["accuracy"] for one in species],
    }
    if task != BROAD:
        columns["n_open"] = (model.gates(z, species) > 0).sum(1)
    columns |= {f"p_{one}": p[:, k] for k, one in enumerate(classes)}
    frame = test.frame[["id", "species", "donor"]].assign(
        repeat=trial.repeat, fold=trial.fold, laboratory=set_name(present), truth=test.frame[task]
    )
    return frame.assign(**columns)


def _training_cells(task: str, train: Cohort, humans: Cohort) -> Cohort:
    """Both species: where the task has mouse cells only, all human cells train DANN's half."""
    if task == BROAD:
        return train
    frame = pd.concat([train.frame, humans.frame], ignore_index=True)
    return Cohort(frame, train.source, notes=train.notes)


def _svc(task: str, table: TrainingTable, present: Mask, z: Floats, species: Names) -> Integers:
    """Classes by an SVC on the same features (and, for both species, the species)."""
    from sklearn.svm import SVC

    def inputs(features: Floats, of: Names) -> Floats:
        values = features[:, present]
        return np.column_stack([values, of == Species.HUMAN]) if task == BROAD else values

    rows = table.truth[task] >= 0
    svc = SVC(C=_SVC_C).fit(inputs(table.z[rows], table.species[rows]), table.truth[task][rows])
    return np.asarray(svc.predict(inputs(z, species)))


def _describe(name: str, task: str, predictions: pd.DataFrame) -> dict[str, Any]:
    classes = TASK_CLASSES[task]
    rows = []
    for (laboratory, species), part in predictions.groupby(["laboratory", "species"], sort=False):
        summary = summarise(part, classes)
        right = part["truth"] == part["predicted"]
        svc = float((part["truth"] == part["svc"]).mean())
        rows.append(
            {
                "laboratory": str(laboratory),
                "species": str(species),
                "n_cells": int(part["id"].nunique()),
                **summary["accuracy"],
                "macro_f1": summary["macro_f1"]["mean"],
                "classes": {str(k): float(v) for k, v in right.groupby(part["truth"]).mean().items()},
                "svc": svc,
                "difference": summary["accuracy"]["mean"] - svc,
                "coverage": float(part["covered"].mean()),
                "set_size": float(part["set_size"].mean()),
                "promised": float(part["promised"].mean()),
                "taken_as_home": float(part["home"].mean()),
                "calibration_error": expected_calibration_error(part, classes),
                **({"open_gates": float(part["n_open"].median())} if "n_open" in part else {}),
            }
        )
    return {
        "model": name,
        "task": task,
        "protocol": Protocol.MASKED.value,
        "fitted_to": "exactly the features of each set; tested on held-out donors' cells that have all of them",
        "n_cells": int(predictions["id"].nunique()),
        "n_donors": int(predictions["donor"].nunique()),
        "laboratories": rows,
    }
