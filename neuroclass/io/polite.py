"""HTTP to an archive: few and patient attempts, redirects only to its own hosts, answers of bounded size."""

import contextlib
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from neuroclass.config import LOOPBACK
from neuroclass.errors import EmbargoedError, FetchError
from neuroclass.io.download import TIMEOUT_S

ATTEMPTS = 4
LONGEST_WAIT_S = 60.0
MAX_ANSWER = 64_000_000
_MAX_REDIRECTS = 5
_BUSY = (429, 500, 502, 503, 504)
_STORES = re.compile(r"(dandi[a-z0-9-]*|ember[a-z0-9-]*)\.s3([.-][a-z0-9-]+)?\.amazonaws\.com")
_CHUNK = 1 << 16


def is_allowed(url: str, base: str) -> bool:
    """Whether data of the archive at `base` may come from an address.

    Its own host and the archives' object stores may, over https; of an archive on this machine, this machine alone.
    """
    try:
        found, home = urlsplit(url), urlsplit(base)
        host, own, _ = found.hostname or "", home.hostname or "", found.port
    except ValueError:
        return False
    if found.username or found.password:
        return False
    if own in LOOPBACK:
        return host in LOOPBACK and found.scheme in ("http", "https")
    return found.scheme == "https" and (host == own or _STORES.fullmatch(host) is not None)


class PoliteSession(requests.Session):
    """A session for one archive.

    A busy server is asked again after the time that it names, at most `LONGEST_WAIT_S`, else after 0.5, 1 and 2 s; so
    is one that breaks off. What no second attempt can mend is a `FetchError` at once.

    Parameters
    ----------
    base : str
        Address of the archive's API.
    sleep : callable
        Waits that many seconds.
    """

    def __init__(self, base: str, sleep: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self.base, self.max_redirects, self._sleep = base, _MAX_REDIRECTS, sleep
        self.trust_env = urlsplit(base).hostname not in LOOPBACK  # proxies of the user's environment, but no .netrc
        self.auth = _nobody

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        """As `requests.Session.request`.

        Raises
        ------
        FetchError
            The archive cannot be reached, stays busy, breaks off, or sends elsewhere.
        EmbargoedError
            It answers 401 or 403.
        """
        address = url.decode() if isinstance(url, bytes) else url
        self._check(address)
        streamed = options.pop("stream", False)
        options.setdefault("timeout", TIMEOUT_S)
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                response = super().request(method, url, *args, stream=True, **options)
                if response.status_code not in _BUSY:
                    return response if streamed else _whole(response, address)
                response.close()
                if last:
                    raise FetchError(
                        f"{_shown(address)} answered {response.status_code} {response.reason} {ATTEMPTS} times. Its "
                        "server is busy or down; try again later. What was fetched is kept."
                    )
                self._sleep(_patience(response, attempt))
            except requests.TooManyRedirects as error:
                raise FetchError(f"{_shown(address)} redirects without end. Try later.") from error
            except requests.RequestException as error:
                if last or _is_unreachable(error):
                    raise FetchError(unreachable(address, error)) from error
                self._sleep(0.5 * 2**attempt)
        raise AssertionError("unreachable")

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer redirects to; raises FetchError unless that is the archive's."""
        target = super().get_redirect_target(resp)
        if target:
            self._check(requests.compat.urljoin(resp.url, target))
        return target

    def _check(self, url: str) -> None:
        if not is_allowed(url, self.base):
            raise FetchError(
                f"{_shown(self.base)} sends to {_shown(url)}, which is not of this archive and was not asked. If the "
                "archive has moved its data, a later version of NeuroClass may know it."
            )


def check_access(response: requests.Response, what: str) -> None:
    """Raise EmbargoedError if an answer refuses access."""
    if response.status_code in (401, 403):
        raise EmbargoedError(
            f"The archive does not give {what} to everyone (it answered {response.status_code}): it is embargoed or "
            "private. Choose another one, or wait until it is released."
        )


def unreachable(url: str, error: Exception) -> str:
    """What to say of a server that does not answer, or broke off."""
    if _is_unreachable(error):
        return (
            f"{_shown(url)} cannot be reached. Check the connection; without one, classify files on this machine. "
            "What was fetched is kept."
        )
    return (
        f"The connection to {_shown(url)} broke off {ATTEMPTS} times ({type(error).__name__}). Try again; what was "
        "fetched is kept."
    )


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no credentials that lie in the user's files."""
    return request


def _shown(url: str) -> str:
    """An address without its query, which may carry a signature."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]


def _is_unreachable(error: Exception) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)


def _patience(response: requests.Response, attempt: int) -> float:
    """How long a busy server asks to wait, s; raises FetchError if that is too long."""
    text = response.headers.get("Retry-After", "")
    wait = 0.5 * 2**attempt
    if text.strip().isdigit():
        wait = float(text)
    elif text:
        with contextlib.suppress(ValueError, TypeError):
            wait = max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    if wait > LONGEST_WAIT_S:
        raise FetchError(
            f"{_shown(response.url)} answered {response.status_code} and asks to wait {wait:.0f} s. Try again then; "
            "what was fetched is kept."
        )
    return wait


def _whole(response: requests.Response, url: str) -> requests.Response:
    """Read an answer's body, up to `MAX_ANSWER` bytes."""
    body = bytearray()
    with response:
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > MAX_ANSWER:
                raise FetchError(f"{_shown(url)} answered with more than {MAX_ANSWER / 1e6:.0f} MB. Try later.")
    response._content = bytes(body)
    return response
