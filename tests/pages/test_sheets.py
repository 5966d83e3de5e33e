"""A spreadsheet with several sheets on the Classify page."""

import pytest

from tests.io.test_feature_table import workbook
from tests.pages.test_keeping import headline, upload

HEADER = ["cell", "species", "tau", "sag", "vrest", "ri", "latency"]
pytestmark = pytest.mark.usefixtures("shipped_models")


@pytest.fixture
def lab() -> bytes:
    return workbook(
        Young=[HEADER, ["young", "mouse", 20, 0.1, -70, 150, 0.05]],
        Old=[HEADER, ["old", "mouse", 9, 0.02, -75, 90, 0.02]],
        Notes=[["read me"]],
    )


def cell_shown(app) -> str:
    assert headline(app)
    origin = next(one.value for one in app.caption if ", cell " in one.value)
    return origin.rpartition("cell ")[2].partition(":")[0]


def test_the_page_offers_the_sheets_and_classifies_the_chosen_one(open_page, lab):
    app = upload(open_page("classify", section="Export"), ("lab.xlsx", lab))
    (box,) = [one for one in app.selectbox if one.label.startswith("Sheet of")]
    assert box.options[1:] == ["Young", "Old", "Notes"] and cell_shown(app) == "young"
    app = box.set_value("Old").run()
    assert not app.exception and cell_shown(app) == "old"
    assert any("--sheet=Old" in one.value for one in app.code)
    (box,) = [one for one in app.selectbox if one.label.startswith("Sheet of")]
    app = box.set_value("Notes").run()
    assert not app.exception and any("was refused" in one.value for one in app.error)
    assert [one for one in app.selectbox if one.label.startswith("Sheet of")]


def test_an_entry_of_the_history_opens_with_its_sheet(open_page, monkeypatch, lab):
    from types import SimpleNamespace

    monkeypatch.setattr(
        "neuroclass.ui.history.browser_identity.secrets", SimpleNamespace(token_urlsafe=lambda n: "browser-" + "x" * n)
    )
    app = upload(open_page("classify"), ("lab.xlsx", lab))
    (box,) = [one for one in app.selectbox if one.label.startswith("Sheet of")]
    box.set_value("Old").run()
    entry = app.query_params["entry"]
    again = open_page("classify", entry=entry[0] if isinstance(entry, list) else entry)
    assert not again.exception and cell_shown(again) == "old"


def test_a_table_without_sheets_is_offered_none(open_page):
    single = workbook(Only=[HEADER, ["a", "mouse", 20, 0.1, -70, 150, 0.05]])
    app = upload(open_page("classify"), ("lab.xlsx", single))
    assert not [one for one in app.selectbox if one.label.startswith("Sheet of")] and cell_shown(app) == "a"
