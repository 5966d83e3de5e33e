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
from neuroclass.predictors.feature_set import FeatureSetModel
from neuroclass.predictors.voices import BROAD, HOME, SUBCLASS
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
    return evaluate_both(cohort, sets=sets, repeats=repeats, jobs=jobs, progress=progress, names=(name,))[name]


def evaluate_both(
    cohort: Cohort,
    *,
    sets: Sequence[Mask] | None = None,
    repeats: int = 1,
    jobs: int = 2,
    progress: ProgressCallback = ignore_progress,
    names: Sequence[str] = tuple(MODELS),
) -> dict[str, Evaluation]:
    """Evaluate DANN and LSPIN on the same fits; see `evaluate_sets`."""
    frame = cohort.frame
    mouse = (frame["species"] == Species.MOUSE).to_numpy() & frame[SUBCLASS].notna().to_numpy()
    human = (frame["species"] == Species.HUMAN).to_numpy() & frame[BROAD].notna().to_numpy()
    plan = plan_protocol(Protocol.DONOR_CV, cohort.take(np.flatnonzero(mouse | human)), BROAD, repeats)
    wanted = whole_stimuli() if sets is None else tuple(sets)
    tasks = [MODELS[name].task for name in names]
    calls = [delayed(_one)(tasks, plan, trial, present) for trial in plan.trials for present in wanted]
    found = in_parallel(calls, jobs, "set of features", progress)
    result = {}
    for name, task in zip(names, tasks, strict=True):
        predictions = pd.concat([frames[task] for frames in found], ignore_index=True)
        result[name] = Evaluation(_describe(name, task, predictions), predictions)
    return result


def _one(tasks: Sequence[str], plan: Plan, trial: Trial, present: Mask) -> dict[str, pd.DataFrame]:
    """Fit one set on a trial's training cells, and judge its test cells that have all of the features."""
    import torch

    torch.set_num_threads(1)
    test = plan.cohort.take(trial.test)
    test = test.take(np.flatnonzero(np.isfinite(test.matrix()[:, present]).all(1)))
    table = training_table(plan.cohort.take(trial.train))
    model = fit_feature_set(table, present, trial.seed)
    return {task: _judged(task, model, table, test, trial, present) for task in tasks}


def _judged(
    task: str, model: FeatureSetModel, table: TrainingTable, test: Cohort, trial: Trial, present: Mask
) -> pd.DataFrame:
    """A fitted set's predictions for test cells, beside an SVC's; of mouse cells only where the task has no others."""
    test = test.labelled(task)
    classes, species = TASK_CLASSES[task], test.column("species").tolist()
    z = table.foundation.preprocessor.standardise(np.where(present, test.matrix(), np.nan))
    judgement = model.judge(z, species)
    p = judgement.of(task)
    limits = model.limits_of(task, species, judgement.home, COVERAGE)
    truth = np.array([classes.index(one) for one in test.column(task)], dtype=np.int64)
    columns: dict[str, Any] = {
        "predicted": [classes[k] for k in p.argmax(1)],
        "svc": [classes[k] for k in _svc(task, table, present, z, np.array(species))],
        "set_size": ((1 - p) <= limits[:, None]).sum(1),
        "covered": (1 - p[np.arange(len(p)), truth]) <= limits,
        "home": judgement.home,
        "promised": [model.held_out[one][task][HOME]["accuracy"] for one in species],
    }
    if task == SUBCLASS:
        columns["n_open"] = (model.gates(z, species) > 0).sum(1)
    columns |= {f"p_{one}": p[:, k] for k, one in enumerate(classes)}
    frame = test.frame[["id", "species", "donor"]].assign(
        repeat=trial.repeat, fold=trial.fold, laboratory=set_name(present), truth=test.frame[task]
    )
    return frame.assign(**columns)


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
