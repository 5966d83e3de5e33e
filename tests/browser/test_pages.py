"""In a real browser, offline: every address opens its page, nothing is asked of the outside."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neuroclass.config import PROJECT_DIR

pytestmark = pytest.mark.browser
ADDRESSES = ("", "explore", "train", "performance", "domains", "shap", "gates", "classify", "history", "methods")
TIMEOUT_MS = 120_000


class Visitor:
    """A browser tab that notes what goes wrong."""

    def __init__(self, tab: Any, base: str) -> None:
        self.tab, self.base = tab, base
        self.outside: list[str] = []
        self.errors: list[str] = []
        tab.set_default_timeout(TIMEOUT_MS)
        tab.on("request", self._note)
        tab.on("pageerror", lambda error: self.errors.append(str(error)))

    def _note(self, request: Any) -> None:
        own = (self.base, self.base.replace("http", "ws"), "data:", "blob:")
        if not request.url.startswith(own):
            self.outside.append(request.url)

    def open(self, address: str) -> None:
        """Open an address and wait until its script has ended."""
        self.tab.goto(f"{self.base}/{address}")
        self.tab.wait_for_selector("h1")
        self.tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")

    def check(self) -> None:
        """Nothing was raised, and nothing asked of the outside."""
        assert self.tab.locator("[data-testid=stException]").count() == 0
        assert self.tab.get_by_text("Page not found").count() == 0
        assert self.errors == []
        assert self.outside == []


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def visitor(server: str, tab: Any) -> Visitor:
    return Visitor(tab, server)


@pytest.mark.parametrize("address", ["gates", "classify"])
def test_the_first_visit_to_a_fresh_server_finds_the_page(fresh_server: str, tab: Any, address: str) -> None:
    visitor = Visitor(tab, fresh_server)
    visitor.open(address)
    assert visitor.tab.locator("h1").inner_text().lower() == address
    visitor.check()


def test_every_address_opens_without_error_in_both_themes(visitor: Visitor) -> None:
    for scheme in ("light", "dark"):
        visitor.tab.emulate_media(color_scheme=scheme)
        for address in ADDRESSES:
            visitor.open(address)
            assert visitor.tab.locator("h1").inner_text().lower() == (address or "overview")
            visitor.check()


def test_a_shared_address_opens_the_same_cells(visitor: Visitor) -> None:
    visitor.open("explore")
    everything = visitor.tab.get_by_text("pass the filters").inner_text()
    visitor.tab.get_by_label("Query", exact=True).fill("sag > 0.05")
    visitor.tab.keyboard.press("Enter")
    visitor.tab.wait_for_function("text => !document.body.innerText.includes(text)", arg=everything)
    shown = visitor.tab.get_by_text("pass the filters").inner_text()
    visitor.tab.wait_for_url(re.compile("query="), wait_until="commit")
    other = visitor.tab.context.browser.new_context().new_page()
    other.goto(visitor.tab.url)
    other.get_by_text("pass the filters").wait_for(timeout=TIMEOUT_MS)
    assert other.get_by_text("pass the filters").inner_text() == shown
    other.context.close()
    visitor.check()


def test_an_uploaded_table_is_classified_and_a_bad_file_refused(visitor: Visitor, tmp_path: Path) -> None:
    if not (PROJECT_DIR / "models" / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
    table = tmp_path / "cells.csv"
    table.write_text("cell,species,tau,sag,vrest,ri,latency\nA,mouse,20,0.1,-70,150,0.05\n")
    bad = tmp_path / "bad.abf"
    bad.write_bytes(b"not a recording")
    visitor.open("classify")
    visitor.tab.set_input_files("[data-testid=stFileUploaderDropzoneInput]", [str(bad)])
    visitor.tab.get_by_text("was refused").wait_for()
    visitor.open("classify")
    visitor.tab.set_input_files("[data-testid=stFileUploaderDropzoneInput]", [str(table)])
    visitor.tab.get_by_text("Can it be trusted?").wait_for()
    visitor.tab.get_by_text("Take it away").wait_for()
    visitor.check()
