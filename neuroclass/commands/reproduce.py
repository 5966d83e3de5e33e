"""``reproduce``: make the tables and figures of a paper again."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from neuroclass.commands.arguments import add_data, add_json, add_work
from neuroclass.errors import SettingsError
from neuroclass.types.progress import Progress

PAPERS = ("paper",)
PAGE = "index.html"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "reproduce",
        help="make the paper's tables and figures again, by its protocol and donor-grouped",
        description="Make every table and figure of arXiv 2306.00528 on the loaded cells, each under the published "
        "protocol (its splits, scalers, and choices on test cells) and under donor-grouped "
        "cross-validation, as one HTML file that needs nothing else. Finished parts are kept in the cache folder: "
        "called again, it continues where it was cut off.",
    )
    parser.add_argument("what", choices=PAPERS, metavar="WHAT", help="paper: Ophir, Shefi, Lindenbaum (2023)")
    parser.add_argument(
        "--out", type=Path, default=Path("paper"), metavar="DIR", help=f"where {PAGE} goes (default: paper)"
    )
    add_work(parser, 2)
    parser.add_argument("--status", type=Path, metavar="FILE", help="keep this JSON file up to date with progress")
    add_data(parser)
    add_json(parser)
    parser.set_defaults(run=run)


class _Told:
    """Progress as lines on standard error and, where asked, as a JSON file."""

    def __init__(self, status: Path | None) -> None:
        self.status, self.start = status, time.monotonic()

    def __call__(self, one: Progress) -> None:
        from neuroclass.io.atomic import write_atomically
        from neuroclass.reports.paper_course import LEFT, SHARE

        share, left = one.values[SHARE], one.values.get(LEFT)
        shown = "" if left is None else f", about {duration(left)} left"
        print(f"[{share:4.0%}] {one.stage}: {one.done} of {one.total}{shown}", file=sys.stderr)
        if self.status is not None:
            record: dict[str, Any] = {
                "phase": one.stage,
                "epoch": round(100 * share),
                "of": 100,
                "seconds": round(time.monotonic() - self.start, 1),
            }
            record |= {} if left is None else {"left_s": round(left, 1)}
            write_atomically(self.status, json.dumps(record).encode())


def duration(seconds: float) -> str:
    """A time in words."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _writable(folder: Path) -> Path:
    """Make the output folder before the long work.

    Raises
    ------
    SettingsError
        If it cannot be made or written to.
    """
    folder = folder.expanduser()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"{PAGE}.part"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(
            f"{folder} cannot be written to ({error.strerror or error}). Name another folder with --out."
        ) from error
    return folder


def run(args: argparse.Namespace) -> int:
    """Reproduce, write the page, and print the numbers."""
    from neuroclass.cohort.loading import load_cohort
    from neuroclass.io.atomic import write_atomically
    from neuroclass.report.paper import paper_page
    from neuroclass.reports.paper import reproduce_paper, seconds_for
    from neuroclass.work.current import working_on

    if args.jobs < 1:
        raise SettingsError(f"--jobs {args.jobs}: expected 1 or more processes.")
    cohort, folder = load_cohort(args.data), _writable(args.out)
    cells = f"{len(cohort):,} {'simulated ' if cohort.simulated else ''}cells of {cohort.source}"
    print(f"{cells}: about {duration(seconds_for(cohort, args.jobs))} on a calm machine", file=sys.stderr)
    with working_on(args.scheduler, args.jobs):
        found = reproduce_paper(cohort, args.jobs, _Told(args.status))
    write_atomically(folder / PAGE, paper_page(found).encode())
    if args.json:
        print(json.dumps(dict(found.numbers), indent=1, ensure_ascii=False))
    else:
        print("\n".join(_text(found)))
        print(f"written: {folder / PAGE}")
    return 0


def _text(found: Any) -> list[str]:
    """The tables with numbers, as text."""
    from neuroclass.report.paper_sections import sections, warning

    lines = [warning(found)] if found.simulated else []
    for one in sections(found):
        if one.key in ("selection", "table-1", "table-2"):
            table = one.together
            lines += ["", one.title, one.finding, " | ".join(str(name) for name in table.columns)]
            lines += [" | ".join(str(value) for value in row) for row in table.itertuples(index=False)]
    return lines
