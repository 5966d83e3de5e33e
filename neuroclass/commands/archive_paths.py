"""Inputs that lie in the DANDI archive, such as ``dandi:000020/sub-1``, fetched to the user's cache."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from neuroclass.errors import SettingsError

_PREFIX = "dandi:"
_PLACE = re.compile(r"dandi:/*(\d{1,6})(?:@([\w.]+))?/(.+)", re.IGNORECASE)


def with_fetched(paths: Sequence[Path]) -> list[Path]:
    """The paths, those in the archive replaced by the files that were fetched from there.

    Parameters
    ----------
    paths : sequence of Path
        ``dandi:NUMBER/PATH`` or ``dandi:NUMBER@VERSION/PATH``, PATH being a file or folder of it; or files.

    Returns
    -------
    list of Path

    Raises
    ------
    SettingsError
        A text begins with ``dandi:`` and has another form.
    NeuroClassError
        As `neuroclass.io.dandi_fetch.fetch_asset`.
    """
    found: list[Path] = []
    for path in paths:
        found += _fetched(str(path)) if str(path).lower().startswith(_PREFIX) and not path.exists() else [path]
    return found


def _fetched(text: str) -> list[Path]:
    match = _PLACE.fullmatch(text)
    if match is None:
        raise SettingsError(
            f"{text}: expected dandi:NUMBER/PATH, such as dandi:000020/sub-1. The paths are those of "
            "fetch --dandi NUMBER --list."
        )
    from neuroclass.io.dandi import Choice, matching, open_dandiset
    from neuroclass.io.dandi_fetch import fetch_asset

    number, version, place = match.groups()
    dandiset = open_dandiset(number, version or "")
    fetched = []
    for asset in matching(dandiset, Choice(paths=(place,))):
        print(f"{asset.path}, version {dandiset.version}: {asset.size / 1e6:.1f} MB", file=sys.stderr)
        fetched.append(fetch_asset(dandiset, asset).path)
    return fetched
