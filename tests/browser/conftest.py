"""A fresh server without data, and Debian's Chromium; both skip with a reason where they are absent."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from neuroclass.config import PROJECT_DIR
from neuroclass.ephys import compiled
from tests.browser.axe import fetched

START_S = 180.0
PORTS_TRIED = 3


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _healthy(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/_stcore/health", timeout=1) as answer:
            return bool(answer.read() == b"ok")
    except (OSError, http.client.HTTPException):
        return False


def _start(log: Path, environment: dict[str, str]) -> "tuple[subprocess.Popen[bytes], str]":
    """A server that answers, and its address; a port that another program takes first makes it end."""
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT_DIR / "app.py")]
    command += ["--server.headless", "true", "--server.address", "127.0.0.1", "--server.port"]
    for _ in range(PORTS_TRIED):
        base = f"http://127.0.0.1:{(port := free_port())}"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, str(port)], cwd=PROJECT_DIR, env=environment, stdout=out, stderr=out, start_new_session=True
            )
        deadline = time.monotonic() + START_S
        while process.poll() is None and time.monotonic() < deadline:
            if _healthy(base) and process.poll() is None:
                return process, base
            time.sleep(0.1)
        process.kill()
        process.wait()
    pytest.fail(f"the server did not start: {log.read_text()}")


@contextmanager
def serving(tmp_path: Path, **variables: str) -> Iterator[str]:
    """Address of a fresh server on the demo cohort, or with other environment variables."""
    environment = {k: v for k, v in os.environ.items() if k != "NEUROCLASS_DATA"}
    environment |= {"NEUROCLASS_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"} | variables
    (tmp_path / "cache").mkdir(exist_ok=True)
    (tmp_path / "cache" / "kernels").symlink_to(compiled._CACHE.parent)  # compiled once for all servers
    process, base = _start(tmp_path / "server.log", environment)
    try:
        yield base
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[str]:
    """Address of a server on the demo cohort that nobody has visited."""
    with serving(tmp_path) as base:
        yield base


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server on the demo cohort, one for a module."""
    with serving(tmp_path_factory.mktemp("server")) as base:
        yield base


@pytest.fixture(scope="session")
def browser() -> "Iterator[object]":
    """Headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("there is no chromium on the path (apt-get install chromium)")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The script of axe-core, or an empty one and the reason why it is not at hand."""
    return fetched(tmp_path_factory.mktemp("axe"))
