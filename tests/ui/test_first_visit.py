"""The tour is for a browser's first page only; the tab's title names cell and page."""

from typing import Any

import pytest

from neuroclass.ui import tab_title, tour
from tests import loops


def _answer(cookie: str = "", kind: bytes = b"text/html; charset=utf-8", status: int = 200) -> list[str]:
    """Cookies that a request with this Cookie header is given."""
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-type", kind)] if status == 200 else []
        await send({"type": "http.response.start", "status": status, "headers": headers})

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"sec-fetch-dest", b"document"), *([(b"cookie", cookie.encode())] if cookie else [])]
    loops.run(tour.FirstVisit(app)({"type": "http", "headers": headers}, None, send))
    return [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]


def test_only_the_first_page_of_a_browser_is_marked_new() -> None:
    assert _answer()[0].startswith(f"{tour.COOKIE}={tour.NEW};")
    assert _answer(f"other=1; {tour.COOKIE}={tour.NEW}")[0].startswith(f"{tour.COOKIE}={tour.KNOWN};")
    assert _answer(f"{tour.COOKIE}={tour.KNOWN}") == []
    assert _answer(f"{tour.COOKIE}={tour.NEW}", status=304)[0].startswith(f"{tour.COOKIE}={tour.KNOWN};")
    assert _answer(kind=b"application/json") == []


def test_there_are_six_steps_and_each_names_its_page() -> None:
    assert len(tour.STEPS) == 6
    for name, _, _ in tour.STEPS:
        assert (tour.SHIPPED_DIR / "pages" / f"{name}.py").is_file()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, "Explore · NeuroClass"),
        ("501845630", "501845630 · Explore · NeuroClass"),
        ("x" * 60, f"{'x' * 39}… · Explore · NeuroClass"),
    ],
)
def test_a_tab_carries_cell_and_page(cell: str | None, expected: str) -> None:
    assert tab_title.title("Explore", cell) == expected
