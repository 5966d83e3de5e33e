"""Build the human subclass model's report, from held-out cells."""

from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.human import SOURCES
from neuroclass.config import MODELS_DIR
from neuroclass.evaluation.evaluate import in_parallel
from neuroclass.evaluation.human_subclass import (
    evaluate_human,
    human_learning_curve,
    human_plan,
    train_human_system,
)
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.explain.held_out import gate_table
from neuroclass.explain.human_matches import cross_species
from neuroclass.io.artifacts import load_model, save_model
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.human_subclass import HumanSubclassPredictor
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.training.train import TrainedModel
from neuroclass.types.models import DANN, HUMAN_SUBCLASS
from neuroclass.types.progress import ProgressCallback, ignore_progress

CARD_KEYS = ("cells", "n_cells", "n_donors", "n_repeats", "metrics", "groups", "excitatory", "sets", "open_gates")
KEPT = ("id", "species", "donor", "condition", "table", "repeat", "fold", "truth", "predicted")


def _rounded(predictions: pd.DataFrame) -> pd.DataFrame:
    probabilities = [column for column in predictions if str(column).startswith("p_")]
    measured = ["set_size", "prediction_set", "exact_set_right", "typicality", "n_open"]
    table = predictions[[*KEPT, *probabilities, *measured]]
    digits = dict.fromkeys([*probabilities, "typicality"], 5)
    return table.astype(dict.fromkeys(probabilities, np.float32)).round(digits)


def _gates(plan: Plan, trial: Trial) -> pd.DataFrame:
    """Gates of a fold's held-out cells, by the model that did not see them; of the features it uses."""
    import torch

    torch.set_num_threads(1)
    model = train_human_system(HUMAN_SUBCLASS.name, plan.cohort.take(trial.train), trial.seed)
    assert isinstance(model, HumanSubclassPredictor)
    test = plan.cohort.take(trial.test)
    names = np.array(model.classes)[model.predict_proba(test.matrix(), test.column("species").tolist()).argmax(1)]
    table = gate_table(model, test, HUMAN_SUBCLASS.task, pd.Series(names))
    return table[["id", "truth", "predicted", *model.used_names]]


def write_human_report(
    trained: TrainedModel,
    cohort: Cohort,
    jobs: int = 1,
    repeats: int | None = None,
    progress: ProgressCallback = ignore_progress,
) -> dict[str, Any]:
    """Evaluate the model's recipe and write its report; the card gets the headline metrics.

    Parameters
    ----------
    trained : TrainedModel
        The model, saved to a folder.
    cohort : Cohort
        From `load_human_cells`.
    jobs : int
        Processes at once.
    repeats : int, optional
        Of the cross-validation; by default its own number.
    progress : ProgressCallback
        Called as the parts are done.

    Returns
    -------
    dict
        The card as written.
    """
    assert trained.folder is not None, "a report is written beside a saved model"
    report = ReportStore(HUMAN_SUBCLASS.name, trained.folder)
    results, predictions = evaluate_human(cohort, repeats, jobs, progress)
    ours = results[0]
    report.write(Document.METRICS, results)
    learning = human_learning_curve(cohort, jobs, progress, predictions)
    report.write(Document.LEARNING, {"cells": learning, "labels": []})
    report.write(Table.PREDICTIONS, _rounded(predictions.pop(HUMAN_SUBCLASS.name)))
    others = [table[["id", "repeat", "predicted"]].assign(system=name) for name, table in predictions.items()]
    report.write(Table.COMPARISONS, pd.concat(others, ignore_index=True).astype({"system": "category"}))
    plan = human_plan(cohort, 1)
    gates = in_parallel([delayed(_gates)(plan, trial) for trial in plan.trials], jobs, "gates", progress)
    report.write(Table.GATES, pd.concat(gates, ignore_index=True))
    dann = load_model(DANN.name, MODELS_DIR)
    assert isinstance(dann, DannPredictor)
    matched = cross_species(cohort, dann)
    report.write(Document.MATCH_LABELS, matched["agreement"])
    report.write(Table.MATCHES, matched["matches"])
    report.write(Table.EMBEDDING, matched["embedding"])
    card = {
        **trained.card,
        "sources": SOURCES,
        "protocol": Protocol.DONOR_CV.value,
        "metrics": {**{key: ours[key] for key in CARD_KEYS}, "calibration_error": ours["calibration_error"]},
        "answer": {key: ours["answer"][key] for key in ("metrics", "sets", "excitatory", "calibration_error")},
        "expected_accuracy": ours["answer"]["stimuli"],
    }
    return save_model(trained.predictor, trained.folder, card)
