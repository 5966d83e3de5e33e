"""Keep fetched recordings within a limit: the least recently used go first."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from neuroclass.config import AllenSettings
from neuroclass.io.origin import SUFFIX, origin_path

PARTIAL = "partial"
LIMIT_BYTES = AllenSettings().cache_limit_bytes
_BLOCK = 512  # unit of st_blocks, bytes


def trim(folder: Path, keep: Path, limit_bytes: int = LIMIT_BYTES) -> tuple[Path, ...]:
    """Delete fetched recordings and parts of some until the rest fit.

    Parameters
    ----------
    folder : Path
        Where recordings of the archive lie; only files that were fetched are looked at.
    keep : Path
        Recording that stays in any case.
    limit_bytes : int
        Most bytes on disk.

    Returns
    -------
    tuple of Path
        What was deleted.
    """
    stats = {path: path.stat() for path in _fetched(folder)}
    excess = sum(stat.st_blocks * _BLOCK for stat in stats.values()) - limit_bytes
    deleted = []
    for path in sorted(stats, key=lambda one: stats[one].st_mtime):
        if excess <= 0:
            break
        if path != keep:
            for one in (path, origin_path(path), path.with_suffix(".blocks")):
                one.unlink(missing_ok=True)
            excess -= stats[path].st_blocks * _BLOCK
            deleted.append(path)
    return tuple(deleted)


def touch(path: Path) -> None:
    """Note that a recording was used."""
    with contextlib.suppress(OSError):
        os.utime(path)


def _fetched(folder: Path) -> Iterator[Path]:
    recordings = (path.with_name(path.name.removesuffix(SUFFIX)) for path in folder.rglob(f"*{SUFFIX}"))
    for path in (*recordings, *(folder / PARTIAL).glob("*.part")):
        if path.is_file():
            yield path
