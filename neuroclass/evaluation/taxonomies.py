"""Types found without labels, beside the labels: e-types and the circular taxonomy.

Scores are of held-out cells that types fitted on training cells were assigned to. The tables to look at are of
types fitted on all cells at once, which no label takes part in.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import delayed
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.circular import Circle
from neuroclass.training.etypes import COUNTS, ETypes
from neuroclass.types.arrays import Floats, Integers
from neuroclass.types.progress import ignore_progress

_SEED = 0


def _held_out_agreement(plan: Plan, task: str, trial: Trial) -> dict[str, float]:
    train, test = plan.cohort.take(trial.train), plan.cohort.take(trial.test)
    preprocessor = Preprocessor.fit(train.matrix())
    types = ETypes.fit(preprocessor(train.matrix())[0], trial.seed)
    found = types.memberships(preprocessor(test.matrix())[0]).argmax(axis=1)
    return {"n_types": types.n_types, **_agreement(test.column(task).astype(str), found)}


def _agreement(truth: npt.NDArray[Any], types: Integers) -> dict[str, float]:
    return {
        "adjusted_rand": float(adjusted_rand_score(truth, types)),
        "adjusted_mutual_information": float(adjusted_mutual_info_score(truth, types)),
    }


def unlabelled_taxonomies(plan: Plan, task: str, jobs: int = 1) -> tuple[dict[str, Any], pd.DataFrame]:
    """E-types and angles of all cells, and how e-types of held-out cells agree with the labels.

    Parameters
    ----------
    plan : Plan
        Donor-grouped cross-validation; its first repeat is used.
    task : str
        The labels to compare with.
    jobs : int
        Processes at once.

    Returns
    -------
    document : dict
        ``n_types``, ``bic`` (by number of types), ``all_cells`` and ``held_out`` (adjusted Rand index and adjusted
        mutual information, 0 for chance and 1 for identity; of held-out cells mean and standard deviation over
        folds), ``explained`` (share of the variance in each of the two principal components).
    table : DataFrame
        A row per cell: id, truth, etype (1 … n, by mean angle), angle (degrees), distance (standard deviations).
    """
    z = Preprocessor.fit(plan.cohort.matrix())(plan.cohort.matrix())[0]
    types = ETypes.fit(z, _SEED)
    circle = Circle.fit(z)
    angle, distance = circle.place(z)
    raw = types.memberships(z).argmax(axis=1)
    truth = plan.cohort.column(task).astype(str)
    table = pd.DataFrame(
        {
            "id": plan.cohort.frame["id"],
            "truth": truth,
            "etype": _by_angle(raw, angle)[raw],
            "angle": np.degrees(angle).round(2),
            "distance": distance.round(3),
        }
    )
    trials = [trial for trial in plan.trials if trial.repeat == 0]
    calls = [delayed(_held_out_agreement)(plan, task, trial) for trial in trials]
    folds = pd.DataFrame(in_parallel(calls, jobs, "taxonomies", ignore_progress))
    document = {
        "n_cells": len(plan.cohort),
        "n_types": types.n_types,
        "bic": {str(count): value for count, value in zip(COUNTS, types.bic, strict=False)},
        "all_cells": _agreement(truth, raw),
        "held_out": {name: {"mean": float(folds[name].mean()), "sd": float(folds[name].std())} for name in folds},
        "explained": [float(share) for share in circle.plane.explained_variance_ratio_],
    }
    return document, table


def _by_angle(types: Integers, angle: Floats) -> Integers:
    """New number, 1 …, of each type, in the order of the types' mean angles."""
    centres = [
        np.angle(np.exp(1j * angle[types == k]).mean()) if (types == k).any() else np.inf
        for k in range(types.max() + 1)
    ]
    result = np.empty(len(centres), dtype=np.int64)
    result[np.argsort(centres)] = np.arange(1, len(centres) + 1)
    return result
