"""The place of a feature: aligned on its spike or stimulus, and nothing where it was not measured."""

from dataclasses import replace

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


@pytest.mark.parametrize(("feature", "axes"), [("f_i_curve_slope", ("pA", "Hz")), ("ri", ("pA", "mV"))])
def test_a_slope_is_drawn_as_the_line_of_every_cell(cell, feature, axes):
    panels = compare([cell, cell], feature)
    points = panels[0].points
    slope = points.line[0] * (1000 if feature == "ri" else 1)
    assert slope == pytest.approx(cell.values[feature], rel=1e-6)
    assert set(points.sweeps[points.fitted]) == set(cell.places[feature])
    fig = side_by_side(panels, aligned_on(feature))
    first, second = [trace for trace in fig.data if trace.mode == "lines"]
    assert (first.line.dash, second.line.dash) == ("solid", "dot")
    assert first.name.endswith(panels[0].subtitle.split(": ")[-1]) and "&lt;b&gt;odd" in first.name
    assert axes[0] in fig.layout.xaxis.title.text and axes[1] in fig.layout.yaxis.title.text
    x = np.concatenate([trace.x for trace in fig.data if trace.mode == "markers"])
    assert set(points.x[points.fitted]) <= set(x)
    assert x.min() >= points.x[points.fitted].min() - 0.3 * np.ptp(points.x[points.fitted]) - 1e-9


def test_sweeps_are_drawn_where_one_cell_has_no_line(cell):
    panels = compare([cell, cell], "f_i_curve_slope")
    fig = side_by_side([panels[0], replace(panels[1], points=None)], aligned_on("f_i_curve_slope"))
    assert fig.layout.yaxis.title.text == "Membrane potential (mV)"


def test_other_features_have_no_line(cell):
    assert panel_of(cell, "sag").points is None and panel_of(cell, "width").points is None
