"""Comparison of LSPIN and DANN with other systems: same folds, paired tests, results reused."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.compare import holm
from neuroclass.evaluation.evaluate import describe, run_trials
from neuroclass.evaluation.metrics import paired_difference
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, plan_protocol
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

ABLATIONS: dict[str, tuple[str, ...]] = {"dann": ("dann-lambda0", "dann-shallow"), "lspin": ("lspin-paper",)}
BASELINES: tuple[str, ...] = (
    "svc",
    "lda",
    "lasso",
    "rf",
    "xgboost",
    "gbdt",
    "ann",
    "ann-ensemble",
    "few-labels",
    "etypes",
    "circular",
)
EVERYTHING = "all"


@dataclass(frozen=True)
class Comparisons:
    """Other systems on our trials.

    Attributes
    ----------
    results : dict of str to dict
        What `describe` says of each system.
    predictions : DataFrame
        Columns system, id, repeat, predicted.
    """

    results: dict[str, dict[str, Any]]
    predictions: pd.DataFrame


def kept_comparisons(
    name: str, plan: Plan, results: Sequence[dict[str, Any]], predictions: pd.DataFrame
) -> Comparisons:
    """Results of an earlier report on the same cells and repeats.

    Parameters
    ----------
    name : str
        Ours, which is not compared with itself.
    plan : Plan
        Donor-grouped cross-validation, all repeats.
    results : sequence of dict
        All results of the earlier report.
    predictions : DataFrame
        The other systems' of the earlier report.

    Returns
    -------
    Comparisons
    """
    n_rows = len(plan.cohort) * len({trial.repeat for trial in plan.trials})
    table = predictions[predictions["id"].isin(plan.cohort.frame["id"])]
    sizes = table["system"].value_counts()
    whole = {str(system) for system, size in sizes.items() if size == n_rows}
    donor_cv = [row for row in results if row["protocol"] == Protocol.DONOR_CV]
    kept = {row["model"]: row for row in donor_cv if row["model"] != name and row["model"] in whole}
    return Comparisons(kept, table[table["system"].isin(kept)].reset_index(drop=True))


def evaluate_comparisons(
    name: str,
    task: str,
    plan: Plan,
    kept: Comparisons,
    *,
    jobs: int,
    baselines: bool,
    progress: ProgressCallback = ignore_progress,
) -> Comparisons:
    """Evaluate the other systems on our trials, reusing results of an earlier report.

    Parameters
    ----------
    name, task : str
        ``dann`` or ``lspin``, and what it learned.
    plan : Plan
        Donor-grouped cross-validation, all repeats.
    kept : Comparisons
        From `kept_comparisons`.
    jobs : int
        Processes at once.
    baselines : bool
        Whether the baselines are evaluated too.
    progress : ProgressCallback
        Called after each trial of each system.

    Returns
    -------
    Comparisons
    """
    results, table = dict(kept.results), kept.predictions
    for system in (*ABLATIONS[name], *(BASELINES if baselines else ())):
        predictions = run_trials(system, task, plan, jobs, progress, stage=system)
        results[system] = describe(system, task, Protocol.DONOR_CV, plan, predictions)
        rows = predictions[["id", "repeat", "predicted"]].assign(system=system)
        table = pd.concat([table[table["system"] != system], rows], ignore_index=True)
    return Comparisons(results, table)


def other_protocols(
    name: str,
    task: str,
    cohort: Cohort,
    done: Collection[Protocol],
    jobs: int,
    progress: ProgressCallback = ignore_progress,
) -> list[dict[str, Any]]:
    """Every system on the paper's split and, for the broad classes, with human labels hidden.

    Parameters
    ----------
    name, task : str
        Ours, and what it learned.
    cohort : Cohort
        All labelled cells.
    done : collection of Protocol
        Protocols our own result is there for.
    jobs : int
        Processes at once.
    progress : ProgressCallback
        Called after each system.

    Returns
    -------
    list of dict
        What `describe` says, with five seeds each.
    """
    protocols = [Protocol.PAPER_SPLIT, *([Protocol.LEAVE_SPECIES_OUT] if task == "broad" else [])]
    rows = []
    for protocol in protocols:
        plan = plan_protocol(protocol, cohort, task)
        systems = [*([] if protocol in done else [name]), *ABLATIONS[name], *BASELINES]
        for number, system in enumerate(systems, start=1):
            rows.append(describe(system, task, protocol, plan, run_trials(system, task, plan, jobs)))
            progress(Progress(protocol.value, number, len(systems)))
    return rows


def add_paired_tests(compared: Comparisons, predictions: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Compare our predictions with each other system's, over all cells and within each species.

    Parameters
    ----------
    compared : Comparisons
        The other systems.
    predictions : DataFrame
        Ours.

    Returns
    -------
    dict of str to dict
        The results with ``ours_minus_this``: for ``all`` and each species what `paired_difference` gives, and
        ``p_holm``, corrected for the number of systems.
    """
    tests: dict[str, dict[str, dict[str, float]]] = {name: {} for name in compared.results}
    theirs = {name: compared.predictions[compared.predictions["system"] == name] for name in compared.results}
    groups = {EVERYTHING: predictions, **{str(k): rows for k, rows in predictions.groupby("species")}}
    for group, ours in groups.items():
        found = {name: paired_difference(ours, rows) for name, rows in theirs.items()}
        for (name, test), corrected in zip(found.items(), holm([t["p"] for t in found.values()]), strict=True):
            tests[name][group] = {**test, "p_holm": float(corrected)}
    return {name: {**result, "ours_minus_this": tests[name]} for name, result in compared.results.items()}
