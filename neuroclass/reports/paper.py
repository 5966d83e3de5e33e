"""The paper reproduced: each of its tables and figures under the published protocol and under an honest one.

Published: the splits, scalers and choices on test cells of the paper's code. Honest: donor-grouped, stratified 5-fold
cross-validation with the scaler inside the fold and nothing chosen on its test cells.
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass import __version__
from neuroclass.cell_types import Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation import dann_selection, lspin_selection
from neuroclass.evaluation.evaluate import in_parallel, test_trial, train_trial
from neuroclass.evaluation.kept import keep_results
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial, plan_protocol
from neuroclass.evaluation.published_baselines import GRIDS, run_baseline
from neuroclass.evaluation.published_split import (
    BroadCells,
    SubclassCells,
    broad_cells,
    labelled_broad,
    subclass_cells,
)
from neuroclass.explain.held_out import gate_table, shap_table
from neuroclass.explain.shap_values import shap_values
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.reports.paper_course import Course
from neuroclass.reports.paper_numbers import numbers_of
from neuroclass.reports.paper_store import Reproduction, kept_folder
from neuroclass.reports.paper_tables import Parts, tables_of
from neuroclass.training.paper_dann import PaperDannSettings
from neuroclass.training.paper_lspin import PaperSettings
from neuroclass.types.models import DANN, LSPIN
from neuroclass.types.progress import ProgressCallback, ignore_progress

N_SEEDS = 6
"""Runs with the same settings that nothing chooses."""
SEED, SEED_AGAIN = 0, 1000
EXPLAINED = 20
"""Cells a species whose SHAP values are computed; the paper's code takes 50."""
HONEST: Mapping[str, tuple[str, float]] = {
    "lspin-paper": (LSPIN.task, 6.0),
    "lspin": (LSPIN.task, 6.5),
    "rf": (LSPIN.task, 0.9),
    "svc": (LSPIN.task, 0.3),
    "xgboost": (LSPIN.task, 0.8),
    "dann": (DANN.task, 5.0),
}
"""Systems under the honest protocol: what they tell, and processor time of one fold on the published cells, s."""
SPLIT: Mapping[str, float] = {"lspin": 6.5, "dann": 5.0}
PUBLISHED_CELLS = 1424

SEEDS_STAGE, AGAIN_STAGE = "LSPIN: published settings", "LSPIN: chosen settings trained again"
DANN_SEEDS_STAGE, DANN_AGAIN_STAGE = "DANN: published settings", "DANN: chosen settings trained again"
BASELINES_STAGE, HONEST_STAGE = "other systems, as published", "donor-grouped cross-validation"
SPLIT_STAGE, EXPLAIN_STAGE = "ours on the paper's split", "SHAP values"


def stage_costs(n_mouse: int = PUBLISHED_CELLS) -> dict[str, tuple[int, float]]:
    """Units of each stage, and the processor time of one on so many mouse cells, s."""
    fits = {
        lspin_selection.SEARCH.stage: (lspin_selection.N_TRIALS, 5.0),
        SEEDS_STAGE: (N_SEEDS, 5.0),
        AGAIN_STAGE: (N_SEEDS, 4.0),
        dann_selection.SEARCH.stage: (dann_selection.N_TRIALS, 1.5),
        DANN_SEEDS_STAGE: (N_SEEDS, 1.5),
        DANN_AGAIN_STAGE: (N_SEEDS, 1.5),
        BASELINES_STAGE: (len(GRIDS), 9.0),
        SPLIT_STAGE: (len(SPLIT), 6.0),
        HONEST_STAGE: (5 * (len(HONEST) + 1), sum(cost for _, cost in HONEST.values()) / len(HONEST)),
        EXPLAIN_STAGE: (1, 15.0),
    }
    scale = 0.1 + 0.9 * n_mouse / PUBLISHED_CELLS
    return {name: (n, cost * scale) for name, (n, cost) in fits.items()}


def seconds_for(cohort: Cohort, jobs: int = 2) -> float:
    """About how long the reproduction takes on a calm machine, s."""
    n_mouse = int((cohort.frame["species"] == Species.MOUSE.value).sum())
    return Course(stage_costs(n_mouse)).total / max(1, min(jobs, 2)) + 15


def reproduce_paper(
    cohort: Cohort, jobs: int = 2, progress: ProgressCallback = ignore_progress, seed: int = SEED
) -> Reproduction:
    """Compute everything, keeping each part in the cache folder, so that it continues where it was cut off.

    Parameters
    ----------
    cohort : Cohort
        The cells; mouse and human, in the order of the published tables.
    jobs : int
        Processes at once; the result does not depend on it.
    progress : ProgressCallback
        Called after each part; see `Course`.
    seed : int
        Of everything random.

    Returns
    -------
    Reproduction
        Kept in the cache folder, too.

    Raises
    ------
    CohortError
        If the cohort lacks a species, a subclass, labels or donors.
    SettingsError
        If Optuna is not installed.
    """
    start = time.monotonic()
    cells, broad = subclass_cells(cohort), broad_cells(cohort)
    plans = {task: plan_protocol(Protocol.DONOR_CV, cohort, task, 1) for task in (LSPIN.task, DANN.task)}
    n_mouse = int((cohort.frame["species"] == Species.MOUSE.value).sum())
    course = Course(stage_costs(n_mouse), progress)
    folder = kept_folder(cohort)
    with keep_results(folder / "parts"):
        parts = Parts(
            cells,
            broad,
            _lspin(cells, jobs, course, seed),
            _dann(broad, jobs, course, seed),
            _baselines(cells, jobs, course),
            _honest(plans, jobs, course),
            _split(cohort, jobs, course),
            _explained_both(cohort, broad, plans[DANN.task], jobs, course, seed),
        )
    numbers = {"version": __version__, "seed": seed, "seconds": round(time.monotonic() - start, 1)}
    found = Reproduction(numbers | numbers_of(cohort, parts), tables_of(cohort, parts))
    found.write(folder)
    return found


def _lspin(cells: SubclassCells, jobs: int, course: Course, seed: int) -> dict[str, Any]:
    trials = lspin_selection.SEARCH.run(cells, lspin_selection.N_TRIALS, seed, jobs, course)
    table = lspin_selection.candidates(trials)
    chosen = lspin_selection.settings_of(table.loc[table["test"].idxmax()])
    seeds, again = range(seed, seed + N_SEEDS), range(seed + SEED_AGAIN, seed + SEED_AGAIN + N_SEEDS)
    runs = lspin_selection.runs_of
    return {
        "trials": trials,
        "seeds": runs(cells, PaperSettings(), seeds, jobs, SEEDS_STAGE, course),
        "again": runs(cells, chosen, again, jobs, AGAIN_STAGE, course),
    }


def _dann(cells: BroadCells, jobs: int, course: Course, seed: int) -> dict[str, Any]:
    trials = dann_selection.SEARCH.run(cells, dann_selection.N_TRIALS, seed, jobs, course)
    chosen = max(trials, key=lambda one: dann_selection.objective(one[1]))[0]
    runs = {}
    for name, settings, first, stage in (
        ("seeds", PaperDannSettings(), seed, DANN_SEEDS_STAGE),
        ("again", chosen, seed + SEED_AGAIN, DANN_AGAIN_STAGE),
    ):
        calls = [delayed(dann_selection.run_dann)(cells, settings, first + k) for k in range(N_SEEDS)]
        runs[name] = in_parallel(calls, jobs, stage, course)
    return {"trials": trials, **runs}


def _baselines(cells: SubclassCells, jobs: int, course: Course) -> dict[str, dict[str, Any]]:
    calls = [delayed(run_baseline)(name, cells) for name in GRIDS]
    return dict(zip(GRIDS, in_parallel(calls, jobs, BASELINES_STAGE, course), strict=True))


def _fold(name: str, task: str, plan: Plan, trial: Trial) -> dict[str, pd.DataFrame]:
    """Train a system on a trial's training cells; predictions and gates of its test cells."""
    import torch

    torch.set_num_threads(1)
    model = train_trial(name, task, plan, trial)
    found = {"predictions": test_trial(model, task, plan, trial)}
    if isinstance(model, LspinPredictor):
        found["gates"] = gate_table(model, plan.cohort.take(trial.test), task, found["predictions"]["predicted"])
    return found


def _paper_dann_fold(cells: Cohort, trial: Trial, settings: PaperDannSettings) -> dict[str, pd.DataFrame]:
    return {"predictions": dann_selection.honest_fold(cells, trial, settings)}


def _together(parts: list[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    return {key: pd.concat([one[key] for one in parts], ignore_index=True) for key in parts[0]}


def _honest(plans: Mapping[str, Plan], jobs: int, course: Course) -> dict[str, dict[str, pd.DataFrame]]:
    calls, names = [], []
    for name, (task, _) in HONEST.items():
        calls += [delayed(_fold)(name, task, plans[task], trial) for trial in plans[task].trials]
        names += [name] * len(plans[task].trials)
    plan = plans[DANN.task]
    calls += [delayed(_paper_dann_fold)(plan.cohort, trial, PaperDannSettings()) for trial in plan.trials]
    names += ["dann-paper"] * len(plan.trials)
    found = in_parallel(calls, jobs, HONEST_STAGE, course)
    return {
        name: _together([one for one, own in zip(found, names, strict=True) if own == name])
        for name in dict.fromkeys(names)
    }


def _split(cohort: Cohort, jobs: int, course: Course) -> dict[str, dict[str, pd.DataFrame]]:
    plans = {name: plan_protocol(Protocol.PAPER_SPLIT, cohort, HONEST[name][0], 1) for name in SPLIT}
    calls = [delayed(_fold)(name, HONEST[name][0], plan, plan.trials[0]) for name, plan in plans.items()]
    return dict(zip(SPLIT, in_parallel(calls, jobs, SPLIT_STAGE, course), strict=True))


def _explained(cohort: Cohort, broad: BroadCells, plan: Plan, seed: int) -> pd.DataFrame:
    """SHAP values of the paper's DANN on its test cells, and of ours on held-out ones; column ``network``."""
    paper = dann_selection.train_published(broad, PaperDannSettings(), seed)
    ours = train_trial("dann", DANN.task, plan, plan.trials[0])
    assert isinstance(ours, Predictor)
    tables = []
    for name, model, cells, rows in (
        ("paper", paper, labelled_broad(cohort), broad.test),
        ("ours", ours, plan.cohort, plan.trials[0].test),
    ):
        species = cells.column("species")[rows]
        some = [own[np.unique(np.linspace(0, len(own) - 1, EXPLAINED).astype(int))] for own in
                (rows[species == one.value] for one in Species) if len(own)]  # fmt: skip
        test = cells.take(np.concatenate(some))
        values = shap_values(model, test.matrix(), test.column("species").tolist(), pairs=1, seed=seed)
        table = shap_table(values, test, model.classes, list(FEATURE_NAMES))
        tables.append(table[table["class"] == model.classes[0]].assign(network=name))
    return pd.concat(tables, ignore_index=True)


def _explained_both(
    cohort: Cohort, broad: BroadCells, plan: Plan, jobs: int, course: Course, seed: int
) -> pd.DataFrame:
    (found,) = in_parallel([delayed(_explained)(cohort, broad, plan, seed)], jobs, EXPLAIN_STAGE, course)
    return found
