"""Fetch tables and recordings of the Allen Cell Types Database, or recordings of the DANDI archive."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from neuroclass.commands import fetch_dandi
from neuroclass.commands.arguments import REFUSED_HELP, add_json
from neuroclass.config import allen_settings
from neuroclass.io.allen import AllenCache, default_cache, fetch_nwb, fetch_tables
from neuroclass.io.fetching import GIGABYTE, cache_limit
from neuroclass.types.progress import Progress

REPORT_BYTES = 5_000_000


def add_parser(subparsers: Any) -> None:
    """Add the command's arguments."""
    parser = subparsers.add_parser(
        "fetch",
        help="fetch cells or recordings of the Allen Cell Types Database or the DANDI archive",
        description=f"{__doc__} {REFUSED_HELP}",
    )
    parser.add_argument("--cells", action="store_true", help="the cell list and feature table (default without --nwb)")
    parser.add_argument(
        "--nwb", nargs="+", metavar="ID", default=[], help="recordings of these specimens, 20–300 MB each"
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where to (default: the user's cache folder)")
    parser.add_argument(
        "--url", help="address of the API or a mirror (default: NEUROCLASS_ALLEN_URL, else the database)"
    )
    parser.add_argument(
        "--limit-gb",
        type=float,
        metavar="GB",
        help="keep at most this much of recordings (default: what a cell's page set, else 20)",
    )
    fetch_dandi.add_arguments(parser)
    add_json(parser)
    parser.set_defaults(run=run)


class _Bar:
    """Prints on stderr how far a download is, every `REPORT_BYTES`."""

    def __init__(self) -> None:
        self.last = ("", 0)

    def __call__(self, progress: Progress) -> None:
        step = (progress.stage, progress.done // REPORT_BYTES)
        if step != self.last or progress.done == progress.total:
            self.last = step
            of = "" if progress.total is None else f" of {progress.total / 1e6:.1f}"
            print(f"{progress.stage}: {progress.done / 1e6:.1f}{of} MB", file=sys.stderr)


def run(args: argparse.Namespace) -> int:
    """Fetch, then print the contents of the cache."""
    if args.dandi:
        return fetch_dandi.run(args, _Bar())
    fetch_dandi.check_unused(args)
    cache = AllenCache(args.cache) if args.cache else default_cache()
    settings = replace(allen_settings(), cache_limit_bytes=cache_limit(cache))
    if args.url:
        settings = replace(settings, base_url=args.url.rstrip("/"))
    if args.limit_gb is not None:
        settings = replace(settings, cache_limit_bytes=round(args.limit_gb * GIGABYTE))
    bar = _Bar()
    answer: dict[str, Any] = {"folder": str(cache.folder)}
    if args.cells or not args.nwb:
        answer["n_cells"] = len(fetch_tables(cache, settings, bar))
    answer["nwb"] = {specimen: str(fetch_nwb(cache, specimen, settings, bar)) for specimen in args.nwb}
    answer["cache_bytes"] = cache.size_bytes()
    if args.json:
        print(json.dumps(answer, indent=2))
        return 0
    if "n_cells" in answer:
        print(f"{answer['n_cells']:,} cells with features in {cache.folder}")
    for specimen, path in answer["nwb"].items():
        print(f"{specimen}: {path}")
    print(f"Recordings take {answer['cache_bytes'] / GIGABYTE:.2f} GB of {settings.cache_limit_bytes / GIGABYTE:g} GB.")
    return 0
