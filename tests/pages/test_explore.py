"""The Explore page: filters, selections and comparisons are in the address; all figures go into a zip."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.charts import points
from neuroclass.cohort.demo import load_demo
from neuroclass.cohort.selections import encode, encode_named
from neuroclass.ui.explore.explore import nice_span
from neuroclass.ui.widgets import pack_figures

Open = Callable[..., AppTest]
FRAME = load_demo().frame
IDS = FRAME["id"].tolist()


def _told(app: AppTest, text: str) -> str:
    return next(c.value for c in app.caption if text in c.value)


def test_pasted_ids_and_those_that_are_not_here(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", ids=f"{IDS[3]}, {IDS[5]}\nnobody")
    assert not app.exception
    assert _told(app, "pass the filters").startswith("2 of 362")
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
    assert _told(app, "pass the filters").startswith(f"{expected} of 362")
    assert low <= FRAME["width"].min() * 1e3


def test_selections_in_the_address_are_compared(open_page: Open, tiny_models: Path) -> None:
    sets = encode_named({"fast": IDS[60:110], "deep": IDS[:40]}, IDS)
    view = {"sel": encode(IDS[:30], IDS), "sets": sets, "a": "fast", "b": "deep", "parallel": "true"}
    app = open_page("explore", facet="Layer", colour="Sag, long square (ratio)", **view)
    assert not app.exception and not app.error
    assert any(m.value.startswith("**30 cells** in the selection") for m in app.markdown)
    assert (app.selectbox(key="a").value, app.selectbox(key="b").value) == ("fast", "deep")
    assert "features known in both" in _told(app, "the largest effect first")
    assert (app.selectbox(key="facet").value, app.selectbox(key="colour").value) == ("layer", "sag")


def test_a_selection_of_other_cells_is_told_and_left_out(open_page: Open, tiny_models: Path) -> None:
    app = open_page("explore", sel=encode(["a"], ["a", "b"]))
    assert not app.exception
    assert any("other cells" in w.value for w in app.warning)
    assert any("362 cells** after the filters" in m.value for m in app.markdown)


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
