"""What is stored of other laboratories: short numbers, whole metrics, and nothing measured on a cell."""

import pytest

from neuroclass.features import FEATURE_NAMES
from neuroclass.reports.other_laboratories import rounded
from neuroclass.reports.store import Document, Table, report_of

MOST_BYTES = 400_000


def test_numbers_are_rounded_wherever_they_stand():
    document = {"a": [0.123456, {"b": 1 / 3, "c": True, "d": 3, "e": None, "f": "0.123456"}], "g": (0.99999,)}
    assert rounded(document) == {
        "a": [0.1235, {"b": 0.3333, "c": True, "d": 3, "e": None, "f": "0.123456"}],
        "g": [1.0],
    }


@pytest.mark.parametrize("name", ["lspin", "dann"])
def test_the_stored_figures_are_those_of_the_stored_predictions(name):
    report = report_of(name)
    document, predictions = report.outside(), report.table(Table.OUTSIDE)
    ours = [row for row in document["laboratories"] if row["system"] in ("alone", "batch")]
    assert len(ours) == predictions.groupby(["laboratory", "system"]).ngroups
    for row in ours:
        inside = (predictions["laboratory"] == row["laboratory"]) & (predictions["system"] == row["system"])
        cells = predictions[inside]
        assert row["n_cells"] == len(cells) == cells["id"].nunique()
        assert row["accuracy"] == pytest.approx((cells["truth"] == cells["predicted"]).mean(), abs=1e-4)
    assert not set(FEATURE_NAMES) & set(predictions)
    for part in (Document.OUTSIDE, Table.OUTSIDE):
        assert (report.folder / "evaluation" / part.file).stat().st_size < MOST_BYTES
