"""Features of thousands of recordings: in parallel, resumable, on one machine or a Dask cluster.

Each finished file is one line of a journal beside the table. A run that is killed picks up there: only
files that are not in the journal, or have changed since, are measured again.
"""

import hashlib
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass.classification.recording_report import ExtractionJob, Report, extract_file
from neuroclass.errors import NeuroClassError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.allen import default_cache, fetch_nwb

COLUMNS = (
    "path",
    "source",
    "cell",
    "species",
    "format",
    *FEATURE_NAMES,
    "missing",
    "qc",
    "warnings",
    "error",
    "message",
)
_FILES_PER_PROCESS = 200

Told = Callable[[int, int, int], None]


@dataclass(frozen=True)
class ExtractionItem:
    """One file, or one specimen of the Allen Cell Types Database.

    Attributes
    ----------
    path : str
        The file; for a specimen, empty.
    specimen : str
        The specimen's id; for a file, empty.
    keep : bool
        Whether a specimen's recording stays in the cache.
    """

    path: str = ""
    specimen: str = ""
    keep: bool = False

    @property
    def name(self) -> str:
        """What the table calls it."""
        return self.path or f"allen:{self.specimen}"

    def fingerprint(self) -> str:
        """Changes when the file does."""
        if not self.path:
            return self.specimen
        try:
            stat = Path(self.path).stat()
        except OSError:
            return "absent"
        return f"{stat.st_size}-{stat.st_mtime_ns}"


def measure_task(task: ExtractionItem, job: ExtractionJob) -> list[Report]:
    """Reports of one task: one a cell, or one with the error; never raises."""
    try:
        return extract_file(task.path, job) if task.path else _measure_specimen(task, job)
    except NeuroClassError as error:
        return [_refusal(task, error.kind, str(error))]
    except Exception as error:
        return [_refusal(task, type(error).__name__, str(error))]


def _refusal(task: ExtractionItem, kind: str, message: str) -> Report:
    return {"source": task.name, "error": {"type": kind, "message": message}}


def _measure_specimen(task: ExtractionItem, job: ExtractionJob) -> list[Report]:
    cache = default_cache()
    known = cache.nwb_path(task.specimen).is_file()
    path = fetch_nwb(cache, task.specimen)
    try:
        return extract_file(path, job)
    finally:
        if not (task.keep or known):
            path.unlink(missing_ok=True)


def _row(task: ExtractionItem, report: Report) -> dict[str, Any]:
    """A row of the table."""
    features = report.get("features", {})
    error = report.get("error", {})
    return {
        "path": task.name,
        "source": report["source"],
        "cell": report.get("cell"),
        "species": report.get("species"),
        "format": report.get("format"),
        **{name: features.get(name) for name in FEATURE_NAMES},
        "missing": json.dumps(report.get("missing", {})),
        "qc": json.dumps(report.get("qc", [])),
        "warnings": json.dumps(report.get("warnings", [])),
        "error": error.get("type"),
        "message": error.get("message"),
    }


def extract_many(
    tasks: Sequence[ExtractionItem],
    job: ExtractionJob,
    out: Path,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    told: Told = lambda _done, _of, _refused: None,
) -> list[Report]:
    """Measure tasks and write their table.

    Parameters
    ----------
    tasks : sequence of ExtractionItem
        What to measure.
    job : ExtractionJob
        How.
    out : Path
        Parquet file; its journal lies beside it.
    jobs : int
        Processes on this machine.
    scheduler : str, optional
        Address of a Dask scheduler, which then does the work.
    told : callable
        Told how many tasks are done, of how many, and how many were refused.

    Returns
    -------
    list of dict
        The reports that the table's rows are made of, in the tasks' order.
    """
    journal = Journal(out.with_name(out.name + ".journal"), job)
    done = journal.read()
    todo = [task for task in tasks if journal.key(task) not in done]
    refused = sum(_is_refused(done[key]) for key in map(journal.key, tasks) if key in done)
    told(len(tasks) - len(todo), len(tasks), refused)
    finished = len(tasks) - len(todo)
    if todo:
        with journal:
            for task, reports in _measure_all(todo, job, jobs, scheduler):
                done[journal.write(task, reports)] = reports
                finished += 1
                refused += _is_refused(reports)
                told(finished, len(tasks), refused)
    pairs = [(task, report) for task in tasks for report in done[journal.key(task)]]
    _write_table([_row(task, report) for task, report in pairs], out)
    return [report for _, report in pairs]


def _write_table(rows: list[dict[str, Any]], out: Path) -> None:
    """Write rows in order of path and cell, all or nothing."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table[list(FEATURE_NAMES)] = table[list(FEATURE_NAMES)].astype(float)
    part = out.with_name(out.name + ".part")
    table.sort_values(["path", "cell"], kind="stable", ignore_index=True).to_parquet(part, index=False)
    part.replace(out)


def _is_refused(reports: list[Report]) -> bool:
    return any("error" in report for report in reports)


class Journal:
    """Finished tasks, a line of JSON each; a line that a kill cut short is ignored."""

    def __init__(self, path: Path, job: ExtractionJob) -> None:
        self.path = path
        text = json.dumps({**asdict(job), "entered": dict(job.entered)}, sort_keys=True)
        self._job = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._file: Any = None

    def key(self, task: ExtractionItem) -> str:
        """What identifies a finished task: its name, its content's fingerprint and how it was treated."""
        return f"{self._job}|{task.name}|{task.fingerprint()}"

    def read(self) -> dict[str, list[Report]]:
        """Reports of finished tasks by key."""
        done: dict[str, list[Report]] = {}
        if self.path.is_file():
            for line in self.path.read_bytes().splitlines():
                try:
                    entry = json.loads(line)
                    done[entry["key"]] = entry["reports"]
                except (ValueError, KeyError, TypeError):
                    continue
        return done

    def write(self, task: ExtractionItem, reports: list[Report]) -> str:
        """Add a finished task; returns its key."""
        key = self.key(task)
        self._file.write(json.dumps({"key": key, "reports": reports}).encode() + b"\n")
        self._file.flush()
        return key

    def __enter__(self) -> "Journal":
        """Open for appending, after the end of any line that was cut short."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = not self.path.is_file() or self.path.read_bytes()[-1:] in (b"\n", b"")
        self._file = self.path.open("ab")
        if not whole:
            self._file.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self._file.close()


def _measure_all(
    tasks: Sequence[ExtractionItem], job: ExtractionJob, jobs: int, scheduler: str | None
) -> Iterable[tuple[ExtractionItem, list[Report]]]:
    if scheduler:
        return _on_dask(tasks, job, scheduler)
    if jobs > 1:
        return _in_processes(tasks, job, jobs)
    return ((task, measure_task(task, job)) for task in tasks)


def _in_processes(
    tasks: Sequence[ExtractionItem], job: ExtractionJob, jobs: int
) -> Iterator[tuple[ExtractionItem, list[Report]]]:
    """Measure in processes; a task whose process dies is tried once more alone, then recorded as refused."""
    suspects: list[ExtractionItem] = []
    remaining = list(tasks)
    while remaining:
        try:
            for task, reports in _one_pool(remaining, job, jobs):
                remaining.remove(task)
                yield task, reports
        except BrokenProcessPool:
            suspects = remaining[: 2 * jobs]
            remaining = remaining[2 * jobs :]
            for task in suspects:
                try:
                    yield from _one_pool([task], job, 1)
                except BrokenProcessPool:
                    yield task, [_refusal(task, "RecordingError", "The process that measured it died.")]


def _one_pool(
    tasks: Sequence[ExtractionItem], job: ExtractionJob, jobs: int
) -> Iterator[tuple[ExtractionItem, list[Report]]]:
    """Yield results as they come, with two tasks a process under way so that memory stays bounded."""
    context = multiprocessing.get_context("spawn")
    waiting = iter(tasks)
    with ProcessPoolExecutor(jobs, context, initializer=_begin_process, max_tasks_per_child=_FILES_PER_PROCESS) as pool:
        running: dict[Future[list[Report]], ExtractionItem] = {}
        while True:
            while len(running) < 2 * jobs and (task := next(waiting, None)) is not None:
                running[pool.submit(measure_task, task, job)] = task
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()


def _begin_process() -> None:
    """Compute on one thread, and end with the parent even if that is killed."""
    os.environ["OMP_NUM_THREADS"] = "1"
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _on_dask(
    tasks: Sequence[ExtractionItem], job: ExtractionJob, address: str
) -> Iterator[tuple[ExtractionItem, list[Report]]]:
    from distributed import Client, as_completed

    with Client(address, set_as_default=False) as client:
        width = 2 * max(1, sum(client.nthreads().values()))
        waiting = iter(tasks)
        first = list(islice(waiting, width))
        running = {client.submit(measure_task, task, job, pure=False): task for task in first}
        results = as_completed(running, loop=client.loop)
        for future in results:
            yield running.pop(future), future.result()
            following = next(waiting, None)
            if following is not None:
                later = client.submit(measure_task, following, job, pure=False)
                running[later] = following
                results.add(later)


class ProgressBar:
    """Progress on one line of a terminal, or a line every ten seconds elsewhere."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.first: int | None = None
        self.last = 0.0

    def __call__(self, done: int, total: int, refused: int) -> None:
        """Tell how far the work is."""
        now = time.monotonic()
        if self.first is None:
            self.first, self.started = done, now
        here = sys.stderr.isatty()
        if done < total and now - self.last < (0.2 if here else 10.0):
            return
        self.last = now
        speed = (done - self.first) / max(now - self.started, 1e-9)
        left = f", {(total - done) / speed:,.0f} s left" if speed > 0 and done < total else ""
        filled = round(30 * done / max(total, 1))
        text = f"[{'#' * filled}{'.' * (30 - filled)}] {done:,} of {total:,} files, {refused:,} refused{left}"
        sys.stderr.write(f"\r{text}\x1b[K" if here else f"{text}\n")
        if here and done == total:
            sys.stderr.write("\n")
        sys.stderr.flush()
