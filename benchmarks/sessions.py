"""A browser tab without a browser, and a server to point it at, for benchmarks of the whole application.

Each session speaks the browser's protocol over its own websocket, with its own cookies.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.sync.client import ClientConnection, connect

from neuroclass.config import PROJECT_DIR
from neuroclass.ephys import compiled
from neuroclass.ui.history.browser_identity import COOKIE

GIVE_UP_S = 300.0
AFTER_S = 150.0  # Streamlit keeps a closed session for 120 s, in case it comes back
VERDICT = ("Expected accuracy", "Calibrated probability", "Cannot say")
REFUSAL = "was refused"
XSRF = "_streamlit_xsrf"


@dataclass
class Outcome:
    """What one session saw, s from the drop."""

    kind: str = ""
    answer_s: float = np.nan
    whole_s: float = np.nan
    errors: list[str] = field(default_factory=list)
    dropped: threading.Event = field(default_factory=threading.Event)


class Session:
    """A browser tab without a browser."""

    def __init__(self, base: str, cookies: Mapping[str, str] | None = None) -> None:
        self.http = requests.Session()
        self.http.cookies.update(dict(cookies or {}))
        self.base = base
        self.http.get(f"{base}/classify", timeout=GIVE_UP_S)
        self.http.get(f"{base}/_stcore/health", timeout=GIVE_UP_S)
        self.http.get(f"{base}/_stcore/host-config", timeout=GIVE_UP_S)
        sent = "; ".join(f"{c.name}={c.value}" for c in self.http.cookies)
        self.token = self.http.cookies.get(XSRF, "")
        self.open = ExitStack()
        channel = connect(
            f"{base.replace('http', 'ws')}/_stcore/stream",
            additional_headers={"Cookie": sent},
            subprotocols=["streamlit", self.token] if self.token else ["streamlit"],  # type: ignore[list-item]
            max_size=None,
            open_timeout=GIVE_UP_S,
        )
        self.socket: ClientConnection = self.open.enter_context(channel)
        self.id, self.uploader = "", ""
        self.states: dict[str, WidgetState] = {}

    def run(self, seen: Callable[[str], None] = lambda _text: None) -> list[str]:
        """Run the page's script to its end; returns what it raised."""
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string = "classify", "species=mouse"
        state.widget_states.CopyFrom(WidgetStates(widgets=list(self.states.values())))
        self.socket.send(message.SerializeToString())
        return self._listen(seen)

    def _listen(self, seen: Callable[[str], None]) -> list[str]:
        errors: list[str] = []
        while True:
            told = ForwardMsg()
            told.ParseFromString(self._bytes())
            kind = told.WhichOneof("type")
            if kind == "new_session":
                self.id = told.new_session.initialize.session_id or self.id
            elif kind == "delta" and told.delta.HasField("new_element"):
                element = told.delta.new_element
                if element.HasField("exception"):
                    errors.append(f"{element.exception.type}: {element.exception.message}"[:200])
                if element.HasField("file_uploader"):
                    self.uploader = element.file_uploader.id
                seen(str(element.markdown.body or element.alert.body))
            elif kind == "script_finished":
                return errors

    def _bytes(self) -> bytes:
        content = self.socket.recv(timeout=GIVE_UP_S)
        return content if isinstance(content, bytes) else content.encode()

    def upload(self, name: str, content: bytes) -> None:
        """Drop a file into the field; the next run sees it."""
        ask = BackMsg()
        ask.file_urls_request.request_id = "1"
        ask.file_urls_request.file_names.append(name)
        ask.file_urls_request.session_id = self.id
        self.socket.send(ask.SerializeToString())
        told = ForwardMsg()
        while told.WhichOneof("type") != "file_urls_response":
            told.ParseFromString(self._bytes())
        place = told.file_urls_response.file_urls[0]
        answer = self.http.put(
            f"{self.base}{place.upload_url}" if place.upload_url.startswith("/") else f"{self.base}/{place.upload_url}",
            files={name: (name, content)},
            headers={"X-Xsrftoken": self.token},
            timeout=GIVE_UP_S,
        )
        answer.raise_for_status()
        state = WidgetState(id=self.uploader)
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.name, info.size, info.file_id = name, len(content), place.file_id
        info.file_urls.CopyFrom(place)
        self.states[self.uploader] = state


@dataclass(frozen=True)
class Upload:
    """A file to drop: its kind, name and content, and whether a refusal is what it should get."""

    kind: str
    name: str
    content: bytes
    refused: bool = False


def visit(
    base: str,
    upload: Upload,
    start: threading.Barrier | None = None,
    outcome: Outcome | None = None,
    cookies: dict[str, str] | None = None,
) -> Outcome:
    """Open the page, wait for the others, drop a file and read the answer.

    Parameters
    ----------
    base : str
        Address of the server.
    upload : Upload
        The file.
    start : Barrier, optional
        Where sessions wait for each other before they drop their files.
    outcome : Outcome, optional
        Filled as the visit goes on.
    cookies : dict, optional
        The browser's identity, sent if it has one and taken up if not.
    """
    outcome, session = outcome or Outcome(), None
    outcome.kind = upload.kind
    try:
        session = Session(base, cookies)
        if cookies is not None:
            cookies[COOKIE] = session.http.cookies.get(COOKIE, "")
        outcome.errors += session.run()
        if start:
            start.wait(GIVE_UP_S)
        began = time.monotonic()
        wanted = (REFUSAL,) if upload.refused else VERDICT

        def seen(text: str) -> None:
            if np.isnan(outcome.answer_s) and any(word in text for word in wanted):
                outcome.answer_s = time.monotonic() - began

        outcome.dropped.set()
        session.upload(upload.name, upload.content)
        outcome.errors += session.run(seen)
        outcome.whole_s = time.monotonic() - began
        if np.isnan(outcome.answer_s):
            outcome.errors.append(f"{upload.kind}: no {'refusal' if upload.refused else 'verdict'}")
    except Exception as error:
        outcome.errors.append(f"{upload.kind}: {type(error).__name__}: {error}"[:200])
        if start:
            start.abort()
    finally:
        if session is not None:
            session.open.close()
    return outcome


def memory(process: psutil.Process) -> float:
    """Resident memory of the server and its parsers, MB."""
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_info().rss
        except psutil.Error:
            continue
    return total / 1e6


class Highest(threading.Thread):
    """Watches a server's memory."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.process, self.done = process, threading.Event()
        self.mb = self.server_mb = 0.0

    def run(self) -> None:
        """Look five times a second."""
        while not self.done.wait(0.2):
            self.mb = max(self.mb, memory(self.process))
            self.server_mb = max(self.server_mb, self.process.memory_info().rss / 1e6)


def serve(folder: str, variables: Mapping[str, str] | None = None) -> tuple["subprocess.Popen[bytes]", str]:
    """Start a server that keeps everything in a folder, and wait until it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT_DIR / "app.py"), "--server.port", str(port)]
    options = ["--server.headless", "true", "--server.address", "127.0.0.1"]
    kernels = Path(folder) / "kernels"
    if not kernels.exists():
        kernels.symlink_to(compiled._CACHE.parent)  # compiled once for all servers
    environment = {**os.environ, "NEUROCLASS_CACHE": folder, **(variables or {})}
    server = subprocess.Popen(
        [*command, *options], cwd=PROJECT_DIR, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    base = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            if requests.get(f"{base}/_stcore/health", timeout=1).text == "ok":
                break
        except requests.RequestException:
            time.sleep(0.2)
    return server, base
