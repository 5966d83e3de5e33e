"""The cell page: its sweeps, what they yield and the address that reopens the same view."""

from collections.abc import Callable
from pathlib import Path

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
