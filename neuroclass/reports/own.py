"""A report of a model in the library: its recipe trained again on donor-grouped folds, explained on held-out cells."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import hold_out_donors
from neuroclass.errors import CohortError, LibraryError
from neuroclass.evaluation.evaluate import describe, in_parallel, laboratory_rows, test_trial, train_trial
from neuroclass.evaluation.feature_subsets import (
    random_subsets,
    stimulus_rows,
    subset_outcomes,
    subset_table,
    summarise_subsets,
)
from neuroclass.evaluation.laboratories import stimulus_combinations
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial, plan_protocol
from neuroclass.explain.deletion import summarise_curves
from neuroclass.explain.groups import quantities
from neuroclass.explain.held_out import explain_held_out, shap_table
from neuroclass.explain.shap_values import shap_values
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import CARD_FILE, weights_on
from neuroclass.io.atomic import write_atomically
from neuroclass.library.entry import ModelEntry
from neuroclass.library.library import ModelLibrary
from neuroclass.predictors.estimator import EstimatorPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.reports.build import CARD_KEYS, deciles, rounded_predictions
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.training.registry import System
from neuroclass.training.systems import train_system, trainer_of
from neuroclass.types.progress import ProgressCallback, ignore_progress

EXPLAINED_CELLS = 40
"""Held-out cells per fold that are explained, of estimators: their SHAP values take about half a second a cell."""
N_SUBSETS = 150
STAGE = "held-out outputs"


def train_into(
    library: ModelLibrary,
    system: str,
    cohort: Cohort,
    task: str | None = None,
    name: str = "",
    seed: int = 0,
    progress: ProgressCallback = ignore_progress,
) -> ModelEntry:
    """Train a system of the registry into the library.

    Parameters
    ----------
    library : ModelLibrary
        Where it goes.
    system, cohort, task, seed
        See `train_system`.
    name : str
        What to call it; by default the system's name.
    progress : ProgressCallback
        Called after each epoch of a network.

    Returns
    -------
    ModelEntry

    Raises
    ------
    LibraryError
        If the name cannot be used.
    SettingsError, CohortError
        See `train_system`.
    """
    title = library.checked_name(name) if name else library.free_name(f"my {system}")
    draft = library.draft()
    try:
        trained = train_system(system, cohort, task, seed=seed, title=title, folder=draft, progress=progress)
        assert trained.folder is not None
        return library.adopt(trained.folder, f"{system}-{weights_on(trained.card)[:12]}", title)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def own_system(entry: ModelEntry) -> System:
    """A model's recipe as a system that can be evaluated."""
    train = trainer_of(entry.card)
    return System(entry.system, (entry.task,), lambda cohort, _task, seed, _progress: train(cohort, seed))


def cells_of(entry: ModelEntry, cohort: Cohort) -> Cohort | None:
    """The cells of a cohort that a model learned from, without the donors kept for validation; None if not all are."""
    card, labelled = entry.card, cohort.labelled(entry.task)
    trained = (card.get("training_cells") or {}).get("sha256")
    if not trained or labelled.digest() == trained:
        return labelled if trained else None
    share = (card.get("validation") or {}).get("share")
    if not share or not card.get("seeds"):
        return None
    try:
        fold = hold_out_donors(labelled, entry.task, float(share), int(card["seeds"][0]))
    except CohortError:
        return None
    learned = labelled.take(fold.train)
    return learned if learned.digest() == trained else None


def seconds_for_report(entry: ModelEntry, jobs: int = 2) -> float | None:
    """About how long a report takes, s: five trainings and explanations; None where the training's time is unknown."""
    seconds = entry.card.get("seconds")
    if not isinstance(seconds, int | float) or not 0 < seconds < 1e6:
        return None
    n_cells = int((entry.card.get("training_cells") or {}).get("n_cells") or 0)
    explained = 5 * EXPLAINED_CELLS * 0.6 if "estimator" in entry.card else 0.15 * n_cells
    return (5 * (0.8 * float(seconds) + 20) + explained) / max(1, min(jobs, 2))


def write_own_report(
    entry: ModelEntry, cohort: Cohort, jobs: int = 2, progress: ProgressCallback = ignore_progress
) -> dict[str, Any]:
    """Evaluate a model's recipe on donor-grouped folds of its training cells, and write its report.

    Parameters
    ----------
    entry : ModelEntry
        Of the library; the shipped models have their report.
    cohort : Cohort
        The cells that it was trained on; those that were kept for validation may be among them, and are left out.
    jobs : int
        Folds at once.
    progress : ProgressCallback
        Called after each fold.

    Returns
    -------
    dict
        The card as written, with protocol and headline metrics.

    Raises
    ------
    LibraryError
        If it is the shipped models.
    CohortError
        If the cells are others.
    """
    if entry.shipped:
        raise LibraryError("The built-in models have their report; choose a model of your own.")
    cells = cells_of(entry, cohort)
    if cells is None:
        trained = entry.card.get("training_cells") or {}
        raise CohortError(
            f"{entry.name!r} was trained on {trained.get('n_cells')} cells of {trained.get('source')}; loaded are "
            f"others, of {cohort.source}. A report trains it again on folds of its own cells: load these (--data, or "
            "NEUROCLASS_DATA), or train a model on the cells that are loaded."
        )
    system, task = own_system(entry), entry.task
    plan = plan_protocol(Protocol.DONOR_CV, cells, task, 1)
    calls = [delayed(_held_out)(system, task, plan, trial) for trial in plan.trials]
    folds = in_parallel(calls, jobs, STAGE, progress)
    predictions = pd.concat([fold["predictions"] for fold in folds], ignore_index=True)
    result = describe(entry.system, task, Protocol.DONOR_CV, plan, predictions)
    report = ReportStore(entry.name, entry.folder)
    _write_tables(report, folds, plan)
    report.write(Table.PREDICTIONS, rounded_predictions(predictions.drop(columns="laboratory")))
    report.write(Document.METRICS, [result])
    card = json.loads((entry.folder / CARD_FILE).read_text(encoding="utf-8"))
    metrics = {key: result[key] for key in CARD_KEYS if key in result}
    card |= {"protocol": result["protocol"], "metrics": metrics, "reported": time.strftime("%Y-%m-%dT%H:%M:%S")}
    write_atomically(entry.folder / CARD_FILE, (json.dumps(card, indent=2, ensure_ascii=False) + "\n").encode())
    return dict(card)


def _held_out(system: System, task: str, plan: Plan, trial: Trial) -> dict[str, pd.DataFrame]:
    """Train a fold's model once and compute all outputs."""
    import torch

    torch.set_num_threads(1)
    model = train_trial(system, task, plan, trial)
    assert isinstance(model, Predictor)
    test = plan.cohort.take(trial.test)
    some = replace(trial, laboratories=stimulus_combinations())
    found = {
        "predictions": test_trial(model, task, plan, trial),
        "by stimuli": test_trial(model, task, plan, some),
    }
    found["subsets"] = subset_outcomes(model, test, task, random_subsets(N_SUBSETS))
    predicted = found["predictions"]["predicted"]
    if isinstance(model, EstimatorPredictor):
        return found | _explained(model, test)
    return found | explain_held_out(model, test, task, predicted, f"fold {trial.fold + 1}")


def _explained(model: Predictor, test: Cohort) -> dict[str, pd.DataFrame]:
    """SHAP values of evenly drawn held-out cells."""
    rows = np.unique(np.linspace(0, len(test) - 1, min(EXPLAINED_CELLS, len(test))).astype(int))
    some, groups = test.take(rows), quantities()
    x, species = some.matrix(), some.column("species").tolist()
    single = shap_values(model, x, species, pairs=1)
    grouped = shap_values(model, x, species, pairs=1, groups=list(groups.values()))
    return {
        Table.SHAP.value: shap_table(single, some, model.classes, list(FEATURE_NAMES)),
        Table.SHAP_GROUPS.value: shap_table(grouped, some, model.classes, list(groups)),
    }


def _write_tables(report: ReportStore, folds: Sequence[dict[str, pd.DataFrame]], plan: Plan) -> None:
    """Everything but predictions and metrics."""
    tables = {key: pd.concat([fold[key] for fold in folds], ignore_index=True) for key in folds[0]}
    del tables["predictions"]
    classes = tuple(str(name) for name in tables["by stimuli"]["truth"].unique())
    stimuli = stimulus_rows(laboratory_rows(tables.pop("by stimuli"), classes))
    random = summarise_subsets(tables.pop("subsets"), random_subsets(N_SUBSETS))
    report.write(Table.FEATURE_SUBSETS, subset_table(stimuli, random))
    if "deletion" in tables:
        tables["deletion"] = summarise_curves(tables["deletion"])
    for key, table in tables.items():
        report.write(Table(key), table)
    report.write(Table.DECILES, deciles(plan.cohort))
