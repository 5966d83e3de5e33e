"""Arguments of ``train search``."""

import argparse

from neuroclass.config import SearchSettings, declared
from neuroclass.errors import SettingsError
from neuroclass.types.models import MODELS

SEARCH = "search"
"""In place of a model: search for settings of the model named next."""
_OPTIONS = {"trials": "trials", "outer": "outer_folds", "inner": "inner_folds", "search_members": "members"}
"""Of a search, and the settings that they set."""


def add_search(parser: argparse.ArgumentParser) -> None:
    """What a search tries."""
    group = parser.add_argument_group(
        "search", f"with {SEARCH} MODEL; what --set, --preset, --members, --steps or --epochs name is not searched"
    )
    usual, known = SearchSettings(), declared(SearchSettings)
    for option, name in _OPTIONS.items():
        about = known[name].meaning
        group.add_argument(
            f"--{option.replace('_', '-')}", type=int, metavar="N",
            help=f"{about[0].lower()}{about[1:]} (default: {getattr(usual, name)})",
        )  # fmt: skip


def search_settings(args: argparse.Namespace) -> SearchSettings | None:
    """The search that the arguments ask for; None where they ask for training.

    Raises
    ------
    SettingsError
        If they ask for part of a search only, or a number is out of range.
    """
    asked = {name: value for option, name in _OPTIONS.items() if (value := getattr(args, option)) is not None}
    if not args.searched:
        if args.model == SEARCH:
            raise SettingsError(f"train {SEARCH} needs the model to search for: {' or '.join(MODELS)}.")
        if asked:
            option = next(one for one, name in _OPTIONS.items() if name in asked)
            raise SettingsError(f"--{option.replace('_', '-')} is for a search: train {SEARCH} MODEL.")
        return None
    if args.model != SEARCH:
        raise SettingsError(
            f"Found two models, {args.model} and {args.searched}; train one at a time, or search: train {SEARCH} "
            f"{args.searched}."
        )
    return SearchSettings(**asked, **({} if args.seed is None else {"seed": args.seed}))
