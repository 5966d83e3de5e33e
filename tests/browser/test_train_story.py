"""A training run in a real browser: started, left, found again by its link, killed, resumed, paused, done, and used."""

import json
import os
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import serving
from tests.browser.test_models import pick, settled, without_evaluation
from tests.browser.visiting import follow

pytestmark = pytest.mark.browser
WAIT_MS = 240_000
OWN_REPORT = "Left alone (lspin), a model of the library: its own report"


def _until(condition: Callable[[], bool], seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _epochs(run: Path) -> int:
    try:
        return len(json.loads((run / "history.json").read_text())["epochs"])
    except (OSError, ValueError):
        return 0


def pictures(page: Any, name: str, height: int) -> None:
    """Screenshots at two widths in both themes, where a folder is asked for."""
    if not (folder := os.environ.get("SCREENSHOTS")):
        return
    for width in (1440, 1024):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(4000)
            page.screenshot(path=f"{folder}/{name}-{width}-{scheme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1440, "height": 1300})


def _used(page: Any, base: str) -> None:
    """The model of the run: beside the shipped one, chosen, asked about a recording, with its SHAP values and gates."""
    page.goto(f"{base}/models")
    pick(page, "Left alone")
    page.get_by_text(re.compile(r"settings? differs?$")).first.wait_for()
    follow(page, "Classify")
    page.get_by_role("button", name="A fast-spiking cell").click()
    page.get_by_text("Mouse subclass (Left alone)").first.wait_for()
    settled(page)
    assert "model=" in page.url
    page.get_by_text("classified by Left alone").first.wait_for()
    follow(page, "SHAP")
    page.get_by_role("button", name="Make its report").click()
    page.get_by_text(OWN_REPORT).first.wait_for()
    settled(page)
    pictures(page, "shap-of-own", 1500)
    follow(page, "Gates")
    page.get_by_text(OWN_REPORT).first.wait_for()
    settled(page)
    pictures(page, "gates-of-own", 1500)
    assert page.locator("[data-testid=stException]").count() == 0


def test_a_run_outlives_its_tab_and_its_process(tmp_path: Path, browser: Any) -> None:
    with serving(tmp_path) as base:
        visitor = browser.new_context(viewport={"width": 1440, "height": 1300})
        page = visitor.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{base}/train")
        page.get_by_label("Name of the model").fill("Left alone")
        page.get_by_label("Name of the model").press("Enter")
        page.get_by_text("Settings", exact=True).click()
        members = page.get_by_role("spinbutton", name="Networks in the ensemble")
        members.fill("3")
        members.press("Enter")
        page.get_by_text("Terminal command", exact=True).click()
        page.get_by_text("--name 'Left alone'").wait_for()
        page.get_by_text("n_members=3").wait_for()
        without_evaluation(page)
        page.get_by_role("button", name="Start training").click()
        page.wait_for_url("**job=*")
        link = page.url
        run = tmp_path / "cache" / "jobs" / link.split("job=")[1].split("&")[0]
        page.close()
        _until(lambda: _epochs(run) >= 2)
        os.killpg(json.loads((run / "job.json").read_text())["pid"], signal.SIGKILL)
        page = visitor.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(link)
        page.get_by_text("Interrupted: its process was killed").wait_for()
        done = _epochs(run)
        page.get_by_role("button", name="Resume").click()
        _until(lambda: _epochs(run) > done)
        page.get_by_role("button", name="Pause").click()
        page.get_by_text("Paused; it continues where it was").wait_for()
        page.get_by_role("button", name="Resume").click()
        page.get_by_text("It is on the Models page too.").wait_for()
        page.get_by_text("While training:").wait_for()
        assert page.get_by_text("Traceback").count() == 0
        pictures(page, "train", 2600)
        _used(page, base)
        visitor.close()
    card = json.loads((run / "model" / "lspin" / "card.json").read_text())
    assert card["name"] == "Left alone" and card["training_cells"]["simulated"]
    assert len(json.loads((run / "history.json").read_text())["epochs"]) == card["validation"]["n_epochs"] == 30
