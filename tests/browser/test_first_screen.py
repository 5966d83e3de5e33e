"""The answer and its evidence without scrolling, the section that the address keeps, and stepping by keyboard."""

import re
from pathlib import Path
from typing import Any

import pytest

from neuroclass.config import PROJECT_DIR
from tests.browser.visiting import TIMEOUT_MS, Visitor

pytestmark = pytest.mark.browser
PARTS = ("strips", "trace", "reasons", "quality")


@pytest.fixture(autouse=True)
def shipped() -> None:
    if not (PROJECT_DIR / "models" / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")


def settled(tab: Any) -> None:
    tab.wait_for_timeout(500)
    tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_answer_and_evidence_need_no_scrolling(server: str, browser: Any, width: int, height: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": height})
    visitor = Visitor(context.new_page(), server)
    visitor.open("classify?example=awkward")
    tab = visitor.tab
    tab.locator(".st-key-verdict-sections").wait_for(timeout=TIMEOUT_MS)
    settled(tab)
    places = [tab.locator("h2").first, *(tab.locator(f".st-key-verdict-{part}") for part in PARTS)]
    for place in places:
        box = place.bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= height
    visitor.check()
    context.close()


def test_the_section_and_the_cell_outlast_a_reload_and_keys_step(server: str, browser: Any, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    visitor = Visitor(context.new_page(), server)
    tab, table = visitor.tab, tmp_path / "cells.csv"
    rows = "".join(f"c{k},mouse,{12 + k},0.1,-70,150,0.05\n" for k in range(3))
    table.write_text(f"cell,species,tau,sag,vrest,ri,latency\n{rows}")
    visitor.open("classify")
    tab.set_input_files("[data-testid=stFileUploaderDropzoneInput]", [str(table)])
    tab.get_by_text("1 of 3").wait_for()
    tab.locator(".st-key-verdict-sections").get_by_text("Export").click()
    tab.wait_for_url(re.compile("section=Export"), wait_until="commit")
    settled(tab)
    tab.locator("h1").click()
    tab.keyboard.press("n")
    tab.get_by_text("2 of 3").wait_for()
    tab.wait_for_url(re.compile("row=2"), wait_until="commit")
    settled(tab)
    tab.reload()
    tab.get_by_text("2 of 3").wait_for()
    tab.get_by_text("The command that gives the same numbers").wait_for()
    visitor.check()
    context.close()
