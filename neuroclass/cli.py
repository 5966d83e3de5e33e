"""The command line: one parser, one exit code a kind of ending.

Exit codes: 0 done, 1 an error that the message explains, 2 wrong usage, 3 done but some file was
refused, 130 interrupted.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from neuroclass import __version__
from neuroclass.errors import NeuroClassError, SettingsError

COMMANDS = ("cohort", "fetch", "train", "evaluate", "classify", "extract", "adapt")


def build_parser() -> argparse.ArgumentParser:
    """The parser with every subcommand's own arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m neuroclass",
        description="Cortical cell types from patch-clamp recordings, with reasons one can check.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        import_module(f"neuroclass.commands.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args))
    except SettingsError as error:
        print(f"{error.kind}: {error}", file=sys.stderr)
        return 2
    except NeuroClassError as error:
        print(f"{error.kind}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
