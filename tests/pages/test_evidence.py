"""The evidence of a verdict on a page: reasons, the samples behind one, counterfactual and stress test."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.stress import Variant, stress, variants
from neuroclass.cohort.demo import load_demo
from neuroclass.ephys.sweep import Recording
from tests.pages.conftest import TIMEOUT_S


def _page() -> None:
    import streamlit as st

    from neuroclass.cohort.loading import load_cohort
    from neuroclass.ui import cache
    from neuroclass.ui.cells.lent import Lent
    from neuroclass.ui.evidence import evidence

    cell_id = st.query_params["cell"]
    evidence.show_cohort_cell(load_cohort(), cell_id, Lent(lambda: cache.demo_analysis(cell_id)))


def _few(recording: Recording, metadata: CellMetadata) -> tuple[Variant, ...]:
    return tuple(v for v in variants(recording, metadata) if v.label in ("+15 mV", "without ramp"))


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shipped_models: None) -> Callable[[], AppTest]:
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path))
    monkeypatch.setattr("neuroclass.ui.evidence.stress.variants", _few)
    monkeypatch.setattr("neuroclass.ui.evidence.stress.stress", lambda r, s, m, c: stress(r, s, m, c, _few(r, c)))
    frame = load_demo().frame
    cell_id = str(frame["id"][frame["subclass"] == "Sst"].iloc[0])

    def run() -> AppTest:
        app = AppTest.from_function(_page, default_timeout=TIMEOUT_S)
        app.query_params["cell"] = cell_id
        return app.run()

    return run


def test_a_reason_leads_to_its_samples_beside_reference_cells(page: Callable[[], AppTest]) -> None:
    app = page()
    assert not app.exception
    assert any("Nearest reference cells" in c.value and "simulated cell" in c.value for c in app.caption)
    place = next(box for box in app.selectbox if box.label == "Where it was measured")
    place.set_value("sag").run()
    assert not app.exception
    assert any("steady state" in c.value for c in app.caption)


def test_what_would_change_its_mind_names_probabilities_and_range(page: Callable[[], AppTest]) -> None:
    app = page()
    app.segmented_control(key="evidence").set_value("Counterfactual").run()
    assert not app.exception
    told = [c.value for c in app.caption if "The smallest change found" in c.value]
    assert told and "quantiles" in told[0]


def test_the_stress_test_runs_and_says_whether_the_label_holds(page: Callable[[], AppTest]) -> None:
    app = page()
    app.segmented_control(key="evidence").set_value("Stress test").run()
    next(b for b in app.button if b.label == "Run the stress test").click().run()
    assert not app.exception
    table = next(d.value for d in app.dataframe if "in words" in d.value.columns)
    assert table["axis"].tolist() == ["junction offset (mV)", "dropped sweeps (%)"]
    assert all("of 1" in text for text in table["label kept"])
