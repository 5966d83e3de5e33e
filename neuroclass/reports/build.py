"""Build a model's report: everything that its pages show, from held-out cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import DannSettings
from neuroclass.evaluation.evaluate import (
    describe,
    in_parallel,
    laboratory_rows,
    run_trials,
    test_trial,
    train_trial,
)
from neuroclass.evaluation.feature_subsets import (
    random_subsets,
    stimulus_rows,
    subset_outcomes,
    subset_table,
    summarise_subsets,
)
from neuroclass.evaluation.kept import keepable
from neuroclass.evaluation.laboratories import shifted_laboratories, stimulus_combinations
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial, plan_protocol
from neuroclass.evaluation.published import published_results
from neuroclass.explain.baselines import EXPLAINERS, fit_and_explain
from neuroclass.explain.deletion import summarise_curves
from neuroclass.explain.domain_report import domain_tables
from neuroclass.explain.domain_spaces import FoldSpace, fold_space
from neuroclass.explain.held_out import explain_held_out
from neuroclass.explain.stability import importances
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import save_model
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.reports.comparisons import write_comparisons
from neuroclass.reports.demo_cells import demo_predictions
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.training.train import TrainedModel
from neuroclass.types.progress import ProgressCallback, ignore_progress

STABILITY_SEEDS = (101, 102, 103)
EXPLAINED_CELLS = 50
CARD_KEYS = (
    "protocol",
    "n_cells",
    "n_donors",
    "seeds",
    "metrics",
    "groups",
    "open_gates",
    "sets",
    "calibration_error",
)
_FEATURES = list(FEATURE_NAMES)


@keepable
@dataclass(frozen=True)
class HeldOut:
    """Outputs of one fold's network on its held-out cells.

    Attributes
    ----------
    predictions : DataFrame
        From the cells as they are.
    by_stimuli, by_laboratory : DataFrame
        From only some stimuli's features, and as other laboratories would measure them.
    explanations : dict of str to DataFrame
        From `explain_held_out`; of the networks only, as what follows.
    subsets : DataFrame or None
        From `subset_outcomes`.
    space : FoldSpace or None
        Where DANN puts all cells.
    """

    predictions: pd.DataFrame
    by_stimuli: pd.DataFrame
    by_laboratory: pd.DataFrame
    explanations: dict[str, pd.DataFrame] = field(default_factory=dict)
    subsets: pd.DataFrame | None = None
    space: FoldSpace | None = None


def _held_out(name: str, task: str, plan: Plan, trial: Trial) -> HeldOut:
    """Train a fold's network once and compute all outputs."""
    import torch

    torch.set_num_threads(1)
    model = train_trial(name, task, plan, trial)
    predictions, by_stimuli, by_laboratory = (
        test_trial(model, task, plan, replace(trial, laboratories=laboratories))
        for laboratories in (trial.laboratories, stimulus_combinations(), shifted_laboratories())
    )
    if not isinstance(model, Predictor):
        return HeldOut(predictions, by_stimuli, by_laboratory)
    test = plan.cohort.take(trial.test)
    return HeldOut(
        predictions,
        by_stimuli,
        by_laboratory,
        explain_held_out(model, test, task, predictions["predicted"], f"fold {trial.fold + 1}"),
        subset_outcomes(model, test, task, random_subsets()),
        fold_space(plan, trial, DannSettings().reversal, model) if isinstance(model, DannPredictor) else None,
    )


def _retrained(name: str, task: str, plan: Plan, trial: Trial, seed: int) -> pd.DataFrame:
    """Importances by a network of other initial weights and batches, trained on the same cells."""
    import torch

    torch.set_num_threads(1)
    model = train_trial(name, task, plan, replace(trial, seed=seed))
    test = plan.cohort.take(trial.test)
    assert isinstance(model, Predictor)
    return importances(model, test, test.column(task)).assign(run=f"fold {trial.fold + 1}, seed {seed}")


def _explained_baseline(name: str, task: str, plan: Plan, trial: Trial) -> pd.DataFrame:
    """SHAP values of a baseline on evenly drawn held-out cells of a fold."""
    import torch

    torch.set_num_threads(1)
    rows = trial.test[np.unique(np.linspace(0, len(trial.test) - 1, EXPLAINED_CELLS).astype(int))]
    return fit_and_explain(name, plan.cohort.take(trial.train), plan.cohort.take(rows), task, trial.seed)


def deciles(cohort: Cohort) -> pd.DataFrame:
    """Each cell's decile, 1 to 10, of each feature within its species; 0 where missing."""
    features = cohort.frame[_FEATURES]
    ranks = features.groupby(cohort.frame["species"]).rank(pct=True)
    tenths = np.ceil(ranks * 10).fillna(0).clip(0, 10).astype(np.int8)
    return pd.concat([cohort.frame[["id"]], tenths], axis=1)


def rounded_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """Predictions as they are stored: probabilities to five decimals."""
    probabilities = [column for column in predictions if str(column).startswith("p_")]
    return predictions.astype(dict.fromkeys(probabilities, np.float32)).round(dict.fromkeys(probabilities, 5))


def _together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)


def write_report(
    trained: TrainedModel,
    cohort: Cohort,
    jobs: int,
    baselines: bool,
    progress: ProgressCallback = ignore_progress,
) -> dict[str, Any]:
    """Evaluate a model's recipe and write its report; the card gets the headline metrics.

    Parameters
    ----------
    trained : TrainedModel
        The model, saved to a folder.
    cohort : Cohort
        All cells.
    jobs : int
        Processes at once.
    baselines : bool
        Whether the baselines are evaluated on the same folds; else those of an earlier report are kept.
    progress : ProgressCallback
        Called as the parts are done.

    Returns
    -------
    dict
        The card as written.
    """
    model, folder = trained.predictor, trained.folder
    assert folder is not None, "a report is written beside a saved model"
    name, task = model.name, model.task
    report = ReportStore(name, folder)
    plan = plan_protocol(Protocol.DONOR_CV, cohort, task)
    first = [trial for trial in plan.trials if trial.repeat == 0]
    calls = [delayed(_held_out)(name, task, plan, trial) for trial in first]
    folds = in_parallel(calls, jobs, "held-out outputs", progress)
    predictions = _together([fold.predictions for fold in folds])
    rest = replace(plan, trials=plan.trials[len(first) :])
    if rest.trials:
        predictions = _together([predictions, run_trials(name, task, rest, jobs, progress, "cross-validation")])
    result = describe(name, task, Protocol.DONOR_CV, plan, predictions)
    report.write(Table.PREDICTIONS, rounded_predictions(predictions.drop(columns="laboratory")))
    _write_other_recordings(report, task, cohort, folds, model.classes)
    _write_explanations(report, task, plan, folds, jobs, progress)
    report.write(Table.DECILES, deciles(plan.cohort))
    report.write(Table.DEMO, demo_predictions(model))
    if baselines:
        calls = [delayed(_explained_baseline)(system, task, plan, first[0]) for system in EXPLAINERS]
        report.write(Table.SHAP_BASELINES, _together(in_parallel(calls, jobs, "explained baselines", progress)))
    spaces = [fold.space for fold in folds if fold.space is not None]
    if spaces:
        for key, table in domain_tables(plan, first, spaces, jobs, progress).items():
            report.write(Table(key), table)
    report.write(Document.PUBLISHED, published_results(name))
    split = plan_protocol(Protocol.PAPER_SPLIT, cohort, task)
    on_split = run_trials(name, task, split, jobs, progress, "paper split")
    ours = [result, describe(name, task, Protocol.PAPER_SPLIT, split, on_split)]
    write_comparisons(report, ours, plan, predictions, jobs=jobs, baselines=baselines, progress=progress)
    metrics = {key: result[key] for key in CARD_KEYS if key in result}
    return save_model(model, folder, {**trained.card, "protocol": result["protocol"], "metrics": metrics})


def _write_other_recordings(
    report: ReportStore, task: str, cohort: Cohort, folds: Sequence[HeldOut], classes: tuple[str, ...]
) -> None:
    """Results on held-out cells with fewer features, and as other laboratories would measure them."""
    shifted = plan_protocol(Protocol.LAB_SHIFT, cohort, task, 1)
    by_laboratory = _together([fold.by_laboratory for fold in folds])
    report.write(Document.LAB_SHIFT, describe(report.name, task, Protocol.LAB_SHIFT, shifted, by_laboratory))
    outcomes = [fold.subsets for fold in folds if fold.subsets is not None]
    if outcomes:
        stimuli = stimulus_rows(laboratory_rows(_together([fold.by_stimuli for fold in folds]), classes))
        random = summarise_subsets(_together(outcomes), random_subsets())
        report.write(Table.FEATURE_SUBSETS, subset_table(stimuli, random))


def _write_explanations(
    report: ReportStore, task: str, plan: Plan, folds: Sequence[HeldOut], jobs: int, progress: ProgressCallback
) -> None:
    """Explanations of all folds, and importances by networks that were trained again."""
    tables = {key: _together([fold.explanations[key] for fold in folds]) for key in folds[0].explanations}
    calls = [delayed(_retrained)(report.name, task, plan, plan.trials[0], seed) for seed in STABILITY_SEEDS]
    tables["stability"] = _together([tables["stability"], *in_parallel(calls, jobs, "stability", progress)])
    if "deletion" in tables:
        tables["deletion"] = summarise_curves(tables["deletion"])
    for key, table in tables.items():
        report.write(Table(key), table)
