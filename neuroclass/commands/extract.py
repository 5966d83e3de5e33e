"""``extract``: recordings to features."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from neuroclass.commands.arguments import REFUSED, REFUSED_HELP, add_inputs, add_json, metadata_of, sweep_lines
from neuroclass.errors import SettingsError


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "extract",
        help="measure the 41 features of recordings",
        description=f"Measure the 41 features of recordings, as classify does. {REFUSED_HELP}",
    )
    add_inputs(parser)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a Parquet table; a run that was killed resumes")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes on this machine (default: 1)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler that does the work, such as tcp://host:8786"
    )
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
    items = [ExtractionItem((str(path),)) for path in find_files(args.paths, RECORDING_SUFFIXES)]
    items += [ExtractionItem(tuple(map(str, files)), cell) for cell, files in parse_groups(args.group).items()]
    if args.allen is not None:
        items += [ExtractionItem(specimen=specimen, keep=args.keep) for specimen in args.allen or _all_specimens()]
    _check(args, len(items))
    if args.out:
        reports = extract_many(items, job, args.out, jobs=args.jobs, scheduler=args.scheduler, progress=ProgressBar())
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
    if args.jobs < 1:
        raise SettingsError(f"--jobs {args.jobs}: expected 1 or more.")
    if args.out is None and (args.scheduler or args.jobs > 1 or args.allen is not None):
        raise SettingsError("--jobs, --scheduler and --allen write a table: say where with --out FILE.")


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
