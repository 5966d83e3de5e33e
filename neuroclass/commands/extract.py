"""``extract``: recordings to features."""

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from neuroclass.commands.arguments import (
    REFUSED,
    REFUSED_HELP,
    add_dataset,
    add_inputs,
    add_json,
    add_work,
    metadata_of,
    sweep_lines,
)
from neuroclass.commands.datasets import absolute, fill, is_dataset, resumable
from neuroclass.errors import SettingsError


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "extract",
        help="measure the 41 features of recordings",
        description=f"Measure the 41 features of recordings, as classify does. {REFUSED_HELP}",
    )
    add_inputs(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR",
        help="write a Parquet dataset, the cells in DIR/cells and what failed in DIR/failed, or a single table where "
        "the name ends in .parquet; a run that was cut off resumes",
    )  # fmt: skip
    add_work(parser, 1)
    add_dataset(parser)
    parser.add_argument(
        "--allen",
        nargs="*",
        metavar="ID",
        help="cells of the Allen Cell Types Database, all without an ID; needs --out",
    )
    parser.add_argument("--keep", action="store_true", help="keep the recordings that --allen downloads")
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Extract features; returns 3 if a file was rejected."""
    from neuroclass.classification.inputs import RECORDING_SUFFIXES, find_files, parse_groups
    from neuroclass.extraction.items import ExtractionItem, ExtractionJob, measure_item
    from neuroclass.extraction.progress_bar import ProgressBar
    from neuroclass.extraction.run import extract_many

    job = ExtractionJob(metadata_of(args))
    place = str if args.out is None else absolute
    items = [ExtractionItem((place(path),)) for path in find_files(args.paths, RECORDING_SUFFIXES)]
    items += [ExtractionItem(tuple(map(place, files)), cell) for cell, files in parse_groups(args.group).items()]
    if args.allen is not None:
        items += [ExtractionItem(specimen=specimen, keep=args.keep) for specimen in args.allen or _all_specimens()]
    _check(args, len(items))
    if args.out and is_dataset(args.out):
        from neuroclass.extraction.dataset import Dataset
        from neuroclass.extraction.items import feature_rows
        from neuroclass.extraction.table import DATASET_COLUMNS

        facts = {"what": "features", **job.facts()}
        return fill(args, items, partial(feature_rows, job=job), Dataset(args.out, DATASET_COLUMNS, facts))
    if args.out:
        with resumable():
            reports = extract_many(
                items, job, args.out, jobs=args.jobs, scheduler=args.scheduler, progress=ProgressBar()
            )
    else:
        reports = [report for item in items for report in measure_item(item, job)]
    if args.json:
        json.dump(reports, sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    elif args.out:
        print(f"{args.out}: {len(reports)} rows, {sum('error' in r for r in reports)} refused")
    else:
        print("\n".join(map(_line, reports)))
    return REFUSED if any("error" in report for report in reports) else 0


def _check(args: argparse.Namespace, n_items: int) -> None:
    if not n_items:
        raise SettingsError("There is nothing to extract; give recordings, folders that hold some, or --allen.")
    if args.out is None and (args.scheduler or args.jobs > 1 or args.allen is not None):
        raise SettingsError("--workers, --scheduler and --allen write a table: say where with --out DIR.")
    if args.retry_failed and (args.out is None or not is_dataset(args.out)):
        raise SettingsError("--retry-failed is about a dataset: name its folder with --out DIR.")


def _all_specimens() -> list[str]:
    """Every cell of the database that has features."""
    from neuroclass.io.allen import default_cache, fetch_tables

    cache = default_cache()
    rows = cache.rows() if cache.has_tables else fetch_tables(cache)
    return [str(specimen) for specimen in rows["id"]]


def _line(report: dict[str, Any]) -> str:
    if "error" in report:
        return f"{report['source']}: {report['error']['type']}: {report['error']['message']}"
    known = {k: v for k, v in report["features"].items() if v is not None}
    values = ", ".join(f"{name} {value:.4g}" for name, value in known.items())
    lines = [f"{report['source']} ({report['cell']}): {len(known)} of 41 features: {values}"]
    return "\n".join([*lines, *(f"  {line}" for line in sweep_lines(report["sweeps"]))])
