"""A local, sparse copy of a remote file that grows by the byte ranges that are asked for.

Blocks lie at their place in the file; which are there is kept beside it, so that a later attempt, also after a killed
one, fetches only the others.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import requests
from filelock import FileLock, Timeout

from neuroclass.errors import ChecksumError, FetchError, NotInArchiveError
from neuroclass.io.download import FetchCancelled, never
from neuroclass.io.polite import ATTEMPTS, PoliteSession, check_access, unreachable
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

BLOCK = 1 << 15
_MOST_AHEAD, _REQUEST = 1 << 22, 1 << 25
_SPARE = 200_000_000
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class RangeFile:
    """See the module; a context manager, which holds the file alone.

    Parameters
    ----------
    session : PoliteSession
        Of the file's archive.
    url : str
        Where the archive gives the file out.
    path : Path
        The copy.
    size : int
        Bytes of the whole file.
    name : str
        Display name.
    progress : ProgressCallback
        Called with the bytes transferred so far.
    cancelled : callable
        Asked after each chunk; True stops with `FetchCancelled`.

    Attributes
    ----------
    transferred : int
        Bytes that came over the network.
    requests : int
        Requests that were answered.
    ignores_ranges : bool
        Whether the server sent the whole file where a range was asked for.
    """

    def __init__(
        self,
        session: PoliteSession,
        url: str,
        path: Path,
        size: int,
        name: str,
        progress: ProgressCallback = ignore_progress,
        cancelled: Callable[[], bool] = never,
    ) -> None:
        self.path, self.size, self.name = path, size, name
        self.transferred, self.requests, self.ignores_ranges = 0, 0, False
        self._session, self._base, self._url = session, url, url
        self._progress, self._cancelled = progress, cancelled
        self._map = path.with_suffix(".blocks")
        self._lock = FileLock(path.with_suffix(".lock"))
        self._have = bytearray(-(-size // BLOCK))
        self._ahead, self._next = BLOCK, -1

    def __enter__(self) -> "RangeFile":
        """Open the copy, with what an earlier attempt left.

        Raises
        ------
        FetchError
            Another process fetches the file, or there is no room for it.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            if not self._resumes():
                self.path.write_bytes(b"")
                os.truncate(self.path, self.size)
                self._map.write_bytes(self._have)
            self._data, self._marks = self.path.open("r+b", buffering=0), self._map.open("r+b", buffering=0)
        except Timeout as error:
            raise FetchError(f"{self.name} is being fetched already; wait until that has ended.") from error
        except OSError as error:
            raise self._cannot_write(error) from error
        return self

    def __exit__(self, *_: object) -> None:
        """Close the copy and keep it for a later attempt."""
        self._data.close()
        self._marks.close()
        if not self.path.exists():
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()
        with suppress(OSError):
            self.path.parent.rmdir()

    def _resumes(self) -> bool:
        """Take over the blocks of an earlier attempt, if there was one."""
        if not (self.path.is_file() and self._map.is_file() and self.path.stat().st_size == self.size):
            return False
        marks = self._map.read_bytes()
        if len(marks) != len(self._have):
            return False
        self._have[:] = marks
        return True

    def forget(self) -> None:
        """Delete the copy."""
        self.path.unlink(missing_ok=True)
        self._map.unlink(missing_ok=True)

    @property
    def present(self) -> list[tuple[int, int]]:
        """Blocks that are here, as runs from the first to beyond the last."""
        return _runs(self._have, 1)

    @property
    def present_bytes(self) -> int:
        """Bytes that are here."""
        return min(self.size, sum(self._have) * BLOCK)

    def ensure(self, start: int, stop: int) -> list[tuple[int, int]]:
        """Fetch what is missing of a range of bytes, and of what is likely to be read next.

        Returns
        -------
        list of (int, int)
            Runs of blocks that are here now.

        Raises
        ------
        ValueError
            The range is not within the file.
        FetchError
            It cannot be fetched.
        """
        if not 0 <= start < stop <= self.size:
            raise ValueError(f"bytes {start} to {stop} of {self.size}")
        first, last = start // BLOCK, -(-stop // BLOCK)
        self._ahead = min(2 * self._ahead, _MOST_AHEAD) if first == self._next else BLOCK
        last = min(len(self._have), max(last, first + self._ahead // BLOCK))
        self._next = last
        for a, b in _runs(self._have[first:last], 0):
            self._fetch((first + a) * BLOCK, min(self.size, (first + b) * BLOCK))
        return [(first, last)]

    def fill(self) -> None:
        """Fetch all that is missing.

        Raises
        ------
        FetchError
            It cannot be fetched.
        """
        for a, b in _runs(self._have, 0):
            for start in range(a * BLOCK, min(self.size, b * BLOCK), _REQUEST):
                self._fetch(start, min(self.size, b * BLOCK, start + _REQUEST))

    def verify(self, sha256: str, etag: str) -> str:
        """Compare the whole copy with the archive's checksums.

        Returns
        -------
        str
            Which was compared: ``sha256``, ``dandi-etag``; empty where the archive lists none.

        Raises
        ------
        ChecksumError
            It differs; the copy is deleted.
        """
        for name, listed, compute in (("sha256", sha256, _sha256), ("dandi-etag", etag, _etag)):
            if listed:
                found = compute(self.path)
                if found != listed:
                    self.forget()
                    raise ChecksumError(
                        f"{self.name}: what came has the {name} {found[:12]}…, and the archive lists {listed[:12]}…. "
                        "It was deleted; fetch it again. If that repeats, tell the archive."
                    )
                return name
        return ""

    def _fetch(self, start: int, stop: int) -> None:
        """Fetch bytes, again from where it broke off."""
        missing = sum(1 for k in range(start // BLOCK, -(-stop // BLOCK)) if not self._have[k]) * BLOCK
        if shutil.disk_usage(self.path.parent).free < missing + _SPARE:
            raise self._cannot_write(OSError("too little space is left on the disk"))
        failures = 0
        while start < stop and not all(self._have[start // BLOCK : -(-stop // BLOCK)]):
            before = sum(self._have)
            try:
                start = self._receive(start, stop)
            except requests.RequestException as error:
                start = self._first_missing(start)
                failures = 1 if sum(self._have) > before else failures + 1
                if failures >= ATTEMPTS:
                    raise FetchError(unreachable(self._url, error)) from error

    def _first_missing(self, start: int) -> int:
        block = start // BLOCK
        while block < len(self._have) and self._have[block]:
            block += 1
        return max(start, block * BLOCK)

    def _receive(self, start: int, stop: int) -> int:
        with self._asked(start, stop) as response:
            ranged = response.status_code == requests.codes.partial_content
            if ranged:
                self._check_range(response, start, stop)
            else:
                self.ignores_ranges = True
                start, stop = 0, self.size
                length = response.headers.get("Content-Length", "")
                if length.isdigit() and int(length) != self.size:
                    raise self._changed(f"it has {int(length):,} bytes")
            return self._write(response.iter_content(BLOCK), start, stop)

    def _asked(self, start: int, stop: int) -> requests.Response:
        headers = {"Range": f"bytes={start}-{stop - 1}", "Accept-Encoding": "identity"}
        response = self._session.get(self._url, headers=headers, stream=True)
        if response.status_code in (400, 403) and self._url != self._base:  # a signed address expires
            response.close()
            self._url = self._base
            response = self._session.get(self._url, headers=headers, stream=True)
        self.requests += 1
        if response.status_code in (requests.codes.ok, requests.codes.partial_content):
            self._url = response.url
            return response
        with response:
            check_access(response, self.name)
            if response.status_code == requests.codes.not_found:
                raise NotInArchiveError(f"The archive no longer gives out {self.name}. List the dandiset again.")
            if response.status_code == requests.codes.requested_range_not_satisfiable:
                raise self._changed("it is shorter")
            raise FetchError(
                f"The archive answered {response.status_code} {response.reason} for {self.name}; expected its bytes. "
                "Try later."
            )

    def _check_range(self, response: requests.Response, start: int, stop: int) -> None:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match is None or int(match[1]) != start or int(match[2]) >= stop:
            found = response.headers.get("Content-Range", "nothing")
            raise FetchError(
                f"The server answered bytes {start}-{stop - 1} of {self.name} with {found!r:.60}. Check for a proxy "
                "between; try later."
            )
        if int(match[3]) != self.size:
            raise self._changed(f"it has {int(match[3]):,} bytes")

    def _changed(self, how: str) -> FetchError:
        self.forget()
        return FetchError(
            f"{self.name} is not the file that the archive lists: {how}, listed are {self.size:,}. List the dandiset "
            "again; a draft may have changed."
        )

    def _write(self, chunks: Iterator[bytes], start: int, stop: int) -> int:
        """Write what comes to its place and mark each block once it is complete; returns where it ends."""
        at, pending = start, bytearray()
        for chunk in chunks:
            self.transferred += len(chunk)
            pending += chunk
            if at + len(pending) > stop:
                raise FetchError(f"The server sends more of {self.name} than it announced. Try later.")
            whole = len(pending) if at + len(pending) == stop else len(pending) // BLOCK * BLOCK
            if whole:
                at = self._store(at, bytes(pending[:whole]))
                del pending[:whole]
            self._progress(Progress(self.name, self.transferred, self.size))
            if self._cancelled():
                raise FetchCancelled(f"Fetching {self.name} was cancelled; what came is kept.")
        if at < stop:
            raise requests.exceptions.ChunkedEncodingError(f"{stop - at} bytes are missing")
        return at

    def _store(self, at: int, data: bytes) -> int:
        first, last = at // BLOCK, -(-(at + len(data)) // BLOCK)
        try:
            os.pwrite(self._data.fileno(), data, at)
            self._have[first:last] = b"\1" * (last - first)
            os.pwrite(self._marks.fileno(), self._have[first:last], first)
        except OSError as error:
            raise self._cannot_write(error) from error
        return at + len(data)

    def _cannot_write(self, error: OSError) -> FetchError:
        return FetchError(
            f"{self.name} cannot be kept in {self.path.parent} ({error.strerror or error}). Free some space there, or "
            "choose another folder."
        )


def _runs(marks: bytearray, value: int) -> list[tuple[int, int]]:
    """Runs of a value, as pairs (first, beyond the last)."""
    return [match.span() for match in re.finditer(b"%c+" % value, marks)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _etag(path: Path) -> str:
    from dandi.support.digests import get_dandietag

    maker: Any = get_dandietag
    return str(maker(path).as_str())
