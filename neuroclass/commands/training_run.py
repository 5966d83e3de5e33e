"""Carry out a training run from its folder: train, judge, report, and leave every result where it can be found."""

import contextlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.errors import SettingsError, TrainingPaused
from neuroclass.io.atomic import write_atomically
from neuroclass.training import runs
from neuroclass.training.processes import start_time
from neuroclass.training.runs import Cells, RunConfig, mark, read_config, read_json, write_json
from neuroclass.training.settings import with_values
from neuroclass.types.models import MODELS
from neuroclass.types.progress import EPOCH, Progress, duration

if TYPE_CHECKING:
    from neuroclass.training.tracking import Tracker
    from neuroclass.training.train import TrainedModel

KEPT = "parts"
"""Folder, in a run's, of the finished parts of an evaluation."""


class StatusFile:
    """Progress as JSON files that are replaced as a whole, and as lines on standard error.

    Parameters
    ----------
    path : Path or None
        The status; it also keeps the history of epochs.
    model : str
        What is trained.
    run : Path or None
        Folder of the run, for its status and history.
    """

    def __init__(self, path: Path | None, model: str, run: Path | None = None) -> None:
        self.path, self.model, self.run = path, model, run
        self.history: list[dict[str, Any]] = []
        self.start = time.monotonic()
        earlier = read_json(run / runs.STATUS).get("seconds") if run else None
        self.before = float(earlier) if isinstance(earlier, int | float) else 0.0
        self._stage, self._stage_start, self._first = "", self.start, 0

    def __call__(self, progress: Progress) -> None:
        """Note an epoch's quantities, or how far a later stage is."""
        shown = f"{self.model}: {progress.stage} {progress.done} of {progress.total}"
        entry: dict[str, Any] = {"epoch": progress.done, "of": progress.total}
        left = self._left(progress)
        if left is not None:
            entry["left_s"] = round(left, 1)
        if progress.stage == EPOCH:
            values = {name: round(value, 5) for name, value in progress.values.items()}
            self.history.append({"epoch": progress.done, "of": progress.total, **values})
            entry |= values
            shown += ": " + ", ".join(f"{name} {value:.4f}" for name, value in progress.values.items())
        self._write({"phase": progress.stage, **entry})
        print(shown, file=sys.stderr)

    def _left(self, progress: Progress) -> float | None:
        """Time to the stage's end at the rate since it began here, s; None before its second report."""
        now = time.monotonic()
        if progress.stage != self._stage:
            self._stage, self._stage_start, self._first = progress.stage, now, progress.done
        done = progress.done - self._first
        if not done or progress.total is None:
            return None
        return (now - self._stage_start) / done * (progress.total - progress.done)

    def seconds(self) -> float:
        """How long the run has been at work, s, over all its processes."""
        return round(self.before + time.monotonic() - self.start, 1)

    def _write(self, status: dict[str, Any]) -> None:
        status = {"model": self.model, "seconds": self.seconds(), **status}
        if self.run is not None:
            write_json(self.run / runs.HISTORY, {"epochs": self.history})
            write_json(self.run / runs.STATUS, status)
        if self.path is not None:
            write_atomically(self.path, json.dumps({**status, "history": self.history}).encode())


class _Stop:
    """Whether someone asked the process to end: a signal, or the run's own mark."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take the first interrupt or termination as a request to pause; a second one ends the process."""
        kinds = (signal.SIGINT, signal.SIGTERM)
        try:
            before = {kind: signal.getsignal(kind) for kind in kinds}
            for kind in kinds:
                signal.signal(kind, self._handle)
        except ValueError:  # not the main thread, where nobody sends signals
            yield
            return
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    def _handle(self, kind: int, _: object) -> None:
        if self.asked:
            os._exit(128 + kind)
        self.asked = True


def execute(folder: Path, status: Path | None = None, scheduler: str | None = None, mlflow: str = "") -> dict[str, Any]:
    """Carry out a run, or continue it.

    Parameters
    ----------
    folder : Path
        The run's.
    status : Path, optional
        A further file to keep up to date with progress.
    scheduler : str, optional
        Dask scheduler that evaluates, in place of the one that the run was asked to use.
    mlflow : str
        Likewise the MLflow server that gets the run.

    Returns
    -------
    dict
        What result.json holds: model, classes, training cells, seeds, checksum, folder, validation and metrics.

    Raises
    ------
    SettingsError
        If the run is under way elsewhere, is done, or its cells are no longer those it began with.
    WorkError
        If the cluster cannot be used or is lost.
    TrackingError
        If the MLflow server cannot be used.
    TrainingPaused
        If it was asked to pause.
    """
    import torch  # noqa: F401 (loaded before `one_thread`, which sets what is loaded)

    from neuroclass.training.tracking import tracked
    from neuroclass.work.current import working_on
    from neuroclass.work.threads import one_thread

    config = read_config(folder)
    if read_json(folder / runs.RESULT):
        raise SettingsError(f"{folder.name} is done; its model is in {folder / runs.MODEL}. Start a new run.")
    lock, stop = runs.lock_run(folder), _Stop()
    mark(folder, remove=(runs.QUEUED, runs.FAILED))
    runs.claim(folder, start_time(os.getpid()))
    try:
        with (
            stop.listening(),
            one_thread(),
            working_on(scheduler or config.scheduler, config.jobs),
            tracked(mlflow or config.mlflow, config, folder) as tracker,
        ):
            answer = _carried_out(config, folder, StatusFile(status, config.system, folder), stop, tracker)
            tracker.finish(answer)
            return answer
    except TrainingPaused:
        mark(folder, add=runs.PAUSED)
        raise
    except BaseException as error:
        if stop():  # whoever asked the process to end has ended its workers too
            mark(folder, add=runs.PAUSED)
            raise TrainingPaused("Paused; parts under way begin anew.") from error
        mark(folder, add=runs.FAILED)
        raise
    finally:
        runs.release(folder)
        lock.release()


def _carried_out(
    config: RunConfig, folder: Path, status: StatusFile, stop: _Stop, tracker: "Tracker"
) -> dict[str, Any]:
    from neuroclass.evaluation.kept import keep_results
    from neuroclass.training.train import train_model
    from neuroclass.training.watch import Watch

    def note(progress: Progress) -> None:
        status(progress)
        tracker.note(progress)
        if stop() and progress.stage != EPOCH:
            raise TrainingPaused(f"Paused at {progress.stage} {progress.done} of {progress.total}.")

    loaded, own = _loaded(config, folder), _own(config, folder)
    if config.search is not None:
        return _searched(config, folder, loaded, note)
    cells, how = _training_cells(config, loaded, own)
    _check_environment(folder, cells)
    tracker.begin(read_json(folder / runs.ENVIRONMENT))
    watch = Watch(folder / runs.STATE, runs.fingerprint(config, cells), stop=stop, snapshots=folder / runs.SNAPSHOTS)
    settings = with_values(config.system, config.settings)
    if config.report:
        from neuroclass.commands.estimates import say_report

        say_report(config, folder, cells)
    card = {"name": config.name, **how} if config.name else how
    trained = train_model(
        config.system, cells, settings, folder / runs.MODEL, note, validation=config.validation, watch=watch, card=card
    )
    metrics: dict[str, Any] = {"training_s": read_json(folder / runs.METRICS).get("training_s") or status.seconds()}
    if "validation" in trained.card:
        metrics["validation"] = trained.card["validation"]
    write_json(folder / runs.METRICS, metrics)
    with keep_results(folder / KEPT):
        final = _evaluated(config, trained, loaded, own, metrics, note)
    write_json(folder / runs.METRICS, metrics)
    if config.out:
        shutil.copytree(folder / runs.MODEL / config.system, Path(config.out) / config.system, dirs_exist_ok=True)
    answer = {key: final[key] for key in ("model", "classes", "training_cells", "seeds", "weights_sha256")}
    place = Path(config.out) if config.out else folder / runs.MODEL
    answer |= {"run": folder.name, "name": config.name, "folder": str(place / config.system)}
    answer |= {"metrics": final.get("metrics"), **metrics}
    write_json(folder / runs.RESULT, answer)
    (folder / runs.STATE).unlink(missing_ok=True)
    shutil.rmtree(folder / KEPT, ignore_errors=True)
    return answer


def _searched(config: RunConfig, folder: Path, cells: Cohort, note: Any) -> dict[str, Any]:
    """Search for settings instead."""
    from neuroclass.commands.search_run import search_in_folder
    from neuroclass.evaluation.kept import keep_results

    _check_environment(folder, cells)
    with keep_results(folder / KEPT):
        answer = search_in_folder(config, folder, cells, note)
    write_json(folder / runs.RESULT, answer)
    shutil.rmtree(folder / KEPT, ignore_errors=True)
    return answer


def _evaluated(
    config: RunConfig,
    trained: "TrainedModel",
    loaded: Cohort,
    own: Cohort | None,
    metrics: dict[str, Any],
    note: Any,
) -> Mapping[str, Any]:
    """What was asked for after training; the card as it is then."""
    settings = with_values(config.system, config.settings)
    if config.compare and own is not None:
        from neuroclass.evaluation.own_cells import held_out_gain

        metrics["own"] = held_out_gain(config.system, settings, loaded, own, config.jobs, note)
    if config.protocol:
        from neuroclass.evaluation.evaluate import evaluate
        from neuroclass.evaluation.names import Protocol
        from neuroclass.training.registry import System, network

        spec, protocol = MODELS[config.system], Protocol(config.protocol)
        system = System(spec.name, (spec.task,), network(spec, settings))
        found = evaluate(system, protocol, loaded, repeats=config.repeats, jobs=config.jobs, progress=note)
        metrics["protocol"] = found.result
    if not config.report:
        return trained.card
    from neuroclass.reports.build import write_report
    from neuroclass.reports.estimate import report_seconds

    left = report_seconds(config.system, config.baselines, metrics["training_s"], config.jobs)
    print(f"{config.system}: report: about {duration(left)} with {config.jobs} processes", file=sys.stderr)
    return write_report(trained, loaded, config.jobs, config.baselines, note)


def _loaded(config: RunConfig, folder: Path) -> Cohort:
    data = Path(config.data) if config.data else None
    if data is not None and not data.exists():
        raise SettingsError(f"{folder.name} trains on the cells in {data}, which is gone. Put it back, and resume.")
    return load_cohort(data)


def _own(config: RunConfig, folder: Path) -> Cohort | None:
    """The user's labelled table, of whose name the cells' and donors' names speak."""
    if not config.own:
        return None
    from neuroclass.adaptation.labelled_table import read_labelled
    from neuroclass.training.own_cells import as_laboratory

    table = read_labelled((folder / runs.OWN).read_bytes(), config.own)
    for line in table.notes:
        print(line, file=sys.stderr)
    return as_laboratory(table.cells, Path(config.own).stem)


def _training_cells(config: RunConfig, loaded: Cohort, own: Cohort | None) -> tuple[Cohort, dict[str, Any]]:
    """The cells that train, and what the card says of how they were put together."""
    if own is None or config.cells is Cells.LOADED:
        return loaded, {}
    from neuroclass.training.own_cells import joined, laboratory_offset

    task = MODELS[config.system].task
    how: dict[str, Any] = {"laboratory": own.source, "n_cells": len(own.labelled(task)), "cells": config.cells.value}
    if config.cells is Cells.OWN:
        return own, {"own_cells": how}
    if config.align:
        offset = laboratory_offset(loaded, own, task)
        own = offset.undone(own)
        how["aligned"] = {
            "over": list(offset.classes),
            "offset": [round(float(value), 6) for value in offset.values],
            "of": "features after taking logarithms where a feature calls for it; taken off the laboratory's cells "
            "before training, not when the model classifies",
        }
    how["domain"] = config.system == "dann"
    return joined(loaded, own), {"own_cells": how}


def _check_environment(folder: Path, cells: Cohort) -> None:
    """Note versions and cells once; refuse to continue on other cells."""
    now = runs.environment(cells)
    before = read_json(folder / runs.ENVIRONMENT)
    if not before:
        write_json(folder / runs.ENVIRONMENT, now)
        return
    if before.get("cells", {}).get("sha256") != now["cells"]["sha256"]:
        raise SettingsError(
            f"{folder.name} began with other cells ({before.get('cells', {}).get('n_cells')} from "
            f"{before.get('cells', {}).get('source')}) than are loaded now ({len(cells)} from {cells.source}). Load "
            "those again, or start a new run."
        )
    if before.get("versions") != now["versions"]:
        write_json(folder / runs.ENVIRONMENT, {**now, "began_with": before})
