"""Where a fetched file comes from: kept beside it, and by its checksum for copies of it that are uploaded."""

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from neuroclass.config import cache_folder
from neuroclass.io.atomic import write_atomically

SUFFIX = ".origin.json"
WHOLE, SWEEPS = "whole file", "current-clamp sweeps"
"""What was fetched of a file."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST = 100_000
_LONGEST = 4000


def _folder() -> Path:
    return cache_folder() / "dandi" / "origins"


def origin_path(path: Path) -> Path:
    """Where the origin of a file lies."""
    return path.with_name(path.name + SUFFIX)


def keep_origin(path: Path, origin: Mapping[str, str]) -> None:
    """Keep a file's origin; ``file_sha256`` in it is the file's own checksum.

    Raises
    ------
    OSError
        The folder cannot be written.
    """
    text = json.dumps(dict(origin), indent=1).encode()
    write_atomically(origin_path(path), text)
    with contextlib.suppress(OSError):
        write_atomically(_folder() / f"{origin['file_sha256']}.json", text)


def origin_of(path: Path | None, sha256: str = "") -> dict[str, str]:
    """A file's origin, such as its dandiset's ``citation``; empty where none is known.

    Parameters
    ----------
    path : Path or None
        The file, beside which the origin may lie.
    sha256 : str
        Its checksum, where that is known.
    """
    found = _read(origin_path(path)) if path is not None else {}
    if not found and _DIGEST.fullmatch(sha256):
        found = _read(_folder() / f"{sha256}.json")
    return found


def _read(path: Path) -> dict[str, str]:
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {str(key): str(value)[:_LONGEST] for key, value in entries.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
