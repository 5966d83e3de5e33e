"""``extract``: recordings to features."""

import argparse
import json
import sys
from typing import Any

from neuroclass.errors import SettingsError

_REFUSED = 3


def add_parser(subparsers: Any) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser("extract", help="measure the 41 features of recordings")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a recording, or a folder of them")
    parser.add_argument("--json", action="store_true", help="print features with their places as JSON")
    parser.add_argument("--response", metavar="CH", help="name or number of the channel with the potential")
    parser.add_argument("--stimulus", metavar="CH", help="name or number of the channel or command with the current")
    parser.add_argument("--response-unit", metavar="UNIT", help="unit of the stored potentials, such as mV")
    parser.add_argument("--stimulus-unit", metavar="UNIT", help="unit of the stored currents, such as pA")
    parser.add_argument(
        "--enter", action="append", default=[], metavar="NAME=VALUE", help="a feature that only a person knows"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Extract features; returns 3 where some file was refused."""
    from neuroclass.extraction import ExtractionJob, extract_file, find_files
    from neuroclass.io.channels import ChannelMapping

    mapping = ChannelMapping(args.response, args.stimulus, args.response_unit, args.stimulus_unit)
    job = ExtractionJob(mapping=mapping, entered=_entered(args.enter))
    reports = [report for path in find_files(args.paths) for report in extract_file(path, job)]
    if args.json:
        json.dump(reports, sys.stdout, indent=2, allow_nan=False)
        sys.stdout.write("\n")
    else:
        for report in reports:
            print(_line(report))
    return _REFUSED if any("error" in report for report in reports) else 0


def _entered(pairs: list[str]) -> dict[str, float]:
    out = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            out[name.strip()] = float(value)
        except ValueError:
            raise SettingsError(f"--enter {pair!r} is not NAME=VALUE with a number.") from None
    return out


def _line(report: dict[str, Any]) -> str:
    if "error" in report:
        return f"{report['source']}: {report['error']['type']}: {report['error']['message']}"
    known = {k: v for k, v in report["features"].items() if v is not None}
    values = ", ".join(f"{name} {value:.4g}" for name, value in known.items())
    return f"{report['source']} ({report['cell']}): {len(known)} of 41 features: {values}"
