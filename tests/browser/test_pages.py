"""In a real browser, offline: every address opens its page, nothing is asked of the outside."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from neuroclass.config import PROJECT_DIR

pytestmark = pytest.mark.browser
ADDRESSES = (
    "",
    "explore",
    "train",
    "performance",
    "domains",
    "shap",
    "gates",
    "classify",
    "history",
    "models",
    "methods",
    "paper",
)
TITLES = {"": "what is this neuron?", "paper": "reproduction of ophir et al. 2023"}
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
            assert visitor.tab.locator("h1").inner_text().lower() == TITLES.get(address, address)
            visitor.check()


def test_a_shared_address_opens_the_same_cells(visitor: Visitor) -> None:
    visitor.open("explore")
    everything = visitor.tab.get_by_text("pass the filters").inner_text()
    visitor.tab.get_by_text("Filter by species, class, layer, donor or any feature", exact=True).click()
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
    visitor.tab.locator(".st-key-verdict-strips").wait_for()
    visitor.tab.locator(".st-key-verdict-sections").get_by_text("Export").wait_for()
    visitor.check()


POLICY = "content-security-policy"
TALK = """([url]) => new Promise(done => {
    const line = new WebSocket(url, ["streamlit"]);
    line.onopen = () => done("open");
    line.onerror = () => done("refused");
})"""


def test_every_page_lives_with_the_content_security_policy(visitor: Visitor, tmp_path: Path) -> None:
    against: list[str] = []
    visitor.tab.on(
        "console", lambda line: against.append(line.text) if "Content Security Policy" in line.text else None
    )
    for address in ADDRESSES:
        answer = visitor.tab.goto(f"{visitor.base}/{address}")
        assert "frame-ancestors 'self'" in answer.headers[POLICY]
        assert answer.headers["x-content-type-options"] == "nosniff"
        visitor.open(address)
        visitor.check()
    table = tmp_path / "cells.csv"
    table.write_text("cell,species,tau,sag,vrest,ri,latency\nA,mouse,20,0.1,-70,150,0.05\nB,mouse,9,0.1,-70,150,0.05\n")
    visitor.open("classify")
    visitor.tab.set_input_files("[data-testid=stFileUploaderDropzoneInput]", [str(table)])
    visitor.tab.locator(".st-key-verdict-sections").get_by_text("Export").wait_for()
    visitor.check()
    assert against == []


def test_the_policy_is_in_force(visitor: Visitor) -> None:
    against: list[str] = []
    visitor.tab.on(
        "console", lambda line: against.append(line.text) if "Content Security Policy" in line.text else None
    )
    visitor.open("methods")
    visitor.tab.evaluate("() => { new Image().src = 'http://example.invalid/pixel.png' }")
    visitor.tab.wait_for_timeout(500)
    assert any("example.invalid" in text for text in against)


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """Address of a page of another application on the same host: the same cookies, another origin."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>elsewhere</h1>")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_page_of_another_origin_opens_no_websocket_and_no_frame(visitor: Visitor, elsewhere: str) -> None:
    stream = f"{visitor.base.replace('http', 'ws')}/_stcore/stream"
    visitor.open("methods")
    assert visitor.tab.evaluate(TALK, [stream]) == "open"
    other = visitor.tab.context.new_page()
    other.goto(elsewhere)
    assert other.evaluate(TALK, [stream]) == "refused"
    refused: list[str] = []
    other.on("console", lambda line: refused.append(line.text))
    other.evaluate("url => { document.body.innerHTML += `<iframe src='${url}/methods'></iframe>` }", visitor.base)
    other.wait_for_timeout(2000)
    assert any("frame-ancestors" in text for text in refused)
    other.close()
