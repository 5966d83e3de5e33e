"""Store of uploaded files on disk, one per SHA-256 of the content, readable only by the server's user.

A content is claimed from before it is stored until an entry of the history holds it, so that nobody who deletes the
same content in between takes it away. Parts carry the name of a lock that the process holds while it lives, so that
what a killed one leaves is known at once.
"""

import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

_CHUNK = 1 << 20
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CLAIM = re.compile(r"claim-([0-9a-f]{64})-[0-9a-f]{16}")
_PART, _ALIVE = "part-", "alive-"
CLAIM_S = 3600.0
"""How long a claim holds without an entry, s: the longest that an upload waits to be classified."""
LEFT_OVER_S = 86_400.0
"""Age at which parts and contents without an entry are left over, s."""


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 in lower-case hexadecimal."""
    return _DIGEST.fullmatch(text) is not None


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
        self.lock = FileLock(folder / "lock", mode=0o600)
        self._alive: FileLock | None = None

    def path(self, digest: str) -> Path:
        """Path of a content, whether or not it is stored."""
        if not is_digest(digest):
            raise ValueError(f"{digest!r} is no SHA-256")
        return self.folder / digest

    def _part(self) -> str:
        """Beginning of this process' parts; its lock is held from now on."""
        if self._alive is None:
            alive = FileLock(self.folder / f"{_ALIVE}{secrets.token_hex(8)}", mode=0o600)
            alive.acquire()
            self._alive = alive
        return f"{_PART}{Path(self._alive.lock_file).name.removeprefix(_ALIVE)}-"

    def put(self, source: IO[bytes], owner: str = "") -> tuple[str, int]:
        """Store a stream's content, claimed by an owner if one is given; returns its SHA-256 and size in bytes."""
        digest, size = hashlib.sha256(), 0
        handle, part = tempfile.mkstemp(dir=self.folder, prefix=self._part())
        try:
            with os.fdopen(handle, "wb") as out:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    size += out.write(chunk)
            self.adopt(Path(part), digest.hexdigest(), owner)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
        return digest.hexdigest(), size

    def adopt(self, path: Path, digest: str, owner: str = "") -> Path:
        """Move a file with a known SHA-256 into the folder; it must be on the same disk."""
        target = self.path(digest)
        path.chmod(0o600)
        with self.lock:
            if owner:
                self._claim(digest, owner).touch(mode=0o600)
            path.replace(target)
            os.utime(target)
        return target

    def _claim(self, digest: str, owner: str) -> Path:
        return self.folder / f"claim-{digest}-{hashlib.sha256(owner.encode()).hexdigest()[:16]}"

    def release(self, digests: Iterable[str], owner: str) -> None:
        """Take back an owner's claims on contents, now that an entry holds them."""
        with self.lock:
            for digest in digests:
                self._claim(digest, owner).unlink(missing_ok=True)

    def claimed_by(self, owner: str) -> set[str]:
        """Contents that an owner claims."""
        ending = self._claim("", owner).name.removeprefix("claim-")
        return {path.name[6:70] for path in self.folder.glob(f"claim-*{ending}") if _CLAIM.fullmatch(path.name)}

    def touch(self, digests: Iterable[str]) -> None:
        """Mark contents as used now."""
        for digest in digests:
            with suppress(FileNotFoundError):
                os.utime(self.path(digest))

    def workplace(self) -> "tempfile.TemporaryDirectory[str]":
        """A temporary folder on the same disk for unpacking."""
        return tempfile.TemporaryDirectory(dir=self.folder, prefix=self._part())

    def remove(self, digests: Iterable[str]) -> None:
        """Delete stored contents, except those that an upload still claims."""
        with self.lock:
            claimed = self._claimed()
            for digest in set(digests) - claimed:
                self.path(digest).unlink(missing_ok=True)

    def _claimed(self) -> set[str]:
        """Contents with a claim that holds; older claims are deleted."""
        found = set()
        for path in self.folder.glob("claim-*"):
            match = _CLAIM.fullmatch(path.name)
            if match and _age(path) < CLAIM_S:
                found.add(match[1])
            else:
                path.unlink(missing_ok=True)
        return found

    def clear_parts(self) -> None:
        """Delete what interrupted uploads left: parts of processes that are gone or a day old, claims that expired."""
        for lock in self.folder.glob(f"{_ALIVE}*"):
            with suppress(Timeout, OSError), FileLock(lock, timeout=0):
                for path in self.folder.glob(f"{_PART}{lock.name.removeprefix(_ALIVE)}-*"):
                    _delete(path)
                lock.unlink(missing_ok=True)
        for path in self.folder.glob(f"{_PART}*"):
            if _age(path) >= LEFT_OVER_S:
                _delete(path)
        with self.lock:
            self._claimed()

    def left_over(self, held: Iterable[str]) -> set[str]:
        """Contents older than a day that are not among those held."""
        return {digest for digest in set(self.sizes()) - set(held) if _age(self.path(digest)) >= LEFT_OVER_S}

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


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    """Time since a file was last written, s; 0 if it is gone."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
