"""Downloads that report progress, can be cancelled and resumed, and leave no partial file behind."""

import contextlib
import fcntl
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from neuroclass.errors import FetchError
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

TIMEOUT_S = (10.0, 30.0)
CHUNK_BYTES = 1 << 18
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
SHOWN_CHARACTERS = 80


class FetchCancelled(FetchError):
    """The user stopped a download."""


def never() -> bool:
    """Never cancel a download."""
    return False


@dataclass(frozen=True)
class Transfer:
    """Transfer of files and JSON from a server.

    Attributes
    ----------
    progress : ProgressCallback
        Called with the bytes so far of what is being downloaded.
    cancelled : callable
        Asked after each chunk; True stops the download with `FetchCancelled`.
    partial : Path
        Folder for files that are not complete yet.
    """

    partial: Path
    progress: ProgressCallback = ignore_progress
    cancelled: Callable[[], bool] = never

    def json(self, url: str, what: str) -> Any:
        """Fetch a query's response as JSON.

        Raises
        ------
        FetchError
            If the server cannot be reached, reports an error, breaks off, or answers with anything but JSON.
        """
        body = bytearray()
        with _opened(url, {}) as response:
            total = _length(response)
            for chunk in _chunks(response, url):
                body += chunk
                self._tell(what, len(body), total)
        try:
            return json.loads(bytes(body).decode("utf-8"))
        except ValueError as error:
            start = bytes(body[:SHOWN_CHARACTERS]).decode("utf-8", "replace")
            raise FetchError(
                f"{url} answered with {start!r}, which is not JSON. Check the address, or a proxy between; try later."
            ) from error

    def file(self, url: str, path: Path, signature: bytes = HDF5_SIGNATURE) -> None:
        """Download a file; `path` appears only when it is complete and begins with `signature`.

        What came before a break is kept in the folder for partial files where the server can resume.

        Raises
        ------
        FetchError
            As `json`, or if the body is another kind of file.
        FetchCancelled
            If `cancelled` says so.
        """
        part = self.partial / f"{path.parent.name}-{path.name}.part"
        stamp = part.with_suffix(".etag")
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _alone(part.with_suffix(".lock")):
                self._receive_checked(url, part, stamp, path, signature)
        finally:
            with contextlib.suppress(OSError):
                part.parent.rmdir()

    def _receive_checked(self, url: str, part: Path, stamp: Path, path: Path, signature: bytes) -> None:
        try:
            self._receive(url, part, stamp, path.parent.name)
            with part.open("rb") as stream:
                start = stream.read(max(len(signature), SHOWN_CHARACTERS))
            if not start.startswith(signature):
                _forget(stamp)
                raise FetchError(
                    f"{url} answered with {start[:SHOWN_CHARACTERS]!r}, which is not the file asked for. "
                    "Check the address, or a proxy between; try later."
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            part.replace(path)
            _forget(stamp)
        except BaseException:
            if not stamp.exists():
                _forget(part)
            raise

    def _receive(self, url: str, part: Path, stamp: Path, what: str) -> None:
        headers = {}
        if part.is_file() and stamp.is_file():
            headers = {"Range": f"bytes={part.stat().st_size}-", "If-Range": stamp.read_text()}
        with _opened(url, headers) as response:
            resumed = response.status_code == requests.codes.partial_content
            done = part.stat().st_size if resumed else 0
            length = _length(response)
            total = None if length is None else done + length
            _remember(response, stamp)
            with part.open("ab" if resumed else "wb") as stream:
                for chunk in _chunks(response, url):
                    stream.write(chunk)
                    done += len(chunk)
                    self._tell(what, done, total)

    def _tell(self, what: str, done: int, total: int | None) -> None:
        self.progress(Progress(what, done, total))
        if self.cancelled():
            raise FetchCancelled(f"The download of {what} was cancelled after {done:,} bytes.")


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a file's lock, which the system releases should the process die."""
    with lock.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise FetchError(f"{lock.stem} is being downloaded already; wait until that has ended.") from error
        try:
            yield
        finally:
            _forget(lock)


def _forget(*paths: Path) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _remember(response: requests.Response, stamp: Path) -> None:
    """Keep the file's version where the server can resume it; else forget it."""
    version = response.headers.get("ETag") or response.headers.get("Last-Modified")
    resumable = response.status_code == requests.codes.partial_content or (
        response.headers.get("Accept-Ranges", "").lower() == "bytes"
    )
    if resumable and version and not version.startswith("W/"):
        stamp.write_text(version)
    else:
        stamp.unlink(missing_ok=True)


def _opened(url: str, headers: dict[str, str]) -> requests.Response:
    plain = {"Accept-Encoding": "identity", **headers}
    try:
        response = requests.get(url, headers=plain, stream=True, timeout=TIMEOUT_S)
        response.raise_for_status()
    except requests.HTTPError as error:
        status = f"{error.response.status_code} {error.response.reason}"
        raise FetchError(f"{url} answered {status}; expected the data. Try again later.") from error
    except requests.RequestException as error:
        raise FetchError(
            f"{url} cannot be reached ({type(error).__name__}). Check the connection and the address; "
            "without one, work on published tables or the demo cohort."
        ) from error
    return response


def _chunks(response: requests.Response, url: str) -> Iterator[bytes]:
    try:
        yield from response.iter_content(CHUNK_BYTES)
    except requests.RequestException as error:
        raise FetchError(f"The connection to {url} broke off ({type(error).__name__}). Try again.") from error


def _length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    encoded = response.headers.get("Content-Encoding", "identity") != "identity"
    return int(text) if text.isdigit() and not encoded else None
