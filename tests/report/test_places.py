"""The place of a feature: aligned on its spike or stimulus, and nothing where it was not measured."""

import numpy as np
import pytest

from neuroclass.charts.comparison import side_by_side
from neuroclass.classification.analysis import analyse
from neuroclass.cohort.demo import load_demo, simulate_demo_cell
from neuroclass.report import places
from neuroclass.report.places import Traced, aligned_on, compare, panel_of, quantity_of, traced


@pytest.fixture(scope="module")
def cell() -> Traced:
    name = str(load_demo().frame["id"].iloc[0])
    return traced("<b>odd</b> name", analyse(simulate_demo_cell(name)), simulated=True)


def test_the_peak_lies_at_time_zero(cell):
    panel = panel_of(cell, "peak_v_long_square")
    (mark,) = panel.marks
    assert mark.name == "peak"
    assert mark.t == pytest.approx([0.0])
    assert mark.v == pytest.approx([cell.values["peak_v_long_square"]])
    trace = panel.traces[0]
    at = round(-trace.start_s * trace.rate_hz)
    assert trace.v_mv[at] == pytest.approx(mark.v[0])


def test_noise_shows_several_spikes_of_its_sweep(cell):
    panel = panel_of(cell, "width")
    assert len(panel.traces) > 2
    assert {mark.name for mark in panel.marks} == {"peak", "trough"}


def test_noise_shows_spikes_of_all_epochs_whose_mean_is_the_value(cell, monkeypatch):
    monkeypatch.setattr(places, "MOST_TRACES", 10_000)
    (mark,) = panel_of(cell, "threshold_v").marks
    assert np.mean(mark.v) == pytest.approx(cell.values["threshold_v"], abs=0.01)


def test_subthreshold_features_are_aligned_on_the_stimulus(cell):
    panel = panel_of(cell, "sag")
    trace = panel.traces[0]
    before = trace.i_pa[: int(-trace.start_s * trace.rate_hz) - 5]
    assert np.ptp(before) == 0
    assert "spike" in aligned_on("width") and "stimulus" in aligned_on("sag")
    assert quantity_of("threshold_v_ramp") == "threshold_v"
    assert quantity_of("vm_for_sag") is None


def test_every_measured_feature_has_a_place(cell):
    assert set(cell.places) <= set(cell.values)
    assert all(panel_of(cell, feature) is not None for feature in cell.places)
    assert panel_of(cell, "seal_gohm") is None


def test_the_figure_names_simulated_cells_and_escapes_names(cell):
    fig = side_by_side(compare([cell, cell], "sag"), aligned_on("sag"))
    titles = [note.text for note in fig.layout.annotations]
    assert all("(simulated)" in title and "&lt;b&gt;odd" in title for title in titles)
    assert fig.layout.yaxis.title.text == "Membrane potential (mV)"
