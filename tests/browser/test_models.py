"""A model of one's own: upload it, choose it, classify with it, share the link, delete it, upload it again."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from neuroclass.cohort.demo import load_demo
from neuroclass.features import FEATURE_NAMES
from neuroclass.library.library import ModelLibrary
from neuroclass.library.package import export_model
from neuroclass.reports.own import train_into
from tests.browser.conftest import serving
from tests.browser.visiting import TIMEOUT_MS, Visitor, follow

pytestmark = pytest.mark.browser
NAME = "a sceptic's LDA"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A model from elsewhere, as one file."""
    elsewhere = ModelLibrary(tmp_path / "elsewhere", tmp_path / "no jobs")
    entry = train_into(elsewhere, "lda", load_demo(), "subclass", NAME)
    path = tmp_path / "lda.neuroclass.zip"
    path.write_bytes(export_model(entry))
    return path


@pytest.fixture
def visitor(tmp_path: Path, browser: Any) -> Iterator[Visitor]:
    with serving(tmp_path) as base:
        context = browser.new_context(viewport={"width": 1440, "height": 1300})
        yield Visitor(context.new_page(), base)
        context.close()


def settled(tab: Any) -> None:
    tab.wait_for_timeout(400)
    tab.wait_for_selector("[data-test-script-state=notRunning]", state="attached")


def without_evaluation(tab: Any) -> None:
    """Decline the evaluation that a training run is followed by."""
    settled(tab)
    option = tab.get_by_role("option", name="No evaluation")
    for _ in range(10):  # a page that is still being drawn shuts the list
        tab.get_by_role("combobox", name="Evaluate").click()
        with suppress(Exception):
            option.click(timeout=3_000)
            break
    tab.get_by_text("no accuracy on held-out donors").first.wait_for()
    settled(tab)


def upload(visitor: Visitor, package: Path) -> None:
    tab = visitor.tab
    visitor.open("models")
    tab.get_by_text("Upload a model").click()
    tab.locator(".st-key-model-file input[type=file]").set_input_files(str(package))
    tab.get_by_text("is in the library").first.wait_for()
    settled(tab)


def pick(tab: Any, text: str) -> None:
    tab.locator(".st-key-model-picker input").click()
    tab.get_by_role("option", name=text).first.click()
    settled(tab)


def test_a_model_is_uploaded_chosen_used_shared_deleted_and_uploaded_again(
    visitor: Visitor, package: Path, tmp_path: Path
) -> None:
    tab = visitor.tab
    frame = load_demo().frame
    cells = tmp_path / "cell.csv"
    frame[frame["species"] == "mouse"].head(1)[["species", *FEATURE_NAMES]].to_csv(cells, index=False)

    upload(visitor, package)
    pick(tab, NAME)
    assert "model=lda-" in tab.url
    follow(tab, "Classify")
    tab.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(str(cells))
    tab.get_by_text(f"Mouse subclass ({NAME})").first.wait_for()
    settled(tab)
    assert "model=lda-" in tab.url
    visitor.check()

    other = tab.context.new_page()
    other.set_default_timeout(TIMEOUT_MS)
    other.goto(tab.url)
    other.get_by_text(f"Mouse subclass ({NAME})").first.wait_for()
    assert other.locator("[data-testid=stException]").count() == 0

    follow(tab, "Gates")
    tab.get_by_text("has no gates").first.wait_for()
    follow(tab, "SHAP")
    tab.get_by_text("has no report yet").first.wait_for()
    visitor.check()

    link = other.url
    visitor.open("models")
    delete = tab.locator("[data-testid=stPopover] button", has_text="Delete")
    delete.click()
    tab.get_by_role("button", name="Delete this model").click()
    tab.get_by_text("was deleted").first.wait_for()
    settled(tab)
    other.goto(link)
    other.get_by_text("is not used").first.wait_for()

    upload(visitor, package)
    again = tab.context.new_page()
    again.set_default_timeout(TIMEOUT_MS)
    again.goto(link)
    again.get_by_text(f"Mouse subclass ({NAME})").first.wait_for()
    visitor.check()
