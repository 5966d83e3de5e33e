"""``history``: state, backup and restoration of the server's history."""

import argparse
import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from neuroclass.commands.arguments import add_json
from neuroclass.errors import SettingsError

if TYPE_CHECKING:
    from neuroclass.io.history import History


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = subparsers.add_parser(
        "history",
        help="back up or restore what a server keeps of classified cells",
        description="Of the history that NEUROCLASS_HISTORY names (by default the user's own): show says where it is, "
        "which revision its tables have and how much is in it; backup writes all entries, verdicts and uploaded files "
        "to FILE while the server runs; restore checks FILE and puts it into the history, wholly or not at all. The "
        "databases may differ: a backup of SQLite can be restored to PostgreSQL.",
    )
    parser.add_argument("action", choices=("show", "backup", "restore"))
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the backup, a zip archive")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="backup: replace a file of that name; restore: replace all entries of the history",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show, back up or restore the history."""
    if (args.file is None) == (args.action != "show"):
        wanted = "takes no file" if args.action == "show" else "needs the name of a file"
        raise SettingsError(f"history {args.action} {wanted}, such as neuroclass history backup history.zip.")
    history = _history()
    if args.action == "show":
        return _show(history, args.json)
    from dataclasses import asdict

    from neuroclass.io.history_backup import back_up, restore

    deed = back_up if args.action == "backup" else restore
    contents = deed(history, args.file, args.overwrite)
    if args.json:
        print(json.dumps({"file": str(args.file), **asdict(contents)}, indent=2))
        return 0
    done = "Backed up to" if args.action == "backup" else "Restored from"
    print(f"{done} {args.file}: {contents.entries:,} entries and {contents.files:,} files ({_size(contents.bytes)}).")
    if contents.missing:
        print(f"{contents.missing:,} files that entries name were not on the disk any more, or damaged.")
    return 0


def _history() -> "History":
    if find_spec("sqlalchemy") is None:
        raise SettingsError("The history needs SQLAlchemy, which is not installed: pip install 'neuroclass[app]'.")
    from neuroclass.io.history import History
    from neuroclass.io.history_place import HISTORY_VARIABLE, place
    from neuroclass.io.spool import Spool

    where = place()
    if not where.days:
        raise SettingsError(f"{HISTORY_VARIABLE} is off: nothing is kept. Name the history, or unset the variable.")
    try:
        spool = Spool(where.folder)
    except OSError as error:
        raise SettingsError(f"The folder {where.folder} cannot be written ({error.strerror or error}).") from error
    return History(where.url, spool, where.shared)


def _show(history: "History", as_json: bool) -> int:
    from neuroclass.io.history_usage import usage

    used = usage(history)
    found = {
        "database": history.database.kind,
        "revision": history.database.revision(),
        "folder": str(history.spool.folder),
        "owners": len(used),
        "entries": sum(one.entries for one in used),
        "bytes": sum(history.spool.sizes().values()),
    }
    if as_json:
        print(json.dumps(found, indent=2))
        return 0
    print(f"database: {found['database']}, revision {found['revision']}")
    print(f"uploaded files: {found['folder']}, {_size(sum(history.spool.sizes().values()))}")
    print(f"entries: {found['entries']:,} of {found['owners']:,} owners")
    return 0


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB"
