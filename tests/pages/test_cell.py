"""The cell page: its sweeps, what they yield and the address that reopens the same view."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

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
    app = open_page("explore", cell=CELL, **view)
    assert not app.exception
    assert (app.selectbox(key="sweep").value, app.selectbox(key="feature").value) == ("22", "sag")
    assert app.slider[0].value == (1.25, 1.5)
    assert any("= sag 0.223" in c.value for c in app.caption)
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
    assert app.selectbox(key="sweep").value == "all overlaid"
    assert app.selectbox(key="feature").value == "none"
    app.button(key=f"step1-cell-{CELL}").click().run()
    assert app.selectbox(key="sweep").value == "0"
    app.button(key=f"step-1-cell-{CELL}").click().run()
    assert app.selectbox(key="sweep").value == "all overlaid"
