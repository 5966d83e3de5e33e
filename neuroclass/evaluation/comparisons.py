"""Other systems beside LSPIN and DANN: the same folds and repeats, paired tests, results kept between reports."""

import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation.evaluate import describe, run_trials
from neuroclass.evaluation.metrics import paired_difference
from neuroclass.evaluation.paired import holm
from neuroclass.evaluation.protocols import Plan, Protocol, plan_protocol

Phase = Callable[[str, int, int], None]

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
PREDICTIONS = "rivals.parquet"
EVERYTHING = "all"


def evaluate_comparisons(
    name: str, task: str, plan: Plan, out: Path, *, jobs: int, baselines: bool, phase: Phase
) -> tuple[dict[str, dict[str, Any]], pd.DataFrame]:
    """Evaluate the other systems on our trials; those of an earlier report are kept where not evaluated anew.

    Parameters
    ----------
    name, task : str
        ``dann`` or ``lspin``, and what it learned.
    plan : Plan
        Donor-grouped cross-validation, all repeats.
    out : Path
        Folder of the evaluation; ``rivals.parquet`` is written there as systems are done.
    jobs : int
        Processes at once.
    baselines : bool
        Whether the baselines are evaluated too.
    phase : callable
        Called as (system, done, of).

    Returns
    -------
    results : dict of str to dict
        What `describe` says of each system.
    table : DataFrame
        Columns system, id, repeat, predicted.
    """
    results, table = _kept(name, plan, out)
    for rival in (*ABLATIONS[name], *(BASELINES if baselines else ())):
        theirs = run_trials(rival, task, plan, jobs, lambda done, of, who=rival: phase(who, done, of))  # type: ignore[misc]
        results[rival] = describe(rival, task, Protocol.DONOR_CV, plan, theirs)
        rows = theirs[["id", "repeat", "predicted"]].assign(system=rival)
        table = pd.concat([table[table["system"] != rival], rows], ignore_index=True)
        categories = {"system": "category", "predicted": "category"}
        table.astype(categories).to_parquet(out / PREDICTIONS, index=False)
    return results, table


def _kept(name: str, plan: Plan, out: Path) -> tuple[dict[str, dict[str, Any]], pd.DataFrame]:
    """Results and predictions of an earlier report on the very same cells and repeats."""
    empty = pd.DataFrame(columns=["system", "id", "repeat", "predicted"]).astype({"repeat": "int64"})
    try:
        document = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
        table = pd.read_parquet(out / PREDICTIONS).astype({"system": str, "predicted": str, "id": str})
    except (OSError, ValueError):
        return {}, empty
    n_rows = len(plan.cohort) * len({trial.repeat for trial in plan.trials})
    table = table[table["id"].isin(plan.cohort.frame["id"])]
    sizes = table["system"].value_counts()
    whole = {str(system) for system, size in sizes.items() if size == n_rows}
    donor_cv = [row for row in document if row["protocol"] == Protocol.DONOR_CV]
    results = {row["model"]: row for row in donor_cv if row["model"] != name and row["model"] in whole}
    return results, table[table["system"].isin(results)].reset_index(drop=True)


def other_protocols(
    name: str, task: str, cohort: Cohort, done: Collection[Protocol], jobs: int, phase: Phase
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
    phase : callable
        Called as (protocol, done, of).

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
            phase(protocol.value, number, len(systems))
    return rows


def add_paired_tests(
    results: Mapping[str, dict[str, Any]], predictions: pd.DataFrame, table: pd.DataFrame
) -> dict[str, dict[str, Any]]:
    """Compare our predictions with each other system's, over all cells and within each species.

    Parameters
    ----------
    results : mapping of str to dict
        From `evaluate_comparisons`.
    predictions : DataFrame
        Ours.
    table : DataFrame
        Theirs, columns system, id, repeat, predicted.

    Returns
    -------
    dict of str to dict
        The results with ``ours_minus_this``: for ``all`` and each species what `paired_difference` gives, and
        ``p_holm``, corrected for the number of systems.
    """
    tests: dict[str, dict[str, dict[str, float]]] = {name: {} for name in results}
    groups = {EVERYTHING: predictions, **{str(k): rows for k, rows in predictions.groupby("species")}}
    for group, ours in groups.items():
        found = {name: paired_difference(ours, table[table["system"] == name]) for name in results}
        for (name, test), corrected in zip(found.items(), holm([t["p"] for t in found.values()]), strict=True):
            tests[name][group] = {**test, "p_holm": corrected}
    return {name: {**result, "ours_minus_this": tests[name]} for name, result in results.items()}
