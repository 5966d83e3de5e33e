"""The story of a new user: filter, open a cell, find its rheobase's sweep, share the address, see the same."""

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from neuroclass.cohort.loading import load_cohort
from tests.browser.conftest import serving
from tests.browser.visiting import TIMEOUT_MS, Visitor

pytestmark = pytest.mark.browser
ATTEMPTS, ATTEMPT_MS = 5, 4_000
REAL = os.environ.get("NEUROCLASS_DATA", "")


@pytest.fixture(params=["simulated", "recorded"])
def story(request: Any, tmp_path: Path, browser: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """A visitor of a server on either cohort."""
    if request.param == "recorded" and not (Path(REAL) / "actb_human_ephys_features.csv").is_file():
        pytest.skip("NEUROCLASS_DATA does not name the published tables")
    monkeypatch.setenv("NEUROCLASS_DATA", REAL if request.param == "recorded" else "")
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    with ExitStack() as stack:
        variables = {"NEUROCLASS_DATA": REAL} if request.param == "recorded" else {}
        base = stack.enter_context(serving(tmp_path, **variables))
        context = browser.new_context(viewport={"width": 1440, "height": 1300})
        stack.callback(context.close)
        yield Visitor(context.new_page(), base)


def _choose(tab: Any, key: str, value: str) -> None:
    option = tab.get_by_role("option", name=value, exact=True)
    for _ in range(ATTEMPTS):  # filters that are still unfolding shut their lists
        tab.locator(f".st-key-{key} input").click()
        with suppress(Exception):
            option.click(timeout=ATTEMPT_MS)
            break
        tab.keyboard.press("Escape")
    else:
        option.click()
    tab.keyboard.press("Escape")


def _settled(tab: Any) -> None:
    tab.wait_for_timeout(300)
    tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")


def _tick_first_row(tab: Any) -> None:
    """Tick the table's first row; charts above it may still move it, so the place is looked up at each attempt."""
    button = tab.get_by_role("button", name="Open the cell")
    for _ in range(5):
        canvas = tab.locator("[data-testid=stDataFrame] canvas").first
        canvas.scroll_into_view_if_needed()
        table = canvas.bounding_box()
        tab.mouse.click(table["x"] + 15, table["y"] + 52)
        for _ in range(150):
            if button.is_enabled():
                return
            tab.wait_for_timeout(200)


def test_from_a_filter_to_a_sweep_and_the_shared_address(story: Visitor) -> None:
    tab, cells = story.tab, load_cohort()
    frame = cells.frame
    wanted = frame[
        (frame["species"] == "human")
        & (frame["dendrite_type"] == "aspiny")
        & (frame["layer"] == "2")
        & (frame["sag"] > 0.2)
    ]
    assert len(wanted)
    story.open("explore")
    _settled(tab)
    tab.get_by_text("More filters: donor, line, area or any feature", exact=True).click()
    for key, value in (("f_species", "human"), ("f_dendrite_type", "aspiny"), ("f_layer", "2")):
        _choose(tab, key, value)
    tab.get_by_label("Query", exact=True).fill("sag > 0.2")
    tab.keyboard.press("Enter")
    tab.get_by_text(f"{len(wanted)} of {len(frame):,} cells pass the filters").wait_for()
    _settled(tab)
    _tick_first_row(tab)
    tab.get_by_role("button", name="Open the cell").click()
    heading = tab.get_by_role("heading", name=f"Cell {wanted['id'].iloc[0]}")
    heading.wait_for()
    _settled(tab)
    if cells.simulated:
        link = tab.locator(".st-key-fact-threshold_i_long_square button").first
        number = link.inner_text().split()[-1]
        link.click()
        caption = f"[data-testid=stCaptionContainer]:has-text('Sweep {number}, ')"
        tab.locator(caption).wait_for()
        tab.wait_for_url(re.compile(f"sweep={number}"), wait_until="commit")
    else:
        tab.get_by_text("is not on this machine").wait_for()
        tab.get_by_role("button", name="Fetch the recording").wait_for()
    _settled(tab)
    other = tab.context.browser.new_context().new_page()
    other.set_default_timeout(TIMEOUT_MS)
    other.goto(tab.url)
    other.get_by_role("heading", name=f"Cell {wanted['id'].iloc[0]}").wait_for()
    if cells.simulated:
        other.locator(caption).wait_for()
        assert other.locator(caption).inner_text() == tab.locator(caption).inner_text()
    other.context.close()
    tab.get_by_role("button", name="Back to all cells").click()
    tab.get_by_text(f"{len(wanted)} of {len(frame):,} cells pass the filters").wait_for()
    story.check()
