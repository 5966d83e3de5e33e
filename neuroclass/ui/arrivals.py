"""Large uploads, kept on disk from their first byte on: Streamlit would hold each in memory, whole."""

import re
import threading
import time
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from streamlit import config
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from neuroclass.ui.security import Application, Message, Receive, Scope, Send

LARGE_BYTES = 16_000_000
"""What is smaller goes Streamlit's way."""
IDLE_S, CLOSED_S = 3600.0, 300.0
_PLACE = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)$")
_ACCEPTED = 204


@dataclass
class _Arrival:
    file: BinaryIO
    used: float = field(default_factory=time.monotonic)


_lock = threading.Lock()
_arrived: dict[tuple[str, str], _Arrival] = {}


class LargeUploads:
    """Writes the body of a large upload to an unnamed file, and hands Streamlit an empty one of the same name.

    Streamlit decides as always whether the request is accepted; if it is not, the file goes at once.

    Parameters
    ----------
    app : callable
        The ASGI application.
    """

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        place = _large(scope)
        if place is None:
            await self.app(scope, receive, send)
            return
        try:
            form = await Request(scope, receive).form()
        except ClientDisconnect:
            return
        except (MultiPartException, HTTPException):
            await PlainTextResponse("not a form with a file", 400)(scope, receive, send)
            return
        files = [one for one in form.values() if isinstance(one, UploadFile)]
        statuses: list[int] = []

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        await self.app(*_emptied(scope, files), noted)
        for one in files:
            if statuses == [_ACCEPTED]:
                _put(place, one.file)
            else:
                one.file.close()


def _large(scope: Scope) -> tuple[str, str] | None:
    """Session and file of an upload that is large, and no larger than the server takes."""
    if scope["type"] != "http" or scope["method"] != "PUT":
        return None
    found = _PLACE.search(scope["path"])
    length = dict(scope["headers"]).get(b"content-length", b"")
    most = config.get_option("server.maxUploadSize") * 1024 * 1024
    if found is None or not length.isdigit() or not LARGE_BYTES < int(length) <= most:
        return None
    return found[1], found[2]


def _emptied(scope: Scope, files: list[UploadFile]) -> tuple[Scope, Receive]:
    """The request with files of the same names and no content."""
    boundary = Request(scope).headers["content-type"].partition("boundary=")[2].strip('"').encode()
    parts = [b"".join(b"%s: %s\r\n" % pair for pair in one.headers.raw) for one in files]
    body = b"".join(b"--%s\r\n%s\r\n\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary
    headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Message:
        return cast(Message, next(messages, {"type": "http.disconnect"}))

    return {**scope, "headers": [*headers, (b"content-length", b"%d" % len(body))]}, receive


def _put(place: tuple[str, str], file: Any) -> None:
    with _lock:
        before = _arrived.pop(place, None)
        _arrived[place] = _Arrival(file)
    if before is not None:
        before.file.close()


def _place_of(file: UploadedFile) -> tuple[str, str]:
    context = get_script_run_ctx()
    return (context.session_id if context else "", file.file_id)


def opened(file: UploadedFile) -> BinaryIO:
    """The content of an uploaded file from its first byte on, wherever it is kept."""
    with _lock:
        arrival = _arrived.get(_place_of(file))
        if arrival is not None:
            arrival.used = time.monotonic()
    source = cast(BinaryIO, file) if arrival is None else arrival.file
    source.seek(0)
    return source


def forget(file: UploadedFile) -> None:
    """Delete an upload that is kept elsewhere by now."""
    with _lock:
        arrival = _arrived.pop(_place_of(file), None)
    if arrival is not None:
        arrival.file.close()


def forget_idle() -> None:
    """Delete what no page has asked for in an hour, and what closed sessions left."""
    now = time.monotonic()
    with _lock:
        gone = [place for place, one in _arrived.items() if now - one.used > (CLOSED_S, IDLE_S)[_is_open(place[0])]]
        files = [_arrived.pop(place).file for place in gone]
    for file in files:
        file.close()


def _is_open(session: str) -> bool:
    return Runtime.exists() and Runtime.instance().is_active_session(session)
