"""Does training with a laboratory's own cells help on its other donors? The same cells, with and without, in pairs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed
from sklearn.model_selection import StratifiedGroupKFold

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import strata
from neuroclass.config import DannSettings, LspinSettings
from neuroclass.errors import CohortError
from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.evaluation.metrics import paired_difference, summarise
from neuroclass.training.own_cells import joined, laboratory_offset
from neuroclass.training.train import TRAINERS
from neuroclass.types.arrays import Integers
from neuroclass.types.models import MODELS
from neuroclass.types.progress import ProgressCallback, ignore_progress

N_FOLDS = 5
WITHOUT, WITH, ALIGNED, ALONE = "without", "with", "with, aligned", "alone"
MEANING: Mapping[str, str] = {
    WITHOUT: "trained on the loaded cells only",
    WITH: "trained on the loaded cells and the laboratory's other donors",
    ALIGNED: "the same, the laboratory's cells moved to where the loaded ones of their classes lie",
    ALONE: "trained on the laboratory's other donors only",
}
_SEED = 0


def _folds(own: Cohort, task: str) -> list[tuple[Integers, Integers]]:
    n_donors = own.frame["donor"].nunique()
    if n_donors < N_FOLDS:
        raise CohortError(
            f"{own.source} has labelled cells of {n_donors} donors; whether they help is measured on held-out donors, "
            f"which needs at least {N_FOLDS}. Leave the comparison out, or add cells with their donors."
        )
    splitter = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=_SEED)
    return list(splitter.split(np.zeros(len(own)), strata(own, task), own.column("donor").astype(str)))


def _predicted(
    system: str, settings: DannSettings | LspinSettings, training: Cohort, test: Cohort, arm: str, fold: int
) -> pd.DataFrame:
    """Predictions on a fold's donors; empty where the training cells are too few."""
    import torch

    torch.set_num_threads(1)
    task = MODELS[system].task
    columns = ["id", "species", "donor"]
    table = test.frame[columns].assign(repeat=0, fold=fold, arm=arm, truth=test.frame[task])
    try:
        model = TRAINERS[system](training, settings)
    except CohortError:
        return table.iloc[:0].assign(predicted=pd.Series(dtype=object))
    p = model.predict_proba(test.matrix(), test.column("species").tolist())
    return table.assign(predicted=np.array(model.classes, dtype=object)[p.argmax(1)])


def held_out_gain(
    system: str,
    settings: DannSettings | LspinSettings,
    loaded: Cohort,
    own: Cohort,
    jobs: int = 1,
    progress: ProgressCallback = ignore_progress,
) -> dict[str, Any]:
    """Accuracy on a laboratory's held-out donors, by what trained the system.

    Parameters
    ----------
    system : str
        ``dann`` or ``lspin``, the network for all features.
    settings : DannSettings or LspinSettings
        Of every training; without validation donors or early stopping.
    loaded, own : Cohort
        The reference's cells; the laboratory's, from `as_laboratory`.
    jobs : int
        Trainings at once.
    progress : ProgressCallback
        Called after each.

    Returns
    -------
    dict
        ``laboratory``, ``n_cells``, ``n_donors``, ``n_folds``; for each way of training in ``arms`` its ``meaning`` and
        what `summarise` gives, or None where some class had cells of one donor only; in ``gain``, of each other
        way, what `paired_difference` gives against training without the laboratory.

    Raises
    ------
    CohortError
        If the laboratory has labelled cells of fewer than five donors.
    """
    spec = MODELS[system]
    loaded, own = loaded.labelled(spec.task), own.labelled(spec.task)
    folds = _folds(own, spec.task)
    calls = [delayed(_predicted)(system, settings, loaded, own, WITHOUT, 0)]
    aligned = True
    for number, (train, test) in enumerate(folds):
        mine, others = own.take(train), own.take(test)
        calls.append(delayed(_predicted)(system, settings, joined(loaded, mine), others, WITH, number))
        calls.append(delayed(_predicted)(system, settings, mine, others, ALONE, number))
        try:
            offset = laboratory_offset(loaded, mine, spec.task)
        except CohortError:
            aligned = False
            continue
        moved = joined(loaded, offset.undone(mine))
        calls.append(delayed(_predicted)(system, settings, moved, offset.undone(others), ALIGNED, number))
    table = pd.concat(in_parallel(calls, jobs, "own donors", progress), ignore_index=True)
    arms: dict[str, Any] = {}
    gain: dict[str, Any] = {}
    whole = table[table["arm"] == WITHOUT]
    for arm in (WITHOUT, WITH, ALIGNED, ALONE):
        rows = table[table["arm"] == arm]
        complete = len(rows) == len(own) and (aligned or arm != ALIGNED)
        arms[arm] = {"meaning": MEANING[arm], **summarise(rows, spec.classes)} if complete else None
        if complete and arm != WITHOUT:
            gain[arm] = paired_difference(rows, whole)
    return {
        "system": system,
        "laboratory": own.source,
        "n_cells": len(own),
        "n_donors": int(own.frame["donor"].nunique()),
        "n_folds": N_FOLDS,
        "classes": {str(k): int(n) for k, n in own.frame[spec.task].value_counts().items()},
        "arms": arms,
        "gain": gain,
    }
