"""The paper reproduced: each of its tables and figures under the published protocol and under an honest one.

Published: the splits, scalers and choices on test cells of the paper's code. Honest: donor-grouped, stratified 5-fold
cross-validation with the scaler inside the fold and nothing chosen on its test cells.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from joblib import delayed

from neuroclass import __version__
from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation import dann_selection, lspin_selection, protocols
from neuroclass.evaluation.evaluate import in_parallel, test_trial, train_trial
from neuroclass.evaluation.kept import keep_results
from neuroclass.evaluation.metrics import summarise
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
from neuroclass.explain.shap_values import Explainable, shap_values
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.reports.paper_course import Course
from neuroclass.reports.paper_numbers import numbers_of
from neuroclass.reports.paper_store import Reproduction, kept_folder
from neuroclass.reports.paper_stored import Stored, stored_results
from neuroclass.reports.paper_tables import Parts, tables_of
from neuroclass.training.paper_dann import PaperDannSettings
from neuroclass.training.paper_lspin import PaperSettings
from neuroclass.types.arrays import Integers
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
SPLIT = (LSPIN.name, DANN.name)
PAPER_DANN, PAPER_DANN_FOLD_S = "dann-paper", 1.5
PUBLISHED_CELLS = 1424

SEEDS_STAGE, AGAIN_STAGE = "LSPIN: published settings", "LSPIN: chosen settings trained again"
DANN_SEEDS_STAGE, DANN_AGAIN_STAGE = "DANN: published settings", "DANN: chosen settings trained again"
BASELINES_STAGE, HONEST_STAGE = "other systems, as published", "donor-grouped cross-validation"
SPLIT_STAGE, EXPLAIN_STAGE = "ours on the paper's split", "SHAP values"


def stage_costs(n_mouse: int = PUBLISHED_CELLS, stored: bool = False) -> dict[str, tuple[int, float]]:
    """Units of each stage, and the processor time of one on so many mouse cells, s.

    Parameters
    ----------
    n_mouse : int
        Mouse cells.
    stored : bool
        Whether the shipped reports hold the honest figures of these cells.

    Returns
    -------
    dict
    """
    every = (PAPER_DANN_FOLD_S, *(0.0 if stored else cost for _, cost in HONEST.values()))
    n_honest = protocols.N_FOLDS * (1 if stored else len(every))
    fits = {
        lspin_selection.SEARCH.stage: (lspin_selection.N_TRIALS, 8.0),
        SEEDS_STAGE: (N_SEEDS, 8.0),
        AGAIN_STAGE: (N_SEEDS, 8.0),
        dann_selection.SEARCH.stage: (dann_selection.N_TRIALS, 2.0),
        DANN_SEEDS_STAGE: (N_SEEDS, 2.0),
        DANN_AGAIN_STAGE: (N_SEEDS, 2.0),
        BASELINES_STAGE: (len(GRIDS), 12.0),
        HONEST_STAGE: (n_honest, protocols.N_FOLDS * sum(every) / n_honest),
        SPLIT_STAGE: (0 if stored else len(SPLIT), 6.0),
        EXPLAIN_STAGE: (1 if stored else 2, 7.0),
    }
    scale = 0.1 + 0.9 * n_mouse / PUBLISHED_CELLS
    return {name: (n, cost * scale) for name, (n, cost) in fits.items()}


def seconds_for(cohort: Cohort, jobs: int = 2) -> float:
    """About how long the reproduction takes on a calm machine, s."""
    n_mouse = int((cohort.frame["species"] == Species.MOUSE.value).sum())
    return Course(stage_costs(n_mouse, stored_results(cohort) is not None)).total / max(1, min(jobs, 2)) + 15


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
    stored = stored_results(cohort)
    cells, broad = subclass_cells(cohort), broad_cells(cohort)
    plans = {task: plan_protocol(Protocol.DONOR_CV, cohort, task, 1) for task in (LSPIN.task, DANN.task)}
    n_mouse = int((cohort.frame["species"] == Species.MOUSE.value).sum())
    course = Course(stage_costs(n_mouse, stored is not None), progress)
    folder = kept_folder(cohort)
    with keep_results(folder / "parts"):
        parts = Parts(
            cells,
            broad,
            _lspin(cells, jobs, course, seed),
            _dann(broad, jobs, course, seed),
            _baselines(cells, jobs, course),
            _honest(plans, jobs, course, stored),
            _split(cohort, jobs, course, stored),
            _explained_both(cohort, broad, plans[DANN.task], jobs, course, seed, stored),
            None if stored is None else stored.open_gates("lspin-paper"),
        )
    numbers = {"version": __version__, "seed": seed, "stored": stored is not None}
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


def _honest(plans: Mapping[str, Plan], jobs: int, course: Course, stored: Stored | None) -> dict[str, Any]:
    calls, names = [], []
    plan = plans[DANN.task]
    for trial in plan.trials:
        calls.append(delayed(_paper_dann_fold)(plan.cohort, trial, PaperDannSettings()))
        names.append(PAPER_DANN)
    for name, (task, _) in HONEST.items() if stored is None else ():
        calls += [delayed(_fold)(name, task, plans[task], trial) for trial in plans[task].trials]
        names += [name] * len(plans[task].trials)
    found = in_parallel(calls, jobs, HONEST_STAGE, course)
    grouped = {
        name: _together([one for one, own in zip(found, names, strict=True) if own == name])
        for name in dict.fromkeys(names)
    }
    return grouped | ({} if stored is None else {name: stored.honest(name) for name in HONEST})


def _split(cohort: Cohort, jobs: int, course: Course, stored: Stored | None) -> dict[str, dict[str, Any]]:
    """Ours on the paper's split: summaries by system and species."""
    if stored is not None:
        return {name: stored.split(name) for name in SPLIT}
    plans = {name: plan_protocol(Protocol.PAPER_SPLIT, cohort, HONEST[name][0], 1) for name in SPLIT}
    calls = [delayed(_fold)(name, HONEST[name][0], plan, plan.trials[0]) for name, plan in plans.items()]
    found = dict(zip(SPLIT, in_parallel(calls, jobs, SPLIT_STAGE, course), strict=True))
    return {
        name: {str(one): summarise(rows, TASK_CLASSES[HONEST[name][0]]) for one, rows in table.groupby("species")}
        for name, table in ((name, parts["predictions"]) for name, parts in found.items())
    }


def _explained(model: Explainable, cells: Cohort, rows: Integers, network: str, seed: int) -> pd.DataFrame:
    """SHAP values of evenly drawn cells of each species among some rows, towards the first class."""
    species = cells.column("species")[rows]
    own = [rows[species == one.value] for one in Species]
    drawn = [part[np.unique(np.linspace(0, len(part) - 1, EXPLAINED).astype(int))] for part in own if len(part)]
    some = cells.take(np.concatenate(drawn))
    values = shap_values(model, some.matrix(), some.column("species").tolist(), pairs=1, seed=seed)
    table = shap_table(values, some, model.classes, list(FEATURE_NAMES))
    return table[table["class"] == model.classes[0]].assign(network=network)


def _paper_explained(cohort: Cohort, broad: BroadCells, seed: int) -> pd.DataFrame:
    """The paper's DANN on its test cells."""
    torch.set_num_threads(1)
    model = dann_selection.train_published(broad, PaperDannSettings(), seed)
    return _explained(model, labelled_broad(cohort), broad.test, "paper", seed)


def _ours_explained(plan: Plan, seed: int) -> pd.DataFrame:
    """Ours on held-out cells."""
    torch.set_num_threads(1)
    model = train_trial(DANN.name, DANN.task, plan, plan.trials[0])
    assert isinstance(model, Predictor)
    return _explained(model, plan.cohort, plan.trials[0].test, "ours", seed)


def _explained_both(
    cohort: Cohort, broad: BroadCells, plan: Plan, jobs: int, course: Course, seed: int, stored: Stored | None
) -> pd.DataFrame:
    calls: list[Any] = [delayed(_paper_explained)(cohort, broad, seed)]
    calls += [] if stored is not None else [delayed(_ours_explained)(plan, seed)]
    found = in_parallel(calls, jobs, EXPLAIN_STAGE, course)
    ours = [] if stored is None else [stored.shap(EXPLAINED).assign(network="ours")]
    return pd.concat([*found, *ours], ignore_index=True)
