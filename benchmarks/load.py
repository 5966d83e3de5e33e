"""Twenty sessions that classify at once: time from drop to verdict, errors, and the server's memory.

Each session speaks the browser's protocol over its own websocket, with its own cookies, and uploads a file of its own
(the same recording with some bytes after its end, so that no answer comes from a cache). The server is started for the
purpose, and its memory is read before, at its highest, and after the sessions have gone. One session alone is timed
first, as the reference.

    python -m benchmarks.load RECORDING [--sessions 20]
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from websockets.sync.client import ClientConnection, connect

from neuroclass.config import PROJECT_DIR

GIVE_UP_S = 180.0
AFTER_S = 150.0  # Streamlit keeps a closed session for 120 s, in case it comes back
VERDICT = ("calibrated probability", "Cannot say", "was refused")
XSRF = "_streamlit_xsrf"


@dataclass
class Outcome:
    """What one session saw, s from the drop."""

    verdict_s: float = np.nan
    whole_s: float = np.nan
    errors: list[str] = field(default_factory=list)


class Session:
    """A browser tab without a browser."""

    def __init__(self, base: str) -> None:
        self.http = requests.Session()
        self.base = base
        self.http.get(f"{base}/classify", timeout=GIVE_UP_S)
        self.http.get(f"{base}/_stcore/health", timeout=GIVE_UP_S)
        self.http.get(f"{base}/_stcore/host-config", timeout=GIVE_UP_S)
        cookies = "; ".join(f"{c.name}={c.value}" for c in self.http.cookies)
        self.token = self.http.cookies.get(XSRF, "")
        self.open = ExitStack()
        channel = connect(
            f"{base.replace('http', 'ws')}/_stcore/stream",
            additional_headers={"Cookie": cookies},
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


def visit(base: str, content: bytes, number: int, start: threading.Barrier | None = None) -> Outcome:
    """Open the page, wait for the others, drop a file and read the verdict."""
    outcome = Outcome()
    session = None
    try:
        session = Session(base)
        outcome.errors += session.run()
        if start:
            start.wait(GIVE_UP_S)
        began = time.monotonic()

        def seen(text: str) -> None:
            if outcome.verdict_s != outcome.verdict_s and any(word in text for word in VERDICT):
                outcome.verdict_s = time.monotonic() - began

        session.upload(f"cell{number}.abf", content + number.to_bytes(8, "little"))
        outcome.errors += session.run(seen)
        outcome.whole_s = time.monotonic() - began
        if outcome.verdict_s != outcome.verdict_s:
            outcome.errors.append("no verdict")
    except Exception as error:
        outcome.errors.append(f"{type(error).__name__}: {error}"[:200])
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
        self.process, self.mb, self.done = process, 0.0, threading.Event()

    def run(self) -> None:
        """Look five times a second."""
        while not self.done.wait(0.2):
            self.mb = max(self.mb, memory(self.process))


def serve(folder: str) -> tuple["subprocess.Popen[bytes]", str]:
    """Start a server and wait until it is warm."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT_DIR / "app.py"), "--server.port", str(port)]
    options = ["--server.headless", "true", "--server.address", "127.0.0.1"]
    environment = {**os.environ, "NEUROCLASS_CACHE": folder}
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


def crowd(base: str, content: bytes, sessions: int) -> list[Outcome]:
    """All sessions drop their file at the same moment."""
    start = threading.Barrier(sessions)
    outcomes: list[Outcome] = [Outcome()] * sessions

    def work(k: int) -> None:
        outcomes[k] = visit(base, content, 1000 + k, start)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--sessions", type=int, default=20)
    args = parser.parse_args()
    content = args.recording.read_bytes()
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {len(content) / 1e6:.1f} MB a file")
    with tempfile.TemporaryDirectory() as folder:
        server, base = serve(folder)
        try:
            process = psutil.Process(server.pid)
            alone: list[Any] = [visit(base, content, k) for k in range(4)]
            before = memory(process)
            watch = Highest(process)
            watch.start()
            outcomes = crowd(base, content, args.sessions)
            watch.done.set()
            time.sleep(AFTER_S)
            after = memory(process)
        finally:
            server.terminate()
            server.wait()
    errors = [text for one in [*alone, *outcomes] for text in one.errors]
    verdicts = np.array([one.verdict_s for one in outcomes])
    whole = np.array([one.whole_s for one in outcomes])
    one = np.median([each.verdict_s for each in alone[1:]])
    print(f"one session alone, median of 3: verdict after {one:.2f} s")
    print(
        f"{args.sessions} sessions at once: verdict after {np.nanmedian(verdicts):.1f} s (median), "
        f"{np.nanpercentile(verdicts, 95):.1f} s (p95), {np.nanpercentile(verdicts, 95) / one:.1f} times one alone; "
        f"whole page p95 {np.nanpercentile(whole, 95):.1f} s"
    )
    print(f"server memory: {before:,.0f} MB before, {watch.mb:,.0f} MB at most, {after:,.0f} MB {AFTER_S:.0f} s after")
    print(f"errors: {len(errors)}" + "".join(f"\n  {text}" for text in sorted(set(errors))[:10]))
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
