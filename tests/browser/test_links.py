"""A read-only link between two browsers: the owner makes it, a colleague opens it, the owner withdraws it."""

from typing import Any

import pytest

from neuroclass.ui.classify.linked import GONE
from tests.browser.visiting import follow

pytestmark = pytest.mark.browser
TIMEOUT_MS = 120_000


@pytest.fixture
def two(browser: Any) -> Any:
    """Tabs of two browsers that share no cookie."""
    contexts = [browser.new_context(viewport={"width": 1440, "height": 1000}) for _ in range(2)]
    tabs = [context.new_page() for context in contexts]
    for tab in tabs:
        tab.set_default_timeout(TIMEOUT_MS)
    yield tabs
    for context in contexts:
        context.close()


def _settled(tab: Any) -> None:
    tab.wait_for_timeout(300)
    tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")


def test_a_link_from_its_making_to_its_withdrawal(server: str, two: Any) -> None:
    owner, colleague = two
    owner.goto(f"{server}/classify?example=fast-spiking&section=Export")
    owner.get_by_role("button", name="Make a read-only link").click()
    address = owner.locator("[data-testid=stCode]", has_text="verdict?link=").inner_text().strip()
    assert address.startswith(f"{server}/verdict?link=")
    headline = owner.locator("h2").first.inner_text()

    colleague.goto(address)
    colleague.get_by_role("heading", name="A colleague's verdict, read only").wait_for()
    colleague.get_by_role("heading", name=headline).wait_for()
    sections = colleague.locator(".st-key-verdict-sections")
    sections.get_by_text("Export").wait_for()
    words = sections.inner_text().split("\n")
    assert [word for word in words if word.strip()][-5:] == ["Reasons", "How sure", "Sweeps", "Features", "Export"]
    sections.get_by_text("Sweeps").click()
    colleague.get_by_text("Point at a sweep to read why.").wait_for()
    _settled(colleague)
    assert colleague.get_by_text("Measure and classify again").count() == 0
    sections.get_by_text("Export").click()
    colleague.get_by_text("This cell (JSON)").wait_for()
    assert colleague.get_by_text("Make a read-only link").count() == 0
    assert colleague.locator("[data-testid=stFileUploader]").count() == 0
    follow(colleague, "History")
    colleague.get_by_text("Nothing has been classified in this browser yet").wait_for()

    owner.get_by_role("button", name="Withdraw the link").click()
    owner.get_by_role("button", name="Make a read-only link").wait_for()
    for gone in (address, f"{server}/verdict?link=never"):
        colleague.goto(gone)
        colleague.get_by_text(GONE).wait_for()
        _settled(colleague)
        assert colleague.locator(".st-key-first-screen").count() == 0
