"""The pictures of the pages, on the demo cohort: ``python -m docs.scripts.make_screenshots``.

Needs Chromium (``apt-get install chromium``). Starts a server of its own on a free port, with an empty cache.
"""

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.browsing import IDLE, TIMEOUT_MS, serving
from neuroclass.cohort.demo import load_demo
from neuroclass.cohort.examples import example_recording
from neuroclass.cohort.selections import encode
from neuroclass.config import PROJECT_DIR
from neuroclass.ui.explore.linked_views import ADDRESS

FOLDER = PROJECT_DIR / "docs" / "screenshots"
CELL, SWEEP = "simulated-mouse-sst-012", 11
NARROW_MS, LOWEST_RATIO = 0.7, 2.2
DRAWN_MS = 2_500


@dataclass(frozen=True)
class Shot:
    """One picture: page with its query, height (px), text to scroll to, colours, and what to do first."""

    name: str
    address: str
    height: int = 900
    scroll_to: str = ""
    dark: bool = False
    first: Callable[[Any], None] | None = None


def _fast_spiking() -> str:
    """The address of Explore with the narrow, symmetric spikes selected."""
    frame = load_demo().frame
    narrow = (frame["width"] * 1e3 < NARROW_MS) & (frame["upstroke_downstroke_ratio"] < LOWEST_RATIO)
    return f"explore?{ADDRESS}={encode(frame.loc[narrow, 'id'].tolist(), frame['id'].tolist())}"


def _upload(tab: Any) -> None:
    """Drop the example recording on Classify and wait for the verdict with its reasons."""
    with tempfile.TemporaryDirectory() as folder:
        tab.locator("input[type=file]").first.set_input_files(example_recording("fast-spiking", folder))
        tab.locator(".st-key-verdict-strips").wait_for()
    tab.locator(".st-key-verdict-sections").wait_for()


def shots() -> Iterator[Shot]:
    """Every picture."""
    cell = f"explore?cell={CELL}&sweep={SWEEP}"
    yield Shot("overview", "", 1000)
    for suffix, dark in (("", False), ("-dark", True)):
        yield Shot(f"explore{suffix}", _fast_spiking(), 1150, "x axis", dark)
        yield Shot(f"cell{suffix}", cell, 1150, "Sweeps", dark)
    yield Shot("classify", "classify", 1200, first=_upload)
    yield Shot("performance-dark", "performance", dark=True)
    yield Shot("shap", "shap")
    yield Shot("gates", "gates")
    yield Shot("domains-dark", "domains", dark=True)


@contextmanager
def running_browser() -> Iterator[Any]:
    """Headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        raise SystemExit("There is no chromium on the path: apt-get install chromium.")
    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield running
        running.close()


def take(browser: Any, base: str, shot: Shot, folder: Path) -> None:
    """Open a page as a new visitor and write its picture."""
    context = browser.new_context(
        viewport={"width": 1440, "height": shot.height}, color_scheme="dark" if shot.dark else "light"
    )
    tab = context.new_page()
    tab.set_default_timeout(TIMEOUT_MS)
    tab.goto(f"{base}/{shot.address}")
    tab.wait_for_selector("h1")
    tab.wait_for_selector(IDLE, state="attached")
    if shot.first:
        shot.first(tab)
    if shot.scroll_to:
        place = tab.get_by_text(shot.scroll_to, exact=True).first
        place.wait_for()
        place.evaluate("one => one.scrollIntoView({block: 'start'})")
    tab.wait_for_selector(IDLE, state="attached")
    tab.wait_for_timeout(DRAWN_MS)
    tab.wait_for_selector(IDLE, state="attached")
    if tab.locator("[data-testid=stException]").count() or tab.get_by_text("Page not found").count():
        raise SystemExit(f"{shot.address} shows an error.")
    tab.screenshot(path=folder / f"{shot.name}.png")
    context.close()


def main() -> None:
    """Take all pictures, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="names of pictures; all by default")
    names = parser.parse_args().names
    with (
        tempfile.TemporaryDirectory() as cache,
        serving(PROJECT_DIR / "app.py", NEUROCLASS_CACHE=cache) as base,
        running_browser() as browser,
    ):
        for shot in shots():
            if not names or shot.name in names:
                take(browser, base, shot, FOLDER)


if __name__ == "__main__":
    main()
