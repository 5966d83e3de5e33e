"""Everything a result page shows of a model, from held-out cells: ``models/<name>/evaluation/``."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import DannSettings
from neuroclass.evaluation.evaluate import describe, run_trials, test_trial, train_trial
from neuroclass.evaluation.feature_subsets import mask_outcomes, random_masks, summarise_masks
from neuroclass.evaluation.protocols import Plan, Protocol, Trial, plan_protocol
from neuroclass.evaluation.published import published_results
from neuroclass.explain.baselines import EXPLAINERS, fit_and_explain
from neuroclass.explain.deletion import summarise_curves
from neuroclass.explain.domain_report import write_domains
from neuroclass.explain.domain_spaces import FoldSpace, fold_space
from neuroclass.explain.held_out import explain_held_out
from neuroclass.explain.stability import importances
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import save_model
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.reports.comparisons import write_comparisons, write_json
from neuroclass.reports.demo_cells import DEMO_TABLE, demo_predictions
from neuroclass.training.registry import SYSTEMS

Phase = Callable[[str, int, int], None]
Tables = dict[str, pd.DataFrame]

STABILITY_SEEDS = (101, 102, 103)
EXPLAINED_CELLS = 50
EXPLANATIONS = ("shap", "shap-groups", "gates", "gate-ablation", "stability")
_FEATURES = list(FEATURE_NAMES)


def _outputs(
    name: str, task: str, plan: Plan, trial: Trial, masked: Plan, shifted: Plan
) -> tuple[Tables, FoldSpace | None]:
    """One fold's held-out outputs, and where DANN puts all cells."""
    import torch

    torch.set_num_threads(1)
    model = train_trial(name, task, plan, trial)
    predictions = test_trial(model, task, plan, trial)
    number = trial.repeat * 5 + trial.fold
    tables = {
        "masked": test_trial(model, task, masked, masked.trials[number]),
        "lab-shift": test_trial(model, task, shifted, shifted.trials[number]),
    }
    if isinstance(model, Predictor):
        run = f"fold {trial.fold + 1}"
        tables |= explain_held_out(model, plan.cohort.take(trial.test), task, predictions["predicted"], run)
        tables["masks"] = mask_outcomes(model, plan.cohort.take(trial.test), task, random_masks())
    space = None
    if isinstance(model, DannPredictor):
        space = fold_space(plan, trial, DannSettings().reversal, model)
    return tables, space


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


def _rounded(predictions: pd.DataFrame) -> pd.DataFrame:
    probabilities = [column for column in predictions if str(column).startswith("p_")]
    return predictions.astype(dict.fromkeys(probabilities, np.float32)).round(dict.fromkeys(probabilities, 5))


def _all(calls: list[Any], jobs: int, what: str, phase: Phase) -> list[pd.DataFrame]:
    """Results of delayed calls, in their order."""
    found: list[pd.DataFrame] = []
    for table in Parallel(n_jobs=jobs, return_as="generator")(calls):
        found.append(table)
        phase(what, len(found), len(calls))
    return found


def write_report(
    model: Predictor, folder: Path, cohort: Cohort, card: dict[str, Any], jobs: int, baselines: bool, phase: Phase
) -> dict[str, Any]:
    """Evaluate a model's recipe and write ``folder/evaluation``; the card gets the headline metrics.

    Parameters
    ----------
    model : Predictor
        The trained model.
    folder : Path
        Its folder.
    cohort : Cohort
        All cells.
    card : dict
        Its card so far.
    jobs : int
        Processes at once.
    baselines : bool
        Whether the baselines are evaluated on the same folds; else those of an earlier report are kept.
    phase : callable
        Called as (what, done, of).

    Returns
    -------
    dict
        The card as written.
    """
    name = model.name
    task = SYSTEMS[name].tasks[0]
    out = folder / "evaluation"
    out.mkdir(parents=True, exist_ok=True)
    plan = plan_protocol(Protocol.DONOR_CV, cohort, task)
    predictions = run_trials(name, task, plan, jobs, lambda done, of: phase("cross-validation", done, of))
    result = describe(name, task, Protocol.DONOR_CV, plan, predictions)
    _rounded(predictions.drop(columns="laboratory")).to_parquet(out / "predictions.parquet", index=False)
    masked = plan_protocol(Protocol.MASKED, cohort, task, 1)
    shifted = plan_protocol(Protocol.LAB_SHIFT, cohort, task, 1)
    first = [trial for trial in plan.trials if trial.repeat == 0]
    calls = (delayed(_outputs)(name, task, plan, trial, masked, shifted) for trial in first)
    parts: list[tuple[Tables, FoldSpace | None]] = []
    for part in Parallel(n_jobs=jobs, return_as="generator")(calls):
        parts.append(part)
        phase("held-out outputs", len(parts), len(first))
    tables = {key: pd.concat([part[key] for part, _ in parts], ignore_index=True) for key in parts[0][0]}
    for key, protocol, table_plan in (
        ("masked", Protocol.MASKED, masked),
        ("lab-shift", Protocol.LAB_SHIFT, shifted),
    ):
        write_json(out / f"{key}.json", describe(name, task, protocol, table_plan, tables[key]))
    again = [delayed(_retrained)(name, task, plan, first[0], seed) for seed in STABILITY_SEEDS]
    tables["stability"] = pd.concat([tables["stability"], *_all(again, jobs, "stability", phase)], ignore_index=True)
    for key in EXPLANATIONS:
        if key in tables:
            tables[key].to_parquet(out / f"{key}.parquet", index=False)
    if "deletion" in tables:
        summarise_curves(tables["deletion"]).to_parquet(out / "deletion.parquet", index=False)
    if "masks" in tables:
        summarise_masks(tables["masks"], random_masks()).to_parquet(out / "masks.parquet", index=False)
    deciles(plan.cohort).to_parquet(out / "deciles.parquet", index=False)
    demo_predictions(model).to_parquet(out / f"{DEMO_TABLE}.parquet", index=False)
    if baselines:
        explained = [delayed(_explained_baseline)(rival, task, plan, first[0]) for rival in EXPLAINERS]
        found = pd.concat(_all(explained, jobs, "explained baselines", phase), ignore_index=True)
        found.to_parquet(out / "shap-baselines.parquet", index=False)
    if isinstance(model, DannPredictor):
        spaces = [space for _, space in parts if space is not None]
        write_domains(plan, first, spaces, out, jobs, lambda done, of: phase("domains", done, of))
    write_json(out / "published.json", published_results(name))
    split = plan_protocol(Protocol.PAPER_SPLIT, cohort, task)
    on_split = run_trials(name, task, split, jobs, lambda done, of: phase("paper split", done, of))
    ours = [result, describe(name, task, Protocol.PAPER_SPLIT, split, on_split)]
    write_comparisons(ours, plan, predictions, out, jobs=jobs, baselines=baselines, phase=phase)
    keys = ("protocol", "n_cells", "n_donors", "seeds", "metrics", "groups", "open_gates", "sets", "calibration_error")
    return save_model(
        model,
        folder,
        {**card, "protocol": result["protocol"], "metrics": {key: result[key] for key in keys if key in result}},
    )
