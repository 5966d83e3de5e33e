"""A server of a script and what a visitor waits for on it, in Chromium."""

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neuroclass.config import PROJECT_DIR

REPEATS = 7
TIMEOUT_MS = 120_000
IDLE = "[data-test-script-state=notRunning]"
ALL_DRAWN = """() => {
    const main = document.querySelector('[data-testid=stMain]');
    if (main.querySelector('[data-testid=stSkeleton]')) return false;
    if (!document.querySelector('[data-test-script-state=notRunning]')) return false;
    if (main.querySelector('[data-stale=true]')) return false;
    const charts = [...main.querySelectorAll('[data-testid=stPlotlyChart]')];
    const open = charts.filter(one => !one.closest('details:not([open])'));
    return charts.length && open.every(one => one.querySelector('.main-svg'));
}"""


@contextmanager
def serving(script: Path, **variables: str) -> Iterator[str]:
    """Address of a server of a script."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    environment = {k: v for k, v in os.environ.items() if k != "NEUROCLASS_DATA"}
    environment |= {"PYTHONPATH": str(PROJECT_DIR), **variables}
    options = ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), *options],
        cwd=PROJECT_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{base}/_stcore/health", timeout=1) as answer:
                    if answer.read() == b"ok":
                        break
            except OSError:
                time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(timeout=20)


def idle(tab: Any) -> None:
    """Wait until the script has ended and its output is drawn."""
    tab.wait_for_selector(IDLE, state="attached")


def waits(work: Callable[[int], None], repeats: int = REPEATS) -> float:
    """Median wall-clock time of `work`, s, after one that does not count."""
    times = []
    for k in range(repeats + 1):
        started = time.perf_counter()
        work(k)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def first_paint(browser: Any, address: str) -> None:
    """A fresh visitor sees the page's title."""
    context = browser.new_context()
    tab = context.new_page()
    tab.set_default_timeout(TIMEOUT_MS)
    tab.goto(address)
    tab.wait_for_selector("h1")
    context.close()


def drawn(browser: Any, address: str) -> None:
    """A fresh visitor sees the page with its first figure, its script ended."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = context.new_page()
    tab.set_default_timeout(TIMEOUT_MS)
    tab.goto(address)
    tab.wait_for_selector("h1")
    tab.wait_for_selector(".js-plotly-plot .main-svg")
    idle(tab)
    context.close()
