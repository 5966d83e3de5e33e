"""A dataset as the output of `extract` and `classify`."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclass.commands.arguments import REFUSED
from neuroclass.errors import WorkError

if TYPE_CHECKING:
    from neuroclass.extraction.dataset import Dataset
    from neuroclass.extraction.items import ExtractionItem

_TABLE_SUFFIXES = (".parquet", ".pq")


def is_dataset(out: Path) -> bool:
    """Whether an output is a folder: it is one already, or its name does not end as a table's."""
    return out.is_dir() or not (out.is_file() or out.suffix.lower() in _TABLE_SUFFIXES)


def absolute(path: Path) -> str:
    """A path that means the same wherever the command is repeated, and on workers."""
    return str(path.absolute())


@contextmanager
def resumable() -> Iterator[None]:
    """Say how to go on where the place is lost that did the work."""
    try:
        yield
    except WorkError as error:
        raise WorkError(f"{error} Then repeat the command: what is finished is kept.") from error


def fill(
    args: argparse.Namespace,
    items: "Sequence[ExtractionItem]",
    rows_of: "Callable[[ExtractionItem], list[dict[str, Any]]]",
    dataset: "Dataset",
) -> int:
    """Add the rows of items to a dataset and print what is in it; returns 3 if a file failed."""
    from neuroclass.extraction.fill import fill_dataset
    from neuroclass.extraction.progress_bar import ProgressBar
    from neuroclass.work.current import place

    with resumable(), dataset, place(args.jobs, args.scheduler) as work:
        summary = fill_dataset(items, rows_of, dataset, work, retry_failed=args.retry_failed, progress=ProgressBar())
    print(json.dumps(summary) if args.json else _in_words(summary))
    return REFUSED if summary["failed"] else 0


def _in_words(summary: dict[str, Any]) -> str:
    folder, failed = summary["folder"], summary["failed"]
    text = f"{folder}/cells: {summary['n_cells']:,} cells"
    if failed:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in failed.items())
        text += f"\n{folder}/failed: {sum(failed.values()):,} refused, with the reasons: {kinds}"
    return text
