"""The Performance page's views: what is stored is shown, what is not is asked for, a field leads to its cells."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

Open = Callable[..., AppTest]
VIEWS = (
    "Beside other systems",
    "Confusion",
    "Where it errs",
    "Fewer cells or labels",
    "Other recordings",
    "Without labels",
)


def _stored(folder: Path) -> None:
    """Add what ``evaluation.stored`` writes to a made-up model."""
    out = folder / "lspin" / "evaluation"
    metric = {"mean": 0.9, "low": 0.8, "high": 0.95, "sd": 0.0}
    metrics = {"accuracy": metric, "macro_f1": metric}
    document = json.loads((out / "metrics.json").read_text())
    for row in document:
        if row["model"] == "svc":
            test = {"difference": -0.02, "low": -0.03, "high": -0.01, "p": 0.001, "p_holm": 0.002}
            row["ours_minus_this"] = {"all": test, "mouse": test}
    (out / "metrics.json").write_text(json.dumps(document))
    group = {
        "group": "Vip-Cre",
        "truth": "Vip",
        "cells": 9,
        "accuracy": 0.5,
        "low": 0.3,
        "high": 0.7,
        "doubted": 2,
        "pure": 0,
    }
    some = {"rule": "a rule", "n_cells": 50, "systems": {"lspin": metrics, "svc": metrics}}
    groups = {"by": {"line": [group], "layer": [group]}, "pure": some, "complete": some}
    (out / "groups.json").write_text(json.dumps(groups))
    curve = [{"model": "lspin", "n_train": n, "n_cells": 120, "metrics": metrics} for n in (100, 900)]
    labels = [{"classes": "all", "model": "few-labels", "labels": 5, "n_cells": 120, "n_train": 90, "metrics": metrics}]
    (out / "learning.json").write_text(json.dumps({"cells": curve, "labels": labels}))
    agreement = {"adjusted_rand": 0.4, "adjusted_mutual_information": 0.5}
    held_out = {name: {"mean": value, "sd": 0.1} for name, value in agreement.items()}
    document = {
        "n_types": 3,
        "bic": {"2": 2.0, "3": 1.0},
        "all_cells": agreement,
        "held_out": held_out,
        "explained": [0.3, 0.1],
    }
    (out / "taxonomies.json").write_text(json.dumps(document))
    cells = {"id": ["a", "b"], "truth": ["Vip", "Sst"], "etype": [1, 3], "angle": [10.0, -90.0], "distance": [1.0, 2.0]}
    pd.DataFrame(cells).to_parquet(out / "taxonomies.parquet")


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("stored", [True, False])
def test_a_view_shows_what_is_stored_and_asks_for_what_is_not(
    view: str, stored: bool, open_page: Open, made_up_models: Path
) -> None:
    if stored:
        _stored(made_up_models)
    app = open_page("performance", model="LSPIN", view=view)
    assert not app.exception
    assert not app.error
    asked = any("neuroclass.reports.comparisons lspin" in info.value for info in app.info)
    assert asked == (not stored and view in ("Where it errs", "Fewer cells or labels", "Without labels"))


def test_the_table_of_systems_tells_who_is_better(open_page: Open, made_up_models: Path) -> None:
    _stored(made_up_models)
    app = open_page("performance", model="LSPIN")
    table = app.dataframe[0].value.set_index("system")
    assert table.loc["SVC", "verdict"] == "LSPIN worse"
    assert table.loc["SVC", "p (Holm)"] == "0.0020"
    assert table.loc["LSPIN, ours", "verdict"] == ""
    split = open_page("performance", model="LSPIN", protocol="paper-split").dataframe[0].value
    assert split["system"].tolist() == ["LSPIN, published"]
    assert split["accuracy (fraction)"].tolist() == [0.916]


def test_a_field_of_the_confusion_in_the_address_lists_its_cells(open_page: Open, made_up_models: Path) -> None:
    predictions = pd.read_parquet(made_up_models / "lspin" / "evaluation" / "predictions.parquet")
    inside = predictions[(predictions["truth"] == "Sst") & (predictions["predicted"] == "Vip")]
    app = open_page("performance", model="LSPIN", view="Confusion", true="Sst", predicted="Vip")
    assert not app.exception
    assert sorted(app.dataframe[0].value["cell"]) == sorted(inside["id"])
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
