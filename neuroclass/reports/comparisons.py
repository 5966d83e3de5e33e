"""Comparisons for the Performance page, written to a model's report.

``python -m neuroclass.reports.comparisons lspin DIR`` makes it anew from the stored predictions, with DIR the folder of
published tables; the model's recipe is trained again only for the learning curve.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import MODELS_DIR
from neuroclass.evaluation.comparisons import (
    add_paired_tests,
    evaluate_comparisons,
    kept_comparisons,
    other_protocols,
)
from neuroclass.evaluation.groups import group_document
from neuroclass.evaluation.learning import label_budget, learning_curve
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, plan_protocol
from neuroclass.evaluation.taxonomies import unlabelled_taxonomies
from neuroclass.reports.store import Document, ReportStore, Table, report_of
from neuroclass.types.models import MODELS
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

COMPARED_ON_CURVE = "svc"


def write_comparisons(
    report: ReportStore,
    ours: list[dict[str, Any]],
    plan: Plan,
    predictions: pd.DataFrame,
    *,
    jobs: int,
    baselines: bool,
    progress: ProgressCallback = ignore_progress,
) -> None:
    """Write other systems' results, paired tests, accuracy by group, learning curves and unlabelled taxonomies.

    Parameters
    ----------
    report : ReportStore
        Gets metrics, comparisons, groups and, with `baselines`, learning curves and taxonomies.
    ours : list of dict
        Our results, donor-cv first.
    plan : Plan
        Donor-grouped cross-validation, all repeats.
    predictions : DataFrame
        Ours under that plan.
    jobs : int
        Processes at once.
    baselines : bool
        Whether the baselines are evaluated and the curves made anew; else those of an earlier report are kept.
    progress : ProgressCallback
        Called as the parts are done.
    """
    name, task = ours[0]["model"], ours[0]["task"]
    stored = report.metrics() if report.has(Document.METRICS) else []
    kept = kept_comparisons(name, plan, stored, report.comparisons())
    compared = evaluate_comparisons(name, task, plan, kept, jobs=jobs, baselines=baselines, progress=progress)
    results = add_paired_tests(compared, predictions)
    if len(compared.predictions):
        categories = {"system": "category", "predicted": "category"}
        report.write(Table.COMPARISONS, compared.predictions.astype(categories))
    done = {(row["model"], row["protocol"]) for row in (*ours, *results.values())}
    others = [row for row in stored if (row["model"], row["protocol"]) not in done]
    others = [row for row in others if row["protocol"] != Protocol.DONOR_CV]
    report.write(Document.METRICS, [*ours, *results.values(), *others])
    progress(Progress("groups", 0, 1))
    report.write(Document.GROUPS, group_document(name, task, plan, predictions, compared.predictions, jobs))
    progress(Progress("groups", 1, 1))
    if not baselines:
        return
    others = other_protocols(name, task, plan.cohort, {Protocol(row["protocol"]) for row in ours}, jobs, progress)
    report.write(Document.METRICS, [*ours, *results.values(), *others])
    curve = learning_curve((name, COMPARED_ON_CURVE), task, plan, jobs, progress)
    budget = label_budget(plan, task, jobs) if task == "subclass" else []
    report.write(Document.LEARNING, {"cells": curve, "labels": budget})
    document, cells = unlabelled_taxonomies(plan, task, jobs)
    report.write(Document.TAXONOMIES, document)
    report.write(Table.TAXONOMIES, cells)
    progress(Progress("taxonomies", 1, 1))


def rewrite_comparisons(
    report: ReportStore, cohort: Cohort, jobs: int, baselines: bool, progress: ProgressCallback = ignore_progress
) -> None:
    """Recompute a report's comparisons from its stored results and predictions.

    Parameters
    ----------
    report : ReportStore
        The report.
    cohort : Cohort
        The cells the stored predictions are of.
    jobs, baselines, progress
        See `write_comparisons`.
    """
    task = MODELS[report.name].task
    plan = plan_protocol(Protocol.DONOR_CV, cohort, task)
    ours = [{"task": task, **row} for row in report.metrics() if row["model"] == report.name]
    write_comparisons(report, ours, plan, report.predictions(), jobs=jobs, baselines=baselines, progress=progress)


if __name__ == "__main__":
    from neuroclass.cohort.loading import load_cohort

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=tuple(MODELS))
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", type=Path, default=MODELS_DIR)
    parser.add_argument("--kept", action="store_true", help="keep stored baselines; tests and groups only")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    rewrite_comparisons(
        report_of(given.model, given.models),
        load_cohort(given.data),
        given.jobs,
        not given.kept,
        lambda one: print(f"{given.model}: {one.stage} {one.done} of {one.total}", flush=True),  # noqa: T201
    )
