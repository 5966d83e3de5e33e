"""Store of uploaded files on disk, one per SHA-256 of the content, readable only by the server's user."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Spool:
    """A content-addressed folder of files.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.

    Raises
    ------
    OSError
        If it cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, digest: str) -> Path:
        """Path of a content, whether or not it is stored."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is no SHA-256")
        return self.folder / digest

    def put(self, source: BinaryIO) -> tuple[str, int]:
        """Store a stream's content; returns its SHA-256 and size in bytes."""
        digest, size = hashlib.sha256(), 0
        handle, part = tempfile.mkstemp(dir=self.folder, prefix="part-")
        try:
            with os.fdopen(handle, "wb") as out:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    size += out.write(chunk)
            self.adopt(Path(part), digest.hexdigest())
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        return digest.hexdigest(), size

    def adopt(self, path: Path, digest: str) -> Path:
        """Move a file with a known SHA-256 into the folder; it must be on the same disk."""
        target = self.path(digest)
        path.chmod(0o600)
        path.replace(target)
        return target

    def workplace(self) -> "tempfile.TemporaryDirectory[str]":
        """A temporary folder on the same disk for unpacking."""
        return tempfile.TemporaryDirectory(dir=self.folder, prefix="part-")

    def remove(self, digests: Iterable[str]) -> None:
        """Delete stored contents."""
        for digest in digests:
            self.path(digest).unlink(missing_ok=True)

    def sizes(self) -> dict[str, int]:
        """Size in bytes of each content, least recently used first."""
        found = []
        for path in self.folder.iterdir():
            if _DIGEST.fullmatch(path.name):
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue
                found.append((stat.st_mtime, path.name, stat.st_size))
        return {name: size for _, name, size in sorted(found)}
