"""Logins through a real OIDC provider: whose entries are whose."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from neuroclass.cohort.demo import load_demo
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.history import History
from neuroclass.io.history_usage import usage
from neuroclass.io.spool import Spool
from tests.browser.conftest import free_port, serving

pytest.importorskip("oidc_provider_mock", reason="oidc-provider-mock is not installed")
pytestmark = pytest.mark.browser
TIMEOUT_MS = 90_000
PEOPLE = (
    {"sub": "1", "name": "Ada", "email": "ada@lab.example", "email_verified": True},
    {"sub": "2", "name": "Bob", "email": "bob@lab.example", "email_verified": True},
)


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Address of an OIDC provider that knows three people."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port), "--require-nonce", "true"]
    for one in PEOPLE:
        command += ["--user-claims", json.dumps(one)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


class Site:
    """A server with a login, as people see it in a browser."""

    def __init__(self, base: str, folder: Path, context: Any) -> None:
        self.base, self.folder, self.tab = base, folder, context.new_page()
        self.tab.set_default_timeout(TIMEOUT_MS)

    def open(self, address: str, text: str) -> None:
        self.tab.goto(f"{self.base}/{address}")
        self.sees(text)

    def sees(self, text: str) -> None:
        self.tab.get_by_text(text).first.wait_for()

    def log_in(self, subject: str, name: str) -> None:
        self.tab.get_by_role("button", name="Log in").click()
        self.tab.get_by_role("button", name=subject, exact=True).click()
        self.tab.wait_for_url(f"{self.base}/**")
        self.sees(name)

    def log_out(self) -> None:
        self.tab.get_by_role("button", name="Log out").click()
        self.tab.get_by_role("button", name="End session").click()  # the provider asks
        self.tab.wait_for_url(f"{self.base}/**")
        self.tab.get_by_role("button", name="Log in").wait_for()

    def history(self) -> History:
        return History(f"sqlite:///{self.folder / 'history.sqlite'}", Spool(self.folder / "files"))

    def classify(self, row: int) -> None:
        """Upload a cell and wait for its entry."""
        before = sum(one.entries for one in usage(self.history()))
        self.open("classify", "or zip archives")
        content = load_demo().frame[["species", *FEATURE_NAMES]].iloc[[row]].to_csv(index=False)
        field = self.tab.locator("[data-testid=stFileUploaderDropzoneInput]").first
        field.set_input_files({"name": f"cell{row}.csv", "mimeType": "text/csv", "buffer": content.encode()})
        deadline = time.monotonic() + TIMEOUT_MS / 1000
        while sum(one.entries for one in usage(self.history())) == before:
            assert time.monotonic() < deadline, "the upload was not kept"
            self.tab.wait_for_timeout(200)


@pytest.fixture
def visit(provider: str, tmp_path: Path, browser: Any) -> Iterator[Any]:
    """Starts a server with a login and these variables, and opens a browser on it."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(
        f"""[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "{"0123456789abcdef" * 2}"
client_id = "neuroclass"
client_secret = "secret"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""
    )
    with ExitStack() as stack:

        def start(**variables: str) -> Site:
            folder = tmp_path / "history"
            given = {"NEUROCLASS_HISTORY": str(folder), "STREAMLIT_SECRETS_FILES": str(secrets), **variables}
            base = stack.enter_context(serving(tmp_path, **given))
            context = browser.new_context(viewport={"width": 1440, "height": 1000})
            stack.callback(context.close)
            return Site(base, folder, context)

        yield start


def test_an_owner_is_a_login_and_takes_over_what_the_browser_had(visit: Any) -> None:
    site = visit(NEUROCLASS_ADMINS="ada@lab.example")
    site.classify(0)  # before anyone has logged in
    site.log_in("1", "Ada · admin")
    site.classify(1)
    owners = {one.owner: one.entries for one in usage(site.history())}
    assert sorted(owners.values()) == [1, 1]
    site.open("history", "from before you logged in")
    take_over = site.tab.get_by_role("button", name="Take over 1")
    take_over.click()
    take_over.wait_for(state="detached")
    ((ada, entries),) = ((one.owner, one.entries) for one in usage(site.history()))
    assert (ada in owners, entries) == (True, 2)
    site.open("admin", "Revision of the history")
    with site.history().database.session() as session:
        ids = [row[0] for row in session.connection().exec_driver_sql("SELECT id FROM entries")]

    site.log_out()
    site.open("history", "Nothing has been classified in this browser yet")
    site.log_in("2", "Bob · lab")
    assert site.tab.get_by_role("link", name="Admin").count() == 0
    site.open("admin", "Page not found")
    site.open("history", "Nothing has been classified under this login yet")
    site.open(f"classify?entry={ids[0]}", "has not classified")


def test_a_link_goes_from_one_login_to_another_and_to_nobody_without(visit: Any) -> None:
    site = visit()
    site.open("history", "Nothing has been classified in this browser yet")
    site.log_in("1", "Ada · lab")
    site.classify(0)
    site.tab.locator(".st-key-section").get_by_text("Export", exact=True).click()
    site.tab.get_by_role("button", name="Make a read-only link").click()
    address = site.tab.locator("[data-testid=stCode]", has_text="verdict?link=").inner_text().strip()

    site.log_out()
    site.tab.goto(address)
    site.sees("may not open a link")
    site.sees("After logging in, open the link again")
    site.log_in("2", "Bob · lab")
    site.tab.goto(address)
    site.sees("Nothing on this page changes it")
    site.tab.locator(".st-key-first-screen").wait_for()
    site.open("history", "Nothing has been classified under this login yet")
