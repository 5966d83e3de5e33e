"""SHAP, Gates and Domains: with everything stored, with an older model's tables, and with choices in the address."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from tests.made_up_explanations import write_explanations

Open = Callable[..., AppTest]
PAGES = ("shap_values", "gates", "domains")


@pytest.fixture
def explained(made_up_models: Path) -> Path:
    """Made-up models with made-up explanations."""
    import streamlit as st

    for model in ("dann", "lspin"):
        write_explanations(made_up_models / model / "evaluation", model)
    st.cache_resource.clear()
    st.cache_data.clear()
    return made_up_models


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_with_all_its_tables(name: str, open_page: Open, explained: Path) -> None:
    app = open_page(name)
    assert not app.exception
    assert not app.error
    assert not any("not stored with this model" in info.value for info in app.info)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_an_older_model_lacks(name: str, open_page: Open, made_up_models: Path) -> None:
    app = open_page(name)
    assert not app.exception
    assert any("not stored with this model" in info.value and "--report" in info.value for info in app.info)


def test_values_that_do_not_add_up_are_an_error(open_page: Open, explained: Path) -> None:
    import streamlit as st

    path = explained / "dann" / "evaluation" / "shap.parquet"
    table = pd.read_parquet(path)
    table["sag"] += 0.01
    table.to_parquet(path)
    st.cache_resource.clear()
    app = open_page("shap_values")
    assert not app.exception
    assert "misses" in app.error[0].value


def test_system_and_grouping_come_from_the_address(open_page: Open, explained: Path) -> None:
    lasso = open_page("shap_values", system="LASSO")
    assert any("log\\-odds" in caption.value and "LinearExplainer" in caption.value for caption in lasso.caption)
    grouped = open_page("shap_values", by="each quantity")
    assert not grouped.exception
    assert any("all stimuli" in option for option in grouped.selectbox(key="feature").options)


def test_a_gate_that_decides_the_label_is_named(open_page: Open, explained: Path) -> None:
    app = open_page("gates")
    assert any("changes the label" in c.value or "No single gate" in c.value for c in app.caption)


def test_a_twin_that_does_not_survive_is_marked(open_page: Open, explained: Path) -> None:
    app = open_page("domains")
    marks = next(frame.value["mark"] for frame in app.dataframe if "mark" in frame.value)
    assert list(marks[:3]) == ["survives"] * 3
    assert list(marks[3:]) == ["does not survive retraining"] * 2


def test_the_strength_of_the_adversary_comes_from_the_address(open_page: Open, explained: Path) -> None:
    app = open_page("domains", space="1")
    assert not app.exception
    assert app.select_slider(key="space").value == "lambda1"
