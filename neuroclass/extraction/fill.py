"""Thousands of files into a dataset: what is there already is passed over, the rest is handed out and added."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from neuroclass.extraction.dataset import FAILED, Dataset, Row
from neuroclass.extraction.items import ExtractionItem, failure
from neuroclass.extraction.table import table_row
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress
from neuroclass.work.base import Died, Work

ROWS_A_PART = 1000
"""A part is written once it has so many rows."""
PART_S = 30.0
"""… or after so long, s; a killed run loses no more."""


def fill_dataset(
    items: Sequence[ExtractionItem],
    rows_of: Callable[[ExtractionItem], list[Row]],
    dataset: Dataset,
    work: Work,
    *,
    retry_failed: bool = False,
    rows_a_part: int = ROWS_A_PART,
    progress: ProgressCallback = ignore_progress,
) -> dict[str, Any]:
    """Add the rows of items to a dataset.

    Parameters
    ----------
    items : sequence of ExtractionItem
        Files; those of which the dataset has rows, and which have not changed since, are passed over.
    rows_of : callable
        Item → its rows, those with an ``error`` for what was refused; it never raises.
    dataset : Dataset
        Open.
    work : Work
        Where.
    retry_failed : bool
        Whether files that failed before are tried again.
    rows_a_part : int
        Rows of a part; the last ones are smaller.
    progress : ProgressCallback
        Called with the number of items done and, in ``refused``, of those that failed.

    Returns
    -------
    dict
        See `Dataset.summary`.

    Raises
    ------
    WorkError
        If the place where work runs is lost; what is finished is in the dataset.
    """
    stamps = {item.name: item.fingerprint() for item in items}
    failed = {path for path, _ in dataset.keys(FAILED)} if retry_failed else set()
    dataset.forget(lambda key: key[0] in stamps and (key[1] != stamps[key[0]] or key[0] in failed))
    done, refused = dataset.keys(), {path for path, _ in dataset.keys(FAILED)} & stamps.keys()
    todo = [item for item in items if (item.name, stamps[item.name]) not in done]
    part = _Part(dataset, rows_a_part)
    finished, n_refused = len(items) - len(todo), len(refused)
    progress(Progress("extract", finished, len(items), {"refused": n_refused}))
    try:
        for number, found in work.as_finished(rows_of, todo):
            item = todo[number]
            rows = _died(item, found) if isinstance(found, Died) else found or _nothing(item)
            finished += 1
            n_refused += any(row.get("error") for row in rows)
            part.add([{**row, "path": item.name, "stamp": stamps[item.name]} for row in rows])
            progress(Progress("extract", finished, len(items), {"refused": n_refused}))
    finally:
        part.write()
    return dataset.summary()


class _Part:
    """Rows that will be written together."""

    def __init__(self, dataset: Dataset, most: int) -> None:
        self._dataset, self._most = dataset, most
        self._rows: list[Row] = []
        self._since = time.monotonic()

    def add(self, rows: list[Row]) -> None:
        self._rows += rows
        if len(self._rows) >= self._most or time.monotonic() - self._since > PART_S:
            self.write()

    def write(self) -> None:
        if self._rows:
            self._dataset.add(self._rows)
        self._rows, self._since = [], time.monotonic()


def _died(item: ExtractionItem, died: Died) -> list[Row]:
    return [table_row(item.name, failure(item, "WorkError", died.message))]


def _nothing(item: ExtractionItem) -> list[Row]:
    return [table_row(item.name, failure(item, "RecordingError", "It holds no cell; expected at least one."))]
