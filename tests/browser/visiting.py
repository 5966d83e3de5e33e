"""A browser tab that notes what goes wrong in it."""

import re
from typing import Any

TIMEOUT_MS = 120_000


def follow(tab: Any, name: str) -> None:
    """Go to a page by its link, and wait until it is there: the page before stays in the tab for a while."""
    tab.locator("[data-testid=stSidebarNavLink]", has_text=name).first.click()
    tab.get_by_role("heading", level=1, name=re.compile(rf"^{name}\b")).wait_for()


class Visitor:
    """A tab on a server, with what it asked of the outside, its errors, and complaints of the security policy."""

    def __init__(self, tab: Any, base: str) -> None:
        self.tab, self.base = tab, base
        self.outside: list[str] = []
        self.errors: list[str] = []
        self.against: list[str] = []
        tab.set_default_timeout(TIMEOUT_MS)
        tab.on("request", self._note)
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("console", self._listen)

    def _note(self, request: Any) -> None:
        own = (self.base, self.base.replace("http", "ws"), "data:", "blob:")
        if not request.url.startswith(own):
            self.outside.append(request.url)

    def _listen(self, line: Any) -> None:
        if "Content Security Policy" in line.text:
            self.against.append(line.text)

    def open(self, address: str) -> dict[str, str]:
        """Open an address, wait until its script has ended, and give the headers of the answer."""
        answer = self.tab.goto(f"{self.base}/{address}")
        self.still()
        return dict(answer.headers)

    def still(self) -> None:
        """Wait until the page has a title and its script has ended."""
        self.tab.wait_for_selector("h1")
        self.tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")

    def wrong(self) -> list[str]:
        """What was raised, what was asked of the outside, and what the security policy forbade, so far."""
        shown = [f"exception: {text}" for text in self.tab.locator("[data-testid=stException]").all_inner_texts()]
        lost = ["Page not found"] * bool(self.tab.get_by_text("Page not found").count())
        asked = [f"asked of the outside: {url}" for url in self.outside]
        return shown + lost + [f"error: {error}" for error in self.errors] + asked + self.against

    def check(self) -> None:
        """Nothing was raised, nothing asked of the outside, nothing forbidden by the security policy."""
        assert self.wrong() == []
