"""Files that are replaced as a whole: whoever reads them sees the old content or the new, never half of it."""

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there; its folder is made where it does not exist."""
    with replacing(path) as draft:
        draft.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A draft beside a file, which takes its place unless something goes wrong; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_drafts(path)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _clear_drafts(path: Path) -> None:
    """Delete drafts of processes that ended before they moved them."""
    for draft in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        number = draft.suffixes[-2].removeprefix(".")
        if number.isdigit() and not psutil.pid_exists(int(number)):
            draft.unlink(missing_ok=True)
