"""Features of thousands of recordings: in parallel, resumable, on one machine or a Dask cluster.

Each finished item is one line of a journal beside the table. A run that is killed picks up there: only
files that are not in the journal, or have changed since, are measured again.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from neuroclass.extraction.items import ExtractionItem, ExtractionJob, failure, measure_item
from neuroclass.extraction.journal import Journal
from neuroclass.extraction.table import Report, is_rejected, table_row, write_table
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress
from neuroclass.work.base import Died
from neuroclass.work.current import place


def extract_many(
    items: Sequence[ExtractionItem],
    job: ExtractionJob,
    out: Path,
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    progress: ProgressCallback = ignore_progress,
) -> list[Report]:
    """Measure items and write their table.

    Parameters
    ----------
    items : sequence of ExtractionItem
        What to measure.
    job : ExtractionJob
        How.
    out : Path
        Parquet file; its journal lies beside it.
    jobs : int
        Processes on this machine.
    scheduler : str, optional
        Address of a Dask scheduler, which then does the work, or ``local``.
    progress : callable
        Called with the number of items done and, in ``refused``, of those that were rejected.

    Returns
    -------
    list of dict
        The reports that the table's rows are made from, in the items' order.

    Raises
    ------
    WorkError
        If the cluster cannot be used or is lost; what is finished is in the journal.
    """
    journal = Journal(out.with_name(out.name + ".journal"), job)
    done = journal.read()
    todo = [item for item in items if journal.key(item) not in done]
    finished = len(items) - len(todo)
    refused = sum(is_rejected(done[key]) for key in map(journal.key, items) if key in done)
    progress(Progress("extract", finished, len(items), {"refused": refused}))
    if todo:
        with journal, place(jobs, scheduler) as work:
            for number, found in work.as_finished(partial(measure_item, job=job), todo):
                item = todo[number]
                reports = [failure(item, "WorkError", found.message)] if isinstance(found, Died) else found
                done[journal.write(item, reports)] = reports
                finished += 1
                refused += is_rejected(reports)
                progress(Progress("extract", finished, len(items), {"refused": refused}))
    pairs = [(item, report) for item in items for report in done[journal.key(item)]]
    write_table([table_row(item.name, report) for item, report in pairs], out)
    return [report for _, report in pairs]
