"""The Explore page: filters, selections and comparisons are in the address; all figures go into a zip."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from neuroclass.charts import points
from neuroclass.classification.classify import classify_input
from neuroclass.classification.inputs import CellInput
from neuroclass.cohort.demo import load_demo
from neuroclass.cohort.selections import encode, encode_named
from neuroclass.ui.cells import own_cells
from neuroclass.ui.cells.own_cells import OwnCell
from neuroclass.ui.explore import explore
from neuroclass.ui.explore.explore import nice_span
from neuroclass.ui.text import stated_p
from neuroclass.ui.widgets import pack_figures

Open = Callable[..., AppTest]
FRAME = load_demo().frame
IDS = FRAME["id"].tolist()


def _told(app: AppTest, text: str) -> str:
    return next(c.value for c in app.caption if text in c.value)


def test_pasted_ids_and_those_that_are_not_here(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", ids=f"{IDS[3]}, {IDS[5]}\nnobody")
    assert not app.exception
    assert _told(app, "pass the filters").startswith("2 of 337")
    assert "nobody" in _told(app, "pasted ids")


def test_a_features_range_in_shown_units_chooses_cells(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore")
    app.multiselect(key="ranges").select("width").run()
    slider = app.slider(key="r_width")
    low, high = slider.value
    middle = slider.min + 20 * slider.step
    slider.set_value((middle, high)).run()
    assert not app.exception
    expected = int((FRAME["width"] * 1e3).between(middle, high).sum())
    assert 0 < expected < len(FRAME)
    assert _told(app, "pass the filters").startswith(f"{expected} of 337")
    assert low <= FRAME["width"].min() * 1e3


def test_selections_in_the_address_are_compared(open_page: Open, tiny_models: Path) -> None:
    sets = encode_named({"fast": IDS[60:110], "deep": IDS[:40]}, IDS)
    view = {"sel": encode(IDS[:30], IDS), "sets": sets, "a": "fast", "b": "deep", "parallel": "true"}
    app = open_page("explore", facet="Layer", colour="Sag (long square, ratio)", **view)
    assert not app.exception and not app.error
    assert any(m.value.startswith("**30 cells** in the selection") for m in app.markdown)
    assert (app.selectbox(key="a").value, app.selectbox(key="b").value) == ("fast", "deep")
    assert "features known in both" in _told(app, "the largest effect first")
    assert (app.selectbox(key="facet").value, app.selectbox(key="colour").value) == ("layer", "sag")


def _tests(app: AppTest) -> pd.DataFrame:
    return next(d.value for d in app.dataframe if "Cliff's delta" in d.value)


def test_classes_are_compared_within_their_species_unless_asked(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore")
    assert not app.exception
    table = _tests(app)
    assert set(table["Group"]) | set(table["Against"]) >= {"mouse Htr3a+|Vip−", "human excitatory"}
    assert (table["Group"].str.partition(" ")[0] == table["Against"].str.partition(" ")[0]).all()
    assert table["Above it"].min() >= 50, "the group that is above comes first"
    app.toggle(key="across").set_value(True).run()
    assert not app.exception
    assert len(_tests(app)) == 21 > len(table) == 11
    share = table["Above it"] / 100
    delta = table["Cliff's delta"].str.replace("−", "-").astype(float)
    assert (share - (1 + delta) / 2).abs().max() <= 0.01
    axes = {app.selectbox(key="x").value, app.selectbox(key="y").value}
    (cells,) = [d.value for d in app.dataframe if {"id", "class", *axes} <= set(d.value)]
    assert "Htr3a+|Vip−" in set(cells["class"]) and "Htr3a" not in set(cells["class"])


@pytest.mark.parametrize(
    ("p", "told"), [(2.7e-86, "<1e−10"), (3.21e-7, "3.2e−07"), (0.0312, "0.031"), (1.0, "1"), (float("nan"), "–")]
)
def test_p_values_are_told_as_people_read_them(p: float, told: str) -> None:
    assert stated_p(p) == told


def test_a_selection_of_other_cells_is_told_and_left_out(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", sel=encode(["a"], ["a", "b"]))
    assert not app.exception
    assert any("other cells" in w.value for w in app.warning)
    assert any("337 cells** after the filters" in m.value for m in app.markdown)


@pytest.mark.parametrize("low, high", [(0.0, 1.0), (-93.2, -60.1), (0.00012, 0.0019), (5.0, 5.0), (1.0, 98765.0)])
def test_slider_bounds_hold_the_values_in_round_steps(low: float, high: float) -> None:
    first, last, step = nice_span(low, high)
    assert first <= low and high <= last
    assert step > 0 and np.isclose((last - first) / step, round((last - first) / step))


def test_the_zip_holds_image_and_numbers_of_each_figure() -> None:
    cells = FRAME[["id", "species", "layer"]].assign(x=FRAME["sag"], y=FRAME["tau"])
    fig = points.scatter(cells, titles=("Sag (ratio)", "Tau (ms)"), colour="layer")
    figures = {
        "a/b": (fig, lambda: cells, True),
        "pie": (go.Figure(go.Pie(values=[1])), pd.DataFrame({"n": [1]}), False),
    }
    with zipfile.ZipFile(io.BytesIO(pack_figures(figures))) as archive:
        names = set(archive.namelist())
        assert names == {"a-b-simulated.svg", "a-b-simulated.png", "a-b-simulated.csv", "pie.csv"}
        assert b"simulated" in archive.read("a-b-simulated.csv")


def test_an_unknown_cell_in_the_address_is_said_in_words(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", cell="no-such-cell")
    assert not app.exception
    assert any("There is no cell no" in one.value and "Choose one above" in one.value for one in app.warning)
    assert any("337 cells** after the filters" in m.value for m in app.markdown)


def _previewed(app: AppTest) -> list[str]:
    return [text.value for text in app.markdown if "Preview of" in text.value]


def test_one_selected_cell_is_previewed_by_its_own_sweeps(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", sel=encode(IDS[3:4], IDS))
    assert not app.exception
    (title,) = _previewed(app)
    assert IDS[3] in title.replace("\\", "")
    assert not _previewed(open_page("explore", sel=encode(IDS[3:6], IDS)))
    app.button(key="open-previewed").click().run()
    assert not app.exception
    assert app.selectbox(key="cell").value == IDS[3]


def test_a_cell_without_a_recording_shows_no_other_cells_sweeps(
    open_page: Open, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroclass.ui.cells.neighbours.pair", lambda source, cell_id: ())
    app = open_page("explore", sel=encode(IDS[3:4], IDS))
    assert not app.exception
    assert "not on this machine" in _told(app, "No preview of")
    assert not _previewed(app)


def _own(name: str, **features: float) -> dict[str, list[OwnCell]]:
    return {name: [OwnCell(name, "mouse", features)]}


def test_a_cell_of_the_session_is_drawn_in_every_figure_of_a_feature(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", x="Sag (long square, ratio)", y="Width (noise, ms)", ranges="sag")
    assert not [one for one in app.multiselect if one.key == "overlaid"]
    app.session_state["own-cells"] = _own("mine.abf", sag=0.2, width=0.0005)
    app.run()
    app.multiselect(key="overlaid").select("mine.abf").run()
    assert not app.exception
    figures = app.session_state["figures_of_page"]
    for name in ("scatter", "distribution"):
        (trace,) = [one for one in figures[name][0].data if one.name == "mine.abf"]
        assert set(trace.x) == {0.2} and trace.showlegend is not False
    app.selectbox(key="y").set_value("vrest").run()
    assert "mine.abf has no Resting potential" in _told(app, "Not drawn").replace("\\", "")
    assert not [one for one in app.session_state["figures_of_page"]["scatter"][0].data if one.name == "mine.abf"]


def test_the_sessions_cells_follow_the_latest_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", state)
    answer = next(one for one in classify_input(CellInput.single("a.csv", b"cell,tau,sag\nc1,20,0.1\n")) if one)
    own_cells.keep("file", [answer])
    own_cells.keep("other", [answer])
    assert list(own_cells.known()) == ["a.csv, c1", "a.csv, c1 (2)"]
    own_cells.keep("file", [replace(answer, without_sweeps=(3,))])
    assert list(own_cells.known()) == ["a.csv, c1", "a.csv, c1 without sweep 3"]
    assert own_cells.values(own_cells.known(), "tau").tolist() == [20.0, 20.0]
    assert own_cells.values(own_cells.known(), "layer").empty
    own_cells.keep("file", [])
    assert list(own_cells.known()) == ["a.csv, c1"]


@pytest.mark.parametrize(
    ("cell", "simulated", "said"),
    [
        ("simulated-mouse-pvalb-001", False, "simulated cell of the demo cohort"),
        ("simulated-mouse-none-999", True, "Choose one above"),
        ("501845630", True, "Allen Cell Types Database"),
        ("501845630", False, "Choose one above"),
    ],
)
def test_an_id_that_is_not_loaded_is_said_to_be_what_it_is(
    cell: str, simulated: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explore.cache, "cohort", lambda: replace(load_demo(), simulated=simulated))
    assert said in explore._what(cell)
