"""The command line.

Exit codes: 0 success, 1 an error explained by its message, 2 wrong usage, 3 success with some inputs
rejected, 130 interrupted, 141 when whatever reads the output has closed it (``neuroclass … | head``).
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from neuroclass import __version__
from neuroclass.errors import NeuroClassError, SettingsError
from neuroclass.work.threads import one_thread_each

COMMANDS = (
    "app",
    "cohort",
    "fetch",
    "train",
    "runs",
    "evaluate",
    "classify",
    "extract",
    "adapt",
    "models",
    "reproduce",
    "history",
)
CLOSED_PIPE = 128 + 13
"""What a shell reports of a program that SIGPIPE has ended."""


def build_parser(command: str = "") -> argparse.ArgumentParser:
    """Build the parser with all subcommands, or with one alone, so that what the others import costs no time."""
    parser = argparse.ArgumentParser(
        prog="neuroclass",
        description="Cortical cell types from patch-clamp recordings, with reasons one can check.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in (command,) if command in COMMANDS else COMMANDS:
        import_module(f"neuroclass.commands.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program name; by default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    words = sys.argv[1:] if argv is None else argv
    if argv is None:
        one_thread_each()
    args = build_parser(words[0] if words else "").parse_args(words)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except SettingsError as error:
        print(f"{error.kind}: {error}", file=sys.stderr)
        return 2
    except NeuroClassError as error:
        print(f"{error.kind}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains as it ends
        return CLOSED_PIPE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
