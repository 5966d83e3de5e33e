"""A fresh server without data, and Debian's Chromium; both skip with a reason where they are absent."""

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

START_S = 60.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _healthy(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/_stcore/health", timeout=1) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


@contextmanager
def serving(tmp_path: Path, **variables: str) -> Iterator[str]:
    """Address of a fresh server on the demo cohort, or with other environment variables."""
    base = f"http://127.0.0.1:{(port := _free_port())}"
    environment = {k: v for k, v in os.environ.items() if k != "NEUROCLASS_DATA"}
    environment |= {"NEUROCLASS_CACHE": str(tmp_path / "cache"), "OMP_NUM_THREADS": "1"} | variables
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT_DIR / "app.py")]
    options = ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *options], cwd=PROJECT_DIR, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_S
        while not _healthy(base):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server did not start: {(tmp_path / 'server.log').read_text()}")
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Address of a fresh server on the demo cohort."""
    with serving(tmp_path) as base:
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
