"""What a visitor waits for pages while a model trains: ``python -m benchmarks.training``.

Page switches of the simulated cohort in Chromium, in turns without and with a training run of the server's own queue;
medians of wall-clock times, and their difference, which shall stay below 0.3 s.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.browsing import TIMEOUT_MS, idle, serving
from neuroclass.config import PROJECT_DIR
from neuroclass.training.job import State
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.runs import RunConfig

PAGES = ("Explore", "Performance", "SHAP", "Gates", "Domains", "Train", "Methods")
AIM_S = 0.3


def switches(tab: Any) -> list[float]:
    """Seconds from the click on each page's link to its script's end."""
    found = []
    for page in PAGES:
        started = time.perf_counter()
        tab.locator("[data-testid=stSidebarNavLink]", has_text=page).click()
        tab.locator("h1", has_text=page).wait_for()
        idle(tab)
        found.append(time.perf_counter() - started)
    return found


def measure(browser: Any, cache: Path, rounds: int) -> dict[str, list[float]]:
    """Page switches in turns, idle and while a run trains."""
    registry = JobRegistry(cache / "jobs")
    waits: dict[str, list[float]] = {"idle": [], "training": []}
    with serving(PROJECT_DIR / "app.py", NEUROCLASS_CACHE=str(cache)) as base:
        tab = browser.new_page(viewport={"width": 1440, "height": 900})
        tab.set_default_timeout(TIMEOUT_MS)
        tab.goto(base)
        idle(tab)
        switches(tab)
        for _ in range(rounds):
            waits["idle"] += switches(tab)
            run = registry.start(RunConfig("lspin", {"steps": 20_000}))
            while not registry.look(run).history:
                time.sleep(0.1)
            waits["training"] += switches(tab)
            assert registry.look(run).state is State.RUNNING
            registry.cancel(run)
        tab.close()
    return waits


def main() -> None:
    """Print both medians, their difference and ratio."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns (default: 3)")
    rounds = parser.parse_args().rounds
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("There is no chromium on the path (apt-get install chromium).")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as driver:
        os.environ["NEUROCLASS_CACHE"] = name
        os.environ.pop("NEUROCLASS_DATA", None)
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        load = os.getloadavg()[0]
        waits = measure(browser, Path(name), rounds)
        browser.close()
    medians = {kind: statistics.median(values) for kind, values in waits.items()}
    answer = {
        "page switch, s": {kind: round(value, 2) for kind, value in medians.items()},
        "difference, s": round(medians["training"] - medians["idle"], 2),
        "aim, s": AIM_S,
        "ratio": round(medians["training"] / medians["idle"], 2),
        "load before and after": [round(load, 1), round(os.getloadavg()[0], 1)],
        "processors": os.cpu_count(),
    }
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
