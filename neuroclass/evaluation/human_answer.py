"""The answer that users get for a human cell, held out: a fold's model reconciled with the shipped DANN.

Only cells of other laboratories are judged: DANN was trained on the database's cells, and on none of these.
"""

from typing import Any

import pandas as pd

from neuroclass.cohort.human import DATABASE, TABLE_COLUMN
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.predictors.cell_predictor import ModelsBySet
from neuroclass.predictors.human_cells import HumanCellPredictor
from neuroclass.predictors.human_subclass import HumanSubclassPredictor
from neuroclass.training.fit_human_subclass import TASK
from neuroclass.training.library import feature_set_library
from neuroclass.types.models import HUMAN_SUBCLASS


def answer_trial(
    model: HumanSubclassPredictor, plan: Plan, trial: Trial, library: ModelsBySet | None = None
) -> pd.DataFrame:
    """Answers for the trial's test cells of other laboratories, as each of its laboratories measures them.

    Parameters
    ----------
    model : HumanSubclassPredictor
        Trained on the trial's training cells.
    plan : Plan
        From `human_plan`.
    trial : Trial
        One of its trials.
    library : ModelsBySet, optional
        DANN's models of sets of features; by default the shipped ones.

    Returns
    -------
    DataFrame
        A row per cell and laboratory: id, species, donor, repeat, fold, laboratory, truth, predicted, ``p_`` of each
        class, set_size, prediction_set.
    """
    judge = HumanCellPredictor(HUMAN_SUBCLASS, library or feature_set_library(), {}, model)
    test = plan.cohort.take(trial.test)
    test = test.take((test.frame[TABLE_COLUMN] != DATABASE).to_numpy())
    species, frames = test.column("species").tolist(), []
    for laboratory in trial.laboratories:
        x = laboratory.measure(test.matrix())
        p, sets = judge.predict_proba(x, species), judge.prediction_set(x, species)
        columns: dict[str, Any] = {
            "repeat": trial.repeat,
            "fold": trial.fold,
            "laboratory": laboratory.name,
            "truth": test.frame[TASK],
            "predicted": [judge.classes[k] for k in p.argmax(1)],
            **{f"p_{name}": p[:, k] for k, name in enumerate(judge.classes)},
            "set_size": [len(chosen) for chosen in sets],
            "prediction_set": ["|".join(chosen) for chosen in sets],
        }
        frames.append(test.frame[["id", "species", "donor"]].assign(**columns))
    return pd.concat(frames, ignore_index=True)
