"""The cell page: its sweeps, what they yield and the address that reopens the same view."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.classification.result import Prediction
from neuroclass.cohort.demo import load_demo
from neuroclass.ui import cache
from neuroclass.ui.cells import identity, neighbours, panels, predictions

Open = Callable[..., AppTest]
CELL = "simulated-human-inhibitory-062"


def test_the_rheobase_leads_to_its_sweep(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", cell=CELL)
    assert not app.exception
    button = app.button(key="fact-threshold_i_long_square")
    assert button.label == "sweep 8"
    button.click().run()
    assert app.selectbox(key="sweep").value == "8"
    assert any("Sweep 8, +60 pA, 2 spikes" in c.value for c in app.caption)


def test_the_address_reopens_stimulus_sweep_window_panel_and_feature(open_page: Open, tiny_models: Path) -> None:
    view = {"sweep": "22", "from": "1.25", "to": "1.5", "panel": "passive", "feature": "sag"}
    app = open_page("explore", cell=CELL, part="Sweeps", **view)
    assert not app.exception
    assert app.selectbox(key="sweep").value == "22"
    assert app.slider[0].value == (1.25, 1.5)
    assert any("= sag 0.223" in c.value for c in app.caption)
    app = open_page("explore", cell=CELL, feature="sag")
    assert not app.exception
    assert app.session_state["part"] == "Features", "an address with a feature opens the features"
    assert app.selectbox(key="feature").value == "sag"
    assert any("Measured on sweep 0" in c.value for c in app.caption)


def test_sweeps_are_left_out_by_the_address_and_taken_back_in(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", cell=CELL, without="8")
    assert not app.exception and not app.error
    (note,) = [one.value.replace("\\", "") for one in app.info if "Without sweep 8" in one.value]
    assert "Current at threshold (long square) 60 →" in note or "Rheobase" in note
    assert "8" not in app.selectbox(key="sweep").options
    assert app.button(key="fact-threshold_i_long_square").label == "sweep 8", "the table's value rests on all sweeps"
    next(one for one in app.text_input if one.label == "Sweeps to leave out").set_value("10-11")
    next(one for one in app.button if one.label == "Leave out").click().run()
    assert app.query_params["without"] == "8,10,11"
    assert any("Without sweeps 8, 10 and 11" in one.value for one in app.info)
    next(one for one in app.button if one.label == "Take all back in").click().run()
    assert "without" not in app.query_params
    assert not any("Without sweep" in one.value for one in app.info)


@pytest.mark.parametrize(("wanted", "told"), [("999", "has no sweep 999"), ("x", "such as 3,7 or 9"), ("0-99", "has")])
def test_what_cannot_be_left_out_is_said_and_all_sweeps_are_shown(
    open_page: Open, tiny_models: Path, wanted: str, told: str
) -> None:
    app = open_page("explore", cell=CELL, without=wanted)
    assert not app.exception
    assert any(told in one.value.replace("\\", "") for one in app.error)
    assert not any("Without" in one.value for one in app.info)


def test_every_panel_stands(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", cell="simulated-mouse-pvalb-001", panel="spike")
    captions = {"spike": "First spike", "noise": "Welch", "passive": "Exponential fits", "firing": "spiking squares"}
    for panel, told in captions.items():
        app.session_state["panel"] = panel
        app.run()
        assert not app.exception and not app.error
        assert any(told in caption.value for caption in app.caption)


def test_nonsense_in_the_address_is_left_out_and_sweeps_are_stepped_through(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", cell=CELL, sweep="999", panel="x", feature="y", **{"from": "a", "to": "-1"})
    assert not app.exception
    assert app.selectbox(key="feature").value == "none"
    app.session_state["part"] = "Sweeps"
    app.run()
    assert app.selectbox(key="sweep").value == "all overlaid"
    app.button(key=f"step1-cell-{CELL}").click().run()
    assert app.selectbox(key="sweep").value == "0"
    app.button(key=f"step-1-cell-{CELL}").click().run()
    assert app.selectbox(key="sweep").value == "all overlaid"


def _cell(**known: str | None) -> pd.Series:
    cell = load_demo().frame.iloc[0]
    return pd.Series({**cell.to_dict(), "id": "501845630", **known})


def test_the_title_is_the_cell_with_its_class_and_place() -> None:
    mouse = {"species": "mouse", "structure": "VISp", "layer": "6b", "subclass": "Htr3a"}
    assert identity.title(_cell(**mouse)) == "501845630 · Htr3a+|Vip− · mouse VISp L6b"
    bare = {"species": "human", "structure": None, "layer": None, "subclass": None, "broad": None}
    assert identity.title(_cell(**bare)) == "501845630 · class unknown · human"


def test_a_label_says_what_it_rests_on(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = replace(load_demo(), simulated=False)
    monkeypatch.setattr(cache, "cohort", lambda: recorded)
    line = {"line": "Ctgf-T2A-dgCre", "dendrite_type": "spiny", "subclass": "Glutamatergic", "species": "mouse"}
    told = identity.origin(recorded, _cell(**line))
    assert "driver line (Ctgf-T2A-dgCre)" in told and "spiny dendrites" in told
    human = {"species": "human", "subclass": None, "broad": "inhibitory", "dendrite_type": "aspiny"}
    assert "dendrite type (aspiny dendrites)" in identity.origin(recorded, _cell(**human))
    assert "neither" in identity.origin(recorded, _cell(subclass=None, broad=None))
    assert "simulated" in identity.origin(load_demo(), _cell(**line))
    elsewhere = replace(recorded, source="another laboratory")
    assert "transcriptome" in identity.origin(elsewhere, _cell(**human))


def test_the_page_of_a_cell_opens_with_the_cell(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", cell=CELL)
    assert not app.exception
    assert [one.value.replace("\\", "").startswith(f"Cell {CELL} · inhibitory · human ") for one in app.title] == [True]
    assert not [one for one in app.markdown if "Reporter" in one.value and "negative" in one.value]


def test_a_reporter_negative_cell_is_told(open_page: Open, tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = replace(load_demo(), simulated=False)
    monkeypatch.setattr(cache, "cohort", lambda: recorded)
    negative = recorded.frame[recorded.frame["reporter_status"] == "negative"]["id"].iloc[0]
    app = open_page("explore", cell=negative)
    assert any("Reporter-negative" in one.value for one in app.warning)
    positive = recorded.frame[recorded.frame["reporter_status"] == "positive"]["id"].iloc[0]
    assert not any("Reporter-negative" in one.value for one in open_page("explore", cell=positive).warning)


def test_a_prediction_is_the_likeliest_class_and_the_next() -> None:
    shares = {"Sst": 0.0096, "Htr3a": 0.02, "Pvalb": 0.9704}
    assert predictions.in_words(Prediction("lspin", shares)) == "Pvalb 97.0%, then Htr3a+|Vip− 2.0%"


def _near(species: str, *subclasses: str) -> pd.DataFrame:
    broad = ["excitatory" if name == "Glutamatergic" else "inhibitory" for name in subclasses]
    subclass = list(subclasses) if species == "mouse" else [""] * len(subclasses)
    return pd.DataFrame({"broad": broad, "subclass": subclass})


def test_how_many_neighbours_have_the_predicted_class_is_said_and_why_they_may_not() -> None:
    found = {"mouse": _near("mouse", "Pvalb", "Sst", "Pvalb"), "human": _near("human", "Sst", "Glutamatergic")}
    text = neighbours.agreement(found, "mouse", {"subclass": "Sst", "broad": "inhibitory"}).replace("\\", "")
    assert text.startswith("1 of the 3 nearest mouse cells is Sst, as predicted, 2 are Pvalb; 1 of the 2 nearest human")
    assert "all 39 features alike" in text
    alike = {"mouse": _near("mouse", "Sst", "Sst")}
    assert "alike" not in neighbours.agreement(alike, "mouse", {"subclass": "Sst"})
    assert neighbours.agreement(alike, "mouse", {}) == ""


def test_a_slope_through_two_squares_is_said_to_be_one() -> None:
    assert "two spiking squares" in panels.few_points(2)
    assert panels.few_points(3) == panels.few_points(0) == ""


def test_a_cell_without_its_recording_is_drawn_from_its_features(
    open_page: Open, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroclass.ui.cells.cell._analysis", lambda cells, cell_id: None)
    app = open_page("explore", cell=load_demo().frame["id"].iloc[3])
    assert not app.exception
    assert any("not from sweeps" in one.value for one in app.markdown)
