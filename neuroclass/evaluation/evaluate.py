"""Train and test one system under one protocol."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from joblib import delayed

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import ModelFileError
from neuroclass.evaluation.domains import domain_right
from neuroclass.evaluation.kept import Kept, read_result, write_result
from neuroclass.evaluation.metrics import expected_calibration_error, summarise
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import Plan, Trial, plan_protocol
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.human_subclass import HumanSubclassPredictor
from neuroclass.predictors.label_shift import adapt_to_proportions
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.training.registry import Classifier, System, system_named
from neuroclass.types.arrays import Floats, Integers
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress
from neuroclass.work.base import survived
from neuroclass.work.current import current_work

Result = TypeVar("Result")


@dataclass(frozen=True)
class Evaluation:
    """A system's results under a protocol.

    Attributes
    ----------
    result : dict
        Metrics, as the command line prints them.
    predictions : DataFrame
        One row a test cell, trial and laboratory.
    """

    result: dict[str, Any]
    predictions: pd.DataFrame


def _hide_labels(cohort: Cohort, rows: Integers, task: str) -> Cohort:
    frame = cohort.frame.copy()
    frame.loc[rows, [task, "dendrite_type"]] = None
    return replace(cohort, frame=frame)


def _system(name: str | System) -> System:
    return name if isinstance(name, System) else system_named(name)


def train_trial(name: str | System, task: str, plan: Plan, trial: Trial) -> Classifier:
    """Train a system on a trial's training cells only (and on unlabelled test cells where the protocol says so)."""
    cells = plan.cohort.take(trial.train)
    if trial.labels_hidden:
        cells = _hide_labels(plan.cohort, trial.test, task)
    return _system(name).train(cells, task, trial.seed, ignore_progress)


def _extras(model: Classifier, task: str, x: Floats, test: Cohort, train: Cohort) -> dict[str, Any]:
    """Columns that only networks provide."""
    columns: dict[str, Any] = {}
    if isinstance(model, Predictor):
        species = test.column("species").tolist()
        sets = model.prediction_set(x, species, COVERAGE)
        columns["set_size"] = [len(chosen) for chosen in sets]
        columns["prediction_set"] = ["|".join(chosen) for chosen in sets]
        exact = model.prediction_set(x, species, COVERAGE, allow_empty=True)
        columns["exact_set_size"] = [len(chosen) for chosen in exact]
        columns["exact_set_right"] = [y in chosen for y, chosen in zip(test.column(task), exact, strict=True)]
        columns["typicality"] = model.typicality_of(x)
    if isinstance(model, LspinPredictor | HumanSubclassPredictor):
        columns["n_open"] = (model.gates(x) > 0).sum(1)
    if isinstance(model, DannPredictor) and train.frame["species"].nunique() > 1:
        columns["domain_right"] = domain_right(
            model.embed(train.matrix()), train.column("species"), model.embed(x), test.column("species")
        )
    return columns


def test_trial(model: Classifier, task: str, plan: Plan, trial: Trial) -> pd.DataFrame:
    """Predictions of a trained system on the trial's test cells, as each laboratory measures them."""
    test, train = plan.cohort.take(trial.test), plan.cohort.take(trial.train)
    species = test.column("species").tolist()
    frames = []
    for laboratory in trial.laboratories:
        x = laboratory.measure(test.matrix())
        probabilities = model.predict_proba(x, species)
        frame = test.frame[["id", "species", "donor"]].assign(
            repeat=trial.repeat, fold=trial.fold, laboratory=laboratory.name, truth=test.frame[task]
        )
        if trial.labels_hidden:
            frame["plain"] = [model.classes[k] for k in probabilities.argmax(1)]
            known = train.column(task)
            prior = np.array([(known == name).mean() for name in model.classes])
            probabilities, _ = adapt_to_proportions(probabilities, prior)
        frame["predicted"] = [model.classes[k] for k in probabilities.argmax(1)]
        for column, name in enumerate(model.classes):
            frame[f"p_{name}"] = probabilities[:, column]
        frames.append(frame.assign(**_extras(model, task, x, test, train)))
    return pd.concat(frames, ignore_index=True)


def _run(name: str | System, task: str, plan: Plan, trial: Trial) -> pd.DataFrame:
    import torch

    torch.set_num_threads(1)
    return test_trial(train_trial(name, task, plan, trial), task, plan, trial)


def _called(call: tuple[Callable[..., Result], Any, Any]) -> Result:
    function, args, options = call
    return function(*args, **options)


def in_parallel(
    calls: Sequence[tuple[Callable[..., Result], Any, Any]], jobs: int, stage: str, progress: ProgressCallback
) -> list[Result]:
    """Run joblib's delayed calls, `jobs` at a time or on the cluster of `working_on`, with progress; results in order.

    Inside `keep_results` those that are kept are not run again.
    """

    def lost() -> None:
        progress(Progress(stage, len(results), len(calls)))

    kept = Kept(stage)
    places = [kept.place(*call) for call in calls]
    results: dict[int, Result] = {}
    for number, place in enumerate(places):
        if place is not None and place.is_dir():
            with suppress(ModelFileError):
                results[number] = read_result(place)
    pending = [number for number in range(len(calls)) if number not in results]
    if results:
        progress(Progress(stage, len(results), len(calls)))
    for position, found in current_work(jobs).as_finished(_called, [calls[number] for number in pending], lost):
        number, result = pending[position], survived(found)
        results[number] = result
        place = places[number]
        if place is not None:
            write_result(place, result)
        progress(Progress(stage, len(results), len(calls)))
    return [results[number] for number in range(len(calls))]


def run_trials(
    name: str | System,
    task: str,
    plan: Plan,
    jobs: int = 2,
    progress: ProgressCallback = ignore_progress,
    stage: str = "trial",
) -> pd.DataFrame:
    """Train and test a system on every trial, `jobs` at a time; the result does not depend on `jobs`."""
    calls = [delayed(_run)(name, task, plan, trial) for trial in plan.trials]
    return pd.concat(in_parallel(calls, jobs, stage, progress), ignore_index=True)


def _by_species(values: "pd.Series[Any]", cells: pd.DataFrame) -> dict[str, float]:
    return {str(species): float(mean) for species, mean in values.groupby(cells["species"]).mean().items()}


def describe(name: str, task: str, protocol: Protocol, plan: Plan, predictions: pd.DataFrame) -> dict[str, Any]:
    """Metrics of predictions, as the command line prints them; for the cells as recorded where labs differ.

    Parameters
    ----------
    name, task : str
        The system, and what it learned.
    protocol : Protocol
        How it was tested.
    plan : Plan
        The protocol's cells and trials.
    predictions : DataFrame
        From `run_trials`.

    Returns
    -------
    dict
    """
    classes = TASK_CLASSES[task]
    main = predictions[predictions["laboratory"] == plan.trials[0].laboratories[0].name]
    result: dict[str, Any] = {
        "model": name,
        "task": task,
        "protocol": protocol.value,
        "n_cells": int(main["id"].nunique()),
        "n_donors": int(main["donor"].nunique()),
        "seeds": sorted({trial.seed for trial in plan.trials}),
        "metrics": summarise(main, classes),
        "groups": {str(species): summarise(rows, classes) for species, rows in main.groupby("species")},
        "calibration_error": expected_calibration_error(main, classes),
    }
    if "set_size" in main:
        pairs = zip(main["truth"], main["prediction_set"], strict=True)
        shown = pd.Series([truth in chosen.split("|") for truth, chosen in pairs], index=main.index)
        result["sets"] = {
            "coverage": COVERAGE,
            "observed": float(main["exact_set_right"].mean()),
            "observed_by_species": _by_species(main["exact_set_right"], main),
            "empty_by_species": _by_species(main["exact_set_size"] == 0, main),
            "shown": float(shown.mean()),
            "shown_by_species": _by_species(shown, main),
            "mean_size": float(main["set_size"].mean()),
        }
        result["false_alarms"] = {
            f"below {limit}": float((main["typicality"] < limit).mean()) for limit in (0.01, 0.05)
        }
    if "n_open" in main:
        result["open_gates"] = {"median": float(main["n_open"].median()), "of": 41}
    if "domain_right" in main:
        chance = float(main["species"].value_counts(normalize=True).max())
        result["domain"] = {"accuracy": float(main["domain_right"].mean()), "chance": chance}
    if "plain" in main:
        result["without_proportions"] = summarise(main.assign(predicted=main["plain"]), classes)
    if predictions["laboratory"].nunique() > 1:
        result["laboratories"] = laboratory_rows(predictions, classes)
    return result


def laboratory_rows(predictions: pd.DataFrame, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """Accuracy for each laboratory and species, with the number of cells and accuracy by class."""
    rows = []
    for (laboratory, species), part in predictions.groupby(["laboratory", "species"], sort=False):
        right = part["truth"] == part["predicted"]
        summary = summarise(part, classes)
        rows.append(
            {
                "laboratory": str(laboratory),
                "species": str(species),
                "n_cells": int(part["id"].nunique()),
                **summary["accuracy"],
                "macro_f1": summary["macro_f1"]["mean"],
                "classes": {str(k): float(v) for k, v in right.groupby(part["truth"]).mean().items()},
            }
        )
    return rows


def evaluate(
    name: str | System,
    protocol: Protocol,
    cohort: Cohort,
    *,
    task: str | None = None,
    repeats: int | None = None,
    jobs: int = 2,
    progress: ProgressCallback = ignore_progress,
) -> Evaluation:
    """Evaluate a system.

    Parameters
    ----------
    name : str or System
        One of the registry's systems by name, or another one.
    protocol : Protocol
        How cells are divided.
    cohort : Cohort
        All cells.
    task : str, optional
        ``broad`` or ``subclass``; by default the system's first.
    repeats : int, optional
        See `plan_protocol`.
    jobs : int
        Trials at once.
    progress : ProgressCallback
        Called after each trial.

    Returns
    -------
    Evaluation
    """
    system = _system(name)
    task = task or system.tasks[0]
    plan = plan_protocol(protocol, cohort, task, repeats)
    predictions = run_trials(name, task, plan, jobs, progress)
    return Evaluation(describe(system.name, task, protocol, plan, predictions), predictions)
