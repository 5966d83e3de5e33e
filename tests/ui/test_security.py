"""Headers of every answer, and the pages of other origins that are refused."""

from typing import Any

import pytest
from streamlit import config

from neuroclass.ui.security import HEADERS, POLICY, OwnOrigin, SafeHeaders
from tests import loops

HOST = "lab.example:8501"
FOREIGN = (
    *("http://evil.example", "http://lab.example", "http://lab.example:9000", "https://lab.example.evil:8501"),
    *("null", "", "http://localhost:9999", "http://127.0.0.1:8501", "http://user@evil.example:8501"),
)


def answered(middleware: Any, kind: str, *headers: tuple[bytes, bytes]) -> tuple[bool, list[dict[str, Any]]]:
    """Whether a request reaches the application, and the messages that the client gets."""
    reached, sent = [], []

    async def app(scope, receive, send) -> None:
        reached.append(scope)
        if kind == "http":
            theirs = [(b"content-type", b"text/html"), (b"X-Content-Type-Options", b"other")]
            await send({"type": "http.response.start", "status": 200, "headers": theirs})

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message) -> None:
        sent.append(message)

    loops.run(middleware(app)({"type": kind, "headers": [(b"host", HOST.encode()), *headers]}, receive, send))
    return bool(reached), sent


def test_every_answer_carries_each_header_once():
    _, (start,) = answered(SafeHeaders, "http")
    for name, value in HEADERS:
        assert [v for n, v in start["headers"] if n.lower() == name] == [value]
    assert (b"content-type", b"text/html") in start["headers"]


def test_nothing_is_loaded_from_elsewhere_and_no_other_site_frames_a_page():
    sources = {word for value in POLICY.values() for word in value.split()}
    assert sources <= {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "'wasm-unsafe-eval'", "data:", "blob:"}
    assert POLICY["frame-ancestors"] == "'self'" and POLICY["object-src"] == "'none'"


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_origin_is_refused(origin):
    for kind in ("websocket", "http"):
        reached, sent = answered(OwnOrigin, kind, (b"origin", origin.encode()))
        assert not reached
        assert sent[0] == {"type": "websocket.close", "code": 1008} if kind == "websocket" else sent[0]["status"] == 403


def test_one_foreign_origin_among_several_is_enough():
    own, other = (b"origin", f"http://{HOST}".encode()), (b"Origin", b"http://evil.example")
    assert not answered(OwnOrigin, "websocket", own, other)[0]


@pytest.mark.parametrize(
    "headers", [(), ((b"origin", f"http://{HOST}".encode()),), ((b"origin", b"https://" + HOST.encode()),)]
)
def test_the_servers_own_pages_and_programs_without_a_page_are_served(headers):
    for kind in ("websocket", "http"):
        assert answered(OwnOrigin, kind, *headers)[0]


@pytest.mark.parametrize(
    "option, value, origin",
    [
        ("server.corsAllowedOrigins", ["https://proxy.example"], "https://proxy.example"),
        ("browser.serverAddress", "public.example", "https://public.example"),
        ("server.enableCORS", False, "http://evil.example"),
    ],
)
def test_a_lab_says_which_other_origins_are_its_own(option, value, origin):
    before = config.get_option(option)
    assert not answered(OwnOrigin, "websocket", (b"origin", origin.encode()))[0]
    config.set_option(option, value)
    try:
        assert answered(OwnOrigin, "websocket", (b"origin", origin.encode()))[0]
        if option != "server.enableCORS":
            assert not answered(OwnOrigin, "websocket", (b"origin", b"http://evil.example"))[0]
    finally:
        config.set_option(option, before, "<default>")
