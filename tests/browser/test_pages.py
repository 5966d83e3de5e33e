"""In a real browser, offline: every address opens its page, nothing is asked of the outside."""

import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from neuroclass.cohort.examples import example_recording
from neuroclass.config import PROJECT_DIR
from tests.browser.visiting import TIMEOUT_MS, Visitor

pytestmark = pytest.mark.browser


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
    assert visitor.tab.locator("h1").inner_text().lower().startswith(address)
    visitor.check()


def test_a_shared_address_opens_the_same_cells(visitor: Visitor) -> None:
    visitor.open("explore")
    everything = visitor.tab.get_by_text("pass the filters").inner_text()
    visitor.tab.get_by_text("More filters: donor, line, area or any feature", exact=True).click()
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
    table.write_text("cell,species,tau,sag,vrest,ri,latency\nA,mouse,20,0.1,-70,150,0.05\nB,mouse,9,0.1,-70,150,0.05\n")
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


def test_a_recording_dropped_on_the_front_page_is_classified_there_and_then_closed(
    visitor: Visitor, tmp_path: Path
) -> None:
    if not (PROJECT_DIR / "models" / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
    own = shutil.copy(example_recording("pyramidal"), tmp_path / "my own cell.nwb")
    visitor.open("")
    visitor.tab.locator(".st-key-front-files input[type=file]").set_input_files(own)
    visitor.tab.wait_for_url(re.compile("/classify"), wait_until="commit")
    visitor.tab.locator(".st-key-verdict-sections").wait_for()
    assert "my own cell.nwb" in visitor.tab.locator(".st-key-first-screen").inner_text()
    visitor.still()
    visitor.tab.reload()  # the address names it
    visitor.tab.locator(".st-key-verdict-sections").wait_for()
    visitor.still()
    visitor.open("")
    visitor.tab.locator(".st-key-front-files input[type=file]").set_input_files(own)
    visitor.tab.locator(".st-key-dropped-leave button").click()
    visitor.tab.get_by_text("Or try an example").wait_for()
    assert visitor.tab.locator(".st-key-first-screen").count() == 0
    visitor.check()


TALK = """([url]) => new Promise(done => {
    const line = new WebSocket(url, ["streamlit"]);
    line.onopen = () => done("open");
    line.onerror = () => done("refused");
})"""


def test_the_policy_is_in_force(visitor: Visitor) -> None:
    visitor.open("methods")
    visitor.check()
    with visitor.tab.expect_event("console", lambda line: "example.invalid" in line.text):
        visitor.tab.evaluate("() => { new Image().src = 'http://example.invalid/pixel.png' }")
    assert any("example.invalid" in text for text in visitor.against)


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
    with other.expect_event("console", lambda line: "frame-ancestors" in line.text):
        other.evaluate("url => { document.body.innerHTML += `<iframe src='${url}/methods'></iframe>` }", visitor.base)
    other.close()


def test_the_tour_is_shown_once(visitor: Visitor) -> None:
    tab = visitor.tab
    visitor.open("")
    tab.get_by_text("Tour, 1 of 6").wait_for()
    tab.get_by_role("button", name="Next: Classify").click()
    tab.get_by_text("Tour, 2 of 6").wait_for()
    tab.get_by_role("button", name="Skip the tour").click()
    tab.get_by_text("Tour, 2 of 6").wait_for(state="detached")
    visitor.open("")
    assert tab.get_by_text("Tour, 1 of 6").count() == 0


def test_a_tab_is_titled_by_cell_and_page(visitor: Visitor) -> None:
    visitor.open("methods")
    visitor.tab.wait_for_function("document.title === 'Methods · NeuroClass'")
