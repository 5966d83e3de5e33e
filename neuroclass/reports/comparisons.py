"""What the Performance page shows beside a model's own predictions, written to its ``evaluation`` folder.

``python -m neuroclass.reports.comparisons lspin DIR`` makes it anew from the stored predictions, with DIR the folder of
published tables; the model's recipe is trained again only for the learning curve.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import MODELS_DIR
from neuroclass.evaluation.comparisons import add_paired_tests, evaluate_comparisons, other_protocols
from neuroclass.evaluation.groups import group_document
from neuroclass.evaluation.learning import label_budget, learning_curve
from neuroclass.evaluation.protocols import Plan, Protocol, plan_protocol
from neuroclass.evaluation.taxonomies import unlabelled_taxonomies
from neuroclass.training.registry import SYSTEMS

Phase = Callable[[str, int, int], None]


def write_json(path: Path, value: Any) -> None:
    """Write a document."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def write_comparisons(
    ours: list[dict[str, Any]],
    plan: Plan,
    predictions: pd.DataFrame,
    out: Path,
    *,
    jobs: int,
    baselines: bool,
    phase: Phase,
) -> None:
    """Write other systems' results, paired tests, accuracy by group, learning curves and unlabelled taxonomies.

    Parameters
    ----------
    ours : list of dict
        Our results, donor-cv first.
    plan : Plan
        Donor-grouped cross-validation, all repeats.
    predictions : DataFrame
        Ours under that plan.
    out : Path
        Folder of the evaluation; gets ``metrics.json``, ``rivals.parquet``, ``groups.json`` and, with `baselines`,
        ``learning.json``, ``taxonomies.json`` and ``taxonomies.parquet``.
    jobs : int
        Processes at once.
    baselines : bool
        Whether the baselines are evaluated and the curves made anew; else those of an earlier report are kept.
    phase : callable
        Called as (what, done, of).
    """
    name, task = ours[0]["model"], ours[0]["task"]
    results, table = evaluate_comparisons(name, task, plan, out, jobs=jobs, baselines=baselines, phase=phase)
    results = add_paired_tests(results, predictions, table)
    done = {(row["model"], row["protocol"]) for row in (*ours, *results.values())}
    others = [row for row in _stored_results(out) if (row["model"], row["protocol"]) not in done]
    others = [row for row in others if row["protocol"] != Protocol.DONOR_CV]
    write_json(out / "metrics.json", [*ours, *results.values(), *others])
    phase("groups", 0, 1)
    write_json(out / "groups.json", group_document(name, task, plan, predictions, table, jobs))
    phase("groups", 1, 1)
    if not baselines:
        return
    others = other_protocols(name, task, plan.cohort, {Protocol(row["protocol"]) for row in ours}, jobs, phase)
    write_json(out / "metrics.json", [*ours, *results.values(), *others])
    curve = learning_curve((name, "svc"), task, plan, jobs, lambda done, of: phase("learning curve", done, of))
    budget = label_budget(plan, task, jobs) if task == "subclass" else []
    write_json(out / "learning.json", {"cells": curve, "labels": budget})
    document, cells = unlabelled_taxonomies(plan, task, jobs)
    write_json(out / "taxonomies.json", document)
    cells.to_parquet(out / "taxonomies.parquet", index=False)
    phase("taxonomies", 1, 1)


def _stored_results(out: Path) -> list[dict[str, Any]]:
    path = out / "metrics.json"
    return list(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else []


def rewrite(name: str, cohort: Cohort, folder: Path, jobs: int, baselines: bool, phase: Phase) -> None:
    """Make a stored model's comparisons anew from its stored results and predictions.

    Parameters
    ----------
    name : str
        ``dann`` or ``lspin``.
    cohort : Cohort
        The cells the stored predictions are of.
    folder : Path
        The model's folder.
    jobs, baselines, phase
        See `write_comparisons`.
    """
    task = SYSTEMS[name].tasks[0]
    out = folder / "evaluation"
    plan = plan_protocol(Protocol.DONOR_CV, cohort, task)
    predictions = pd.read_parquet(out / "predictions.parquet").astype({"id": str})
    ours = [{"task": task, **row} for row in _stored_results(out) if row["model"] == name]
    write_comparisons(ours, plan, predictions, out, jobs=jobs, baselines=baselines, phase=phase)


if __name__ == "__main__":
    from neuroclass.cohort.loading import load_cohort

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=("dann", "lspin"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", type=Path, default=MODELS_DIR)
    parser.add_argument("--kept", action="store_true", help="keep stored baselines; tests and groups only")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    rewrite(
        given.model,
        load_cohort(given.data),
        given.models / given.model,
        given.jobs,
        not given.kept,
        lambda what, done, of: print(f"{given.model}: {what} {done} of {of}", flush=True),  # noqa: T201
    )
