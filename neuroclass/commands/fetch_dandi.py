"""``fetch --dandi``: recordings of the DANDI archive: list, look at their sweeps, fetch what is needed, classify."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroclass.cell_types import label_of
from neuroclass.commands.arguments import REFUSED
from neuroclass.errors import NeuroClassError, SettingsError
from neuroclass.io.atomic import write_atomically
from neuroclass.types.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from neuroclass.io.dandi import Asset, Choice, Dandiset
    from neuroclass.io.remote import SweepTable

MB = 1_000_000
_OF_A_DANDISET = (
    *("version", "subject", "glob", "path", "paths_from", "largest_mb", "limit", "all", "list", "sweeps", "whole"),
    *("to", "classify", "status", "archive"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that a dandiset needs."""
    group = parser.add_argument_group("recordings of the DANDI archive")
    group.add_argument("--dandi", metavar="ID", help="dandiset, such as 000020")
    group.add_argument("--version", default="", metavar="V", help="its version, or draft (default: latest published)")
    group.add_argument("--subject", nargs="+", default=[], metavar="S", help="files of these subjects")
    group.add_argument("--glob", default="", metavar="PATTERN", help="files whose path fits, such as 'sub-*/*.nwb'")
    group.add_argument("--path", nargs="+", default=[], metavar="P", help="these files or folders of the dandiset")
    group.add_argument("--paths-from", type=Path, metavar="FILE", help="as --path, a line each")
    group.add_argument("--largest-mb", type=float, metavar="MB", help="leave out larger files")
    group.add_argument("--limit", type=int, metavar="N", help="at most so many files")
    group.add_argument("--all", action="store_true", help="every file, where none of these chooses some")
    group.add_argument("--list", action="store_true", help="list the files; fetch none")
    group.add_argument("--sweeps", action="store_true", help="list each file's sweeps, from its metadata alone")
    group.add_argument("--whole", action="store_true", help="whole files (default: current-clamp sweeps where less)")
    group.add_argument("--to", type=Path, metavar="DIR", help="folder for the files (default: the user's cache)")
    group.add_argument(
        "--classify",
        type=Path,
        metavar="FILE",
        help="also classify each file and add its verdicts to FILE, a line of JSON each; a run that was killed goes on",
    )
    group.add_argument("--status", type=Path, metavar="FILE", help="keep in FILE how far it is, as JSON")
    group.add_argument(
        "--archive", metavar="URL", help="address of the archive's API (default: NEUROCLASS_DANDI_URL, else the public)"
    )


def check_unused(args: argparse.Namespace) -> None:
    """Refuse arguments that need ``--dandi``, which is not given; raises SettingsError."""
    given = [name for name in _OF_A_DANDISET if getattr(args, name)]
    if given:
        option = given[0].replace("_", "-")
        raise SettingsError(f"--{option} is about a dandiset; say which with --dandi, such as --dandi 000020.")


def run(args: argparse.Namespace, bar: ProgressCallback) -> int:
    """List, fetch or classify; returns 3 if a file was refused."""
    from neuroclass.config import dandi_settings
    from neuroclass.io.dandi import matching, open_dandiset

    choice = _choice(args)
    dandiset = open_dandiset(args.dandi, args.version, dandi_settings(args.archive))
    assets = list(matching(dandiset, choice, args.limit))
    answer: dict[str, Any] = {"dandiset": dandiset.to_json()}
    if not args.json:
        print(f"Dandiset {dandiset.id}, version {dandiset.version}: {dandiset.name}\n{dandiset.citation}")
    if args.list:
        answer["assets"] = [asset.to_json() for asset in assets]
        refused = _listed(args, assets)
    elif args.sweeps:
        answer["assets"], refused = _looked(args, dandiset, assets, bar)
    else:
        _check_chosen(args, assets)
        answer["files"], refused = (_classified if args.classify else _fetched)(args, dandiset, assets, bar)
    if args.json:
        print(json.dumps(answer, indent=2, allow_nan=False))
    return REFUSED if refused else 0


def _choice(args: argparse.Namespace) -> "Choice":
    from neuroclass.io.dandi import Choice

    paths = list(args.path)
    if args.paths_from is not None:
        try:
            paths += [line.strip() for line in args.paths_from.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"--paths-from {args.paths_from}: cannot be read ({error}); expected a text file."
            ) from error
    if args.limit is not None and args.limit < 1:
        raise SettingsError(f"--limit {args.limit}: expected 1 or more.")
    largest = None if args.largest_mb is None else round(args.largest_mb * MB)
    return Choice(tuple(args.subject), args.glob, tuple(paths), largest)


def _check_chosen(args: argparse.Namespace, assets: Sequence["Asset"]) -> None:
    if not (args.all or args.subject or args.glob or args.path or args.paths_from or args.limit):
        size = sum(asset.size for asset in assets) / MB
        raise SettingsError(
            f"Dandiset {args.dandi} holds {len(assets):,} files, {size:,.0f} MB. Choose some with --subject, --path, "
            "--glob or --limit, take them all with --all, or see them with --list."
        )


def _listed(args: argparse.Namespace, assets: Sequence["Asset"]) -> bool:
    if not args.json:
        for asset in assets:
            zarr = "  Zarr, not read" if asset.kind == "zarr" else ""
            print(f"{asset.path}  {asset.size / MB:.1f} MB  {asset.species or 'species unknown'}{zarr}")
        print(f"{len(assets):,} files, {sum(asset.size for asset in assets) / MB:,.1f} MB")
    return False


def _looked(
    args: argparse.Namespace, dandiset: "Dandiset", assets: Sequence["Asset"], bar: ProgressCallback
) -> tuple[list[dict[str, Any]], bool]:
    from neuroclass.extraction.archive import OF_ONE_FILE, refusal
    from neuroclass.io.dandi_fetch import look

    found: list[dict[str, Any]] = []
    for asset in assets:
        try:
            table = look(dandiset, asset, args.to, bar)
        except OF_ONE_FILE as error:
            found.append(refusal(asset, error))
            _say_refused(args, asset, error)
            continue
        found.append({**asset.to_json(), **table.to_json()})
        if not args.json:
            print("\n".join(_table_lines(asset, table)))
    return found, any("error" in one for one in found)


def _table_lines(asset: "Asset", table: "SweepTable") -> list[str]:
    subject = ", ".join(f"{key} {value}" for key, value in table.subject.items())
    lines = [f"{asset.path} ({subject or 'subject unknown'})"]
    for sweep in table.sweeps:
        rate = f"{sweep['rate_hz'] / 1000:g} kHz" if sweep["rate_hz"] else "rate unknown"
        lasts = f"{sweep['duration_s']:.3g} s" if sweep["duration_s"] is not None else "duration unknown"
        named = sweep["stimulus"] or "stimulus not named"
        lines.append(f"  sweep {sweep['number']}: {sweep['clamp']}, {named}, {lasts} at {rate}")
    lines.append(
        f"  {len(table.sweeps)} sweeps; {table.transferred / MB:.2f} of {asset.size / MB:.1f} MB fetched for the "
        f"table, the current-clamp sweeps take {table.needed / MB:.1f} MB"
    )
    return lines


def _fetched(
    args: argparse.Namespace, dandiset: "Dandiset", assets: Sequence["Asset"], bar: ProgressCallback
) -> tuple[list[dict[str, Any]], bool]:
    from neuroclass.extraction.archive import OF_ONE_FILE, refusal
    from neuroclass.io.dandi_fetch import fetch_asset

    found: list[dict[str, Any]] = []
    for asset in assets:
        try:
            fetched = fetch_asset(dandiset, asset, args.to, args.whole, bar)
        except OF_ONE_FILE as error:
            found.append(refusal(asset, error))
            _say_refused(args, asset, error)
            continue
        found.append(fetched.to_json())
        if not args.json:
            print(f"{fetched.path}\n  {_how(fetched.to_json(), asset.size)}")
            for note in fetched.notes:
                print(f"  note  {note}")
    return found, any("error" in one for one in found)


def _how(fetched: Mapping[str, Any], size: int) -> str:
    if not fetched["transferred"]:
        return f"{fetched['how']}, here already"
    compared = f", {fetched['verified']} as listed" if fetched["verified"] else ""
    return f"{fetched['how']}, {fetched['transferred'] / MB:.1f} of {size / MB:.1f} MB fetched{compared}"


def _say_refused(args: argparse.Namespace, asset: "Asset", error: NeuroClassError) -> None:
    if not args.json:
        print(f"{asset.path}\n  refused ({error.kind}): {error}")


def _classified(
    args: argparse.Namespace, dandiset: "Dandiset", assets: Sequence["Asset"], bar: ProgressCallback
) -> tuple[list[dict[str, Any]], bool]:
    from neuroclass.classification.models import load_models
    from neuroclass.extraction.archive import classify_assets

    def noted(progress: Progress) -> None:
        if args.status is not None:
            of = progress.total or 0
            write_atomically(args.status, json.dumps({"epoch": progress.done, "of": of, **progress.values}).encode())

    found: list[dict[str, Any]] = []
    reports = classify_assets(
        dandiset, assets, load_models(), args.classify, folder=args.to, progress=noted, fetching=bar
    )
    for report in reports:
        found.append({key: value for key, value in report.items() if key != "answers"})
        found[-1]["refused"] = any("error" in answer for answer in report["answers"])
        if not args.json:
            print("\n".join([report["path"], *map(_verdict_line, report["answers"])]), flush=True)
    return found, any(one["refused"] for one in found)


def _verdict_line(answer: Mapping[str, Any]) -> str:
    if "error" in answer:
        return f"  refused ({answer['error']['type']}): {answer['error']['message']}"
    parts = []
    for task in ("broad", "subclass"):
        if answer["cannot_say"][task]:
            parts.append(f"{task}: cannot say")
            continue
        best = max(answer[task], key=lambda name: answer[task][name])
        parts.append(f"{label_of(best)} {answer[task][best]:.2f}")
    return f"  {answer['cell']} ({answer['species']}): {', '.join(parts)}"
