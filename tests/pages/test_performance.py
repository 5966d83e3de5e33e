"""The Performance page's views: what is stored is shown, what is not is asked for, a field leads to its cells."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.reports.store import Document, ReportStore

Open = Callable[..., AppTest]
VIEWS = (
    "Beside other systems",
    "Confusion",
    "Where it errs",
    "Fewer cells or labels",
    "Other recordings",
    "Without labels",
)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("whole", [True, False])
def test_a_view_shows_what_is_stored_and_asks_for_what_is_not(
    view: str, whole: bool, open_page: Open, tiny_models: Path
) -> None:
    if not whole:
        for document in (Document.GROUPS, Document.LEARNING, Document.TAXONOMIES):
            (tiny_models / "lspin" / "evaluation" / document.file).unlink()
    app = open_page("performance", model="LSPIN", view=view)
    assert not app.exception
    assert not app.error
    asked = any("neuroclass.reports.comparisons lspin" in info.value for info in app.info)
    assert asked == (not whole and view in ("Where it errs", "Fewer cells or labels", "Without labels"))


def test_the_table_of_systems_tells_who_is_better(open_page: Open, tiny_models: Path) -> None:
    report = ReportStore("lspin", tiny_models / "lspin")
    rows = report.metrics()
    test = {"difference": -0.02, "low": -0.03, "high": -0.01, "p": 0.001, "p_holm": 0.002}
    svc = next(row for row in rows if (row["model"], row["protocol"]) == ("svc", "donor-cv"))
    assert set(svc["ours_minus_this"]["mouse"]) == set(test)
    svc["ours_minus_this"] = {"all": test, "mouse": test}
    report.write(Document.METRICS, rows)
    table = open_page("performance", model="LSPIN").dataframe[0].value.set_index("system")
    assert table.loc["SVC", "verdict"] == "LSPIN worse"
    assert table.loc["SVC", "p (Holm)"] == "0.0020"
    assert table.loc["LSPIN, ours", "verdict"] == ""
    split = open_page("performance", model="LSPIN", protocol="paper-split").dataframe[0].value.set_index("system")
    assert {"LSPIN, ours", "SVC", "LSPIN, published"} <= set(split.index)
    assert split.loc["LSPIN, published", "accuracy (fraction)"] == 0.916


def test_the_calibration_error_is_the_cards(open_page: Open, tiny_models: Path) -> None:
    shown = next(m for m in open_page("performance", model="DANN").metric if m.label.startswith("Calibration error"))
    stored = ReportStore("dann", tiny_models / "dann").card()["metrics"]["calibration_error"]
    assert float(shown.value) == pytest.approx(stored, abs=6e-4)


def test_a_field_of_the_confusion_in_the_address_lists_its_cells(open_page: Open, tiny_models: Path) -> None:
    predictions = ReportStore("lspin", tiny_models / "lspin").predictions()
    wrong = predictions[predictions["truth"] != predictions["predicted"]]
    truth, predicted = wrong[["truth", "predicted"]].value_counts().index[0]
    inside = wrong[(wrong["truth"] == truth) & (wrong["predicted"] == predicted)]
    app = open_page("performance", model="LSPIN", view="Confusion", true=truth, predicted=predicted)
    assert not app.exception
    assert sorted(app.dataframe[0].value["cell"]) == sorted(inside["id"].unique())
    (link,) = [element for element in app.get("link_button") if "Explore" in element.proto.label]
    assert set(inside["id"]) == set(link.proto.url.removeprefix("explore?ids=").split("%2C"))


def test_cells_of_a_field_are_those_most_often_in_it_first() -> None:
    from neuroclass.ui.performance import confusion

    table = pd.DataFrame(
        {
            "id": ["x", "x", "y", "z"],
            "species": "mouse",
            "truth": ["a", "a", "a", "b"],
            "predicted": ["b", "a", "b", "b"],
            "p_b": [0.6, 0.4, 0.9, 0.9],
        }
    )
    found = confusion.cells_of(table, "a", "b")
    assert found["cell"].tolist() == ["y", "x"]
    assert found["of"].tolist() == [1, 2]
    assert np.allclose(found["probability"], [0.9, 0.5])
