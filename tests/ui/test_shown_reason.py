"""The strongest reason is drawn as it was measured: by its line, its fit, its levels, or its spike."""

import re
from types import SimpleNamespace

import pytest

from neuroclass.classification.analysis import analyse
from neuroclass.classification.result import Reason
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.cohort.examples import EXAMPLES
from neuroclass.ephys.fitted import rate_current, tau_fits
from neuroclass.report.places import traced
from neuroclass.ui.classify.shown_reason import shown


@pytest.fixture(scope="module")
def case() -> SimpleNamespace:
    analysis = analyse(simulate_demo_cell(EXAMPLES["fast-spiking"].cell_id))
    return SimpleNamespace(analysis=analysis, traced=traced("This cell", analysis, simulated=True))


def drawn(case, *features):
    return shown(case, [Reason(name, case.traced.values.get(name, 1.0), 0.1) for name in features], 3, 236)


def beside(fig):
    return [trace for trace in fig.data if trace.yaxis == "y2"]


def test_the_slope_of_a_line_is_drawn_as_the_line_and_the_sweep_that_fires_most(case):
    found = drawn(case, "f_i_curve_slope", "peak_v_long_square")
    assert found.reason.feature == "f_i_curve_slope"
    line, *_, star = beside(found.figure)
    assert (line.y[1] - line.y[0]) / (line.x[1] - line.x[0]) == pytest.approx(case.traced.values["f_i_curve_slope"])
    curve = rate_current(case.analysis.recording, case.analysis.features)
    assert list(star.y) == [max(curve.y)]
    assert f"Sweep {star.customdata[0][0]}," in found.figure.layout.annotations[0].text


def test_of_fast_firing_the_beginning_is_drawn_so_that_spikes_can_be_told_apart(case):
    found = drawn(case, "f_i_curve_slope")
    potential = next(trace for trace in found.figure.data if (trace.yaxis or "y") == "y")
    assert found.figure.layout.annotations[0].text.endswith("first 300 ms")
    assert max(potential.x) - min(potential.x) == pytest.approx(0.35, abs=0.01)


def test_input_resistance_is_drawn_as_the_line_of_its_sweeps(case):
    line, *_ = beside(drawn(case, "ri").figure)
    assert 1e3 * (line.y[1] - line.y[0]) / (line.x[1] - line.x[0]) == pytest.approx(case.traced.values["ri"], rel=1e-3)


def test_the_time_constant_is_drawn_with_the_fit_of_the_drawn_sweep(case):
    found = drawn(case, "tau")
    sweep, fit = beside(found.figure)
    fits = {f"fit, {one.tau_ms:.3g} ms": one for one in tau_fits(case.analysis.recording, case.analysis.features)}
    assert fit.name in fits
    assert f"Sweep {fits[fit.name].sweep}," in found.figure.layout.annotations[0].text
    assert abs(fit.x[0]) < 20 and min(sweep.x) < fit.x[0] < max(fit.x) <= max(sweep.x)


@pytest.mark.parametrize(("feature", "curves"), [("sag", 3), ("vm_for_sag", 3), ("vrest", 1)])
def test_levels_are_drawn_over_the_sweep_that_they_were_measured_on(case, feature, curves):
    assert len(beside(drawn(case, feature).figure)) == 1 + curves


@pytest.mark.parametrize("feature", ["vrest", "tau"])
def test_where_a_feature_is_a_mean_the_title_says_of_how_many_and_what_the_drawn_sweep_gives(case, feature):
    fig = drawn(case, feature).figure
    (said,) = re.findall(r", mean of (\d+); here (\S+)", re.sub("<br>| ", " ", fig.layout.annotations[1].text))
    assert int(said[0]) > 1
    level = beside(fig)[-1]
    own = level.y[0] if feature == "vrest" else float(level.name.split()[1])
    assert float(said[1].replace("−", "-")) == pytest.approx(own, rel=0.01)


@pytest.mark.parametrize("feature", ["peak_v_long_square", "width", "latency", "threshold_i_ramp"])
def test_features_of_a_spike_are_marked_on_it(case, feature):
    found = drawn(case, feature)
    assert any(trace.mode == "markers" for trace in beside(found.figure))
    on_stimulus = [trace for trace in found.figure.data if trace.yaxis == "y3" and trace.mode == "markers"]
    assert bool(on_stimulus) == (feature == "threshold_i_ramp")


def test_every_measured_feature_of_a_sweep_can_be_drawn(case):
    assert all(drawn(case, feature).reason.feature == feature for feature in case.traced.places)


def test_a_reason_beyond_those_listed_is_numbered_and_one_without_a_sweep_is_passed_over(case):
    found = drawn(case, "seal_gohm", "input_resistance_mohm", "seal_gohm", "width")
    assert "(reason\u00a04)" in found.figure.layout.annotations[1].text
    assert drawn(case, "seal_gohm") is None
    assert shown(SimpleNamespace(analysis=None, traced=None), [Reason("width", 1.0, 0.1)], 3, 236) is None
