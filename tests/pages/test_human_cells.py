"""Human cells of known subclass on Explore and Domains: with their tables, and with what ships alone."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from neuroclass.cell_types import HUMAN_SUBCLASS_ORDER
from neuroclass.explain.human_matches import DANN_SPACE
from neuroclass.features import FEATURES
from neuroclass.reports import store
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.ui import cache
from tests.planted import planted_human_cohort

Open = Callable[..., AppTest]
HUMAN = "Human cells of other studies, subclass known"


@pytest.fixture
def cells():
    planted = planted_human_cohort().labelled("human_subclass")
    frame = planted.frame.assign(subclass=planted.frame["human_subclass"])
    return replace(planted, frame=frame, simulated=False)


@pytest.fixture
def report(tmp_path: Path, monkeypatch, cells) -> ReportStore:
    """The shipped models, but a small report of the human subclass model."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("dann", "lspin", "feature-sets"):
        (folder / name).symlink_to(store.MODELS_DIR / name)
    written = ReportStore("human-subclass", folder / "human-subclass")
    frame = cells.frame
    about = frame[["id", "species", "donor", "condition", "table"]].assign(repeat=0, fold=0)
    p = np.full((len(frame), 5), 0.05)
    p[:, 2] = 0.8
    columns = {f"p_{name}": p[:, k] for k, name in enumerate(HUMAN_SUBCLASS_ORDER)}
    predictions = about.assign(truth=frame["human_subclass"], predicted="Sst", **columns)
    places = about[["id", "species", "table"]].assign(truth=frame["human_subclass"], x=1.0, y=2.0)
    written.write(Table.PREDICTIONS, predictions)
    written.write(Table.EMBEDDING, places.assign(x=np.arange(len(places))))
    rows = {"id": ["m1", "m2"], "subclass": ["Sst", "Pvalb"], "twin": ["h1", "h2"], "label": ["Vip", "Pvalb"]}
    written.write(Table.MATCHES, pd.DataFrame(rows).assign(distance=0.5, same=[False, True]))
    figures = {"n_cells": 7, "same": 0.25, "low": 0.1, "high": 0.4, "chance": 0.3}
    agreement = [{"space": DANN_SPACE, "subclass": "Sst", "partner": "Sst", **figures}]
    written.write(Document.MATCH_LABELS, agreement)
    monkeypatch.setattr(store, "MODELS_DIR", folder)
    st.cache_resource.clear()
    st.cache_data.clear()
    return written


def test_without_the_tables_labels_and_held_out_predictions_are_shown_by_name(open_page: Open, report, cells):
    app = open_page("explore", of=HUMAN)
    assert not app.exception
    assert any("feature tables of these cells are not loaded" in info.value for info in app.info)
    shown = app.dataframe[0].value
    truth = cells.frame.set_index("id")["human_subclass"]
    assert shown.set_index("Cell")["Subclass"].to_dict() == truth.to_dict()
    assert set(shown["Predicted, held out"]) == {"Sst"}
    assert not {"sag", "tau", "vrest"} & set(shown)


def test_a_subclass_can_be_chosen_among_the_outputs(open_page: Open, report):
    app = open_page("explore", of=HUMAN)
    app.multiselect(key="f_class").set_value(["Vip"]).run()
    assert set(app.dataframe[0].value["Subclass"]) == {"Vip"}


def test_with_the_tables_the_cells_are_filtered_by_subclass_and_slice(open_page: Open, report, cells, monkeypatch):
    monkeypatch.setattr(cache, "human_cells_elsewhere", lambda: cells)
    app = open_page("explore", of=HUMAN)
    assert not app.exception
    assert {"f_class", "f_condition", "f_predicted"} <= {widget.key for widget in app.multiselect}
    app.multiselect(key="f_class").set_value(["Vip"]).run()
    assert not app.exception
    vip = int((cells.frame["human_subclass"] == "Vip").sum())
    assert any(f"{vip} of {len(cells)} cells" in caption.value for caption in app.caption)


def test_a_cell_of_another_laboratory_opens_without_sweeps(open_page: Open, report, cells, monkeypatch):
    monkeypatch.setattr(cache, "human_cells_elsewhere", lambda: cells)
    cell = cells.frame["id"].iloc[0]
    app = open_page("explore", of=HUMAN, cell=cell)
    assert not app.exception
    assert any("not its sweeps" in info.value for info in app.info)


def test_all_cells_are_shown_at_first(open_page: Open, report):
    app = open_page("explore")
    assert not app.exception
    assert "f_condition" not in {widget.key for widget in app.multiselect}


def test_domains_says_how_often_matches_carry_the_label(open_page: Open, report):
    app = open_page("domains", view="Human subclasses")
    assert not app.exception
    (finding,) = [text.value for text in app.markdown if "nearest human cell" in text.value]
    assert "no more often than by chance" in finding and "25%, chance 30%" in finding


def test_the_tables_are_found_in_the_data_folder_and_missing_ones_are_no_error(tmp_path, cells, monkeypatch):
    st.cache_resource.clear()
    monkeypatch.setenv("NEUROCLASS_DATA", str(tmp_path))
    assert cache.human_cells_elsewhere() is None
    (tmp_path / "outside").mkdir()
    columns = {"id": "cell", "human_subclass": "truth"}
    known = [spec.name for spec in FEATURES if cells.frame[spec.name].notna().any()]
    table = cells.frame[["id", "species", "donor", "human_subclass", "condition", *known]].rename(columns=columns)
    for name, rows in (
        ("human_gabaergic", table[table["truth"] != "Glutamatergic"]),
        ("human_excitatory", table[table["truth"] == "Glutamatergic"].drop(columns="condition")),
    ):
        rows.to_csv(tmp_path / "outside" / f"{name}.csv", index=False)
    st.cache_resource.clear()
    found = cache.human_cells_elsewhere()
    truth = cells.frame.set_index("id")["human_subclass"].to_dict()
    assert found.frame.set_index("id")["subclass"].to_dict() == truth
    assert set(found.frame["table"]) == {"human_gabaergic", "human_excitatory"}
