"""Files that are replaced as a whole: whoever reads them sees the old content or the new, never half of it."""

import glob
import os
from pathlib import Path

import psutil


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there; its folder is made where it does not exist."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_drafts(path)
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _clear_drafts(path: Path) -> None:
    """Delete drafts of processes that ended before they moved them."""
    for draft in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        number = draft.suffixes[-2].removeprefix(".")
        if number.isdigit() and not psutil.pid_exists(int(number)):
            draft.unlink(missing_ok=True)
