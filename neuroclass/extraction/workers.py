"""Measure many items at once: in processes on this machine, or on a Dask cluster."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Any

from neuroclass.extraction.items import ExtractionItem, ExtractionJob, failure, measure_item
from neuroclass.extraction.table import Report

_FILES_PER_PROCESS = 200


def measure_all(
    items: Sequence[ExtractionItem], job: ExtractionJob, jobs: int, scheduler: str | None
) -> Iterator[tuple[ExtractionItem, list[Report]]]:
    """Measure items here, in processes or on a Dask cluster, and yield each with its reports as it is finished."""
    if scheduler:
        return _on_dask(items, job, scheduler)
    if jobs > 1:
        return _in_processes(items, job, jobs)
    return ((item, measure_item(item, job)) for item in items)


def _in_processes(
    items: Sequence[ExtractionItem], job: ExtractionJob, jobs: int
) -> Iterator[tuple[ExtractionItem, list[Report]]]:
    """Measure in processes; an item whose process dies is tried once more alone, then recorded as refused."""
    suspects: list[ExtractionItem] = []
    remaining = list(items)
    while remaining:
        try:
            for item, reports in _one_pool(remaining, job, jobs):
                remaining.remove(item)
                yield item, reports
        except BrokenProcessPool:
            suspects = remaining[: 2 * jobs]
            remaining = remaining[2 * jobs :]
            for item in suspects:
                try:
                    yield from _one_pool([item], job, 1)
                except BrokenProcessPool:
                    yield item, [failure(item, "RecordingError", "The process that measured it died.")]


def _one_pool(
    items: Sequence[ExtractionItem], job: ExtractionJob, jobs: int
) -> Iterator[tuple[ExtractionItem, list[Report]]]:
    """Yield results as they come, with two items per process under way so that memory stays bounded."""
    context = multiprocessing.get_context("spawn")
    waiting = iter(items)
    with ProcessPoolExecutor(jobs, context, initializer=_begin_process, max_tasks_per_child=_FILES_PER_PROCESS) as pool:
        running: dict[Future[list[Report]], ExtractionItem] = {}
        while True:
            while len(running) < 2 * jobs and (item := next(waiting, None)) is not None:
                running[pool.submit(measure_item, item, job)] = item
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
    items: Sequence[ExtractionItem], job: ExtractionJob, address: str
) -> Iterator[tuple[ExtractionItem, list[Report]]]:
    from distributed import Client, as_completed

    with Client(address, set_as_default=False) as client:
        width = 2 * max(1, sum(client.nthreads().values()))
        waiting = iter(items)
        first = list(islice(waiting, width))
        running = {client.submit(measure_item, item, job, pure=False): item for item in first}
        results = as_completed(running, loop=client.loop)
        for future in results:
            yield running.pop(future), future.result()
            following = next(waiting, None)
            if following is not None:
                later = client.submit(measure_item, following, job, pure=False)
                running[later] = following
                results.add(later)
