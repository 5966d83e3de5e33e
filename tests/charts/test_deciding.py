"""What one reason was measured on: the sweep above its stimulus, and the samples or the line beside it."""

import numpy as np

from neuroclass.charts.cell_plots import AMPLITUDE, RATE
from neuroclass.charts.comparison import Panel, aligned
from neuroclass.charts.deciding import Points, decisive_line, decisive_spike
from neuroclass.charts.static_export import render
from neuroclass.charts.traces import Curve, Mark, Trace
from tests.charts.axis_titles import without_unit

RATE_HZ = 1_000.0
T = np.arange(2_000) / RATE_HZ
TRACE = Trace("Sweep 3, -50 pA", -70 - 5 * (T > 1), np.where(T > 1, -50.0, 0.0), RATE_HZ, -50.0)
PANEL = Panel("cell", "x", (aligned(TRACE, 1.5),), (Mark("threshold", [0.0], [-75.0]),), (-0.004, 0.01))


def of_axis(fig, axis):
    return [trace for trace in fig.data if (trace.yaxis or "y") == axis]


def test_the_stimulus_is_drawn_below_the_sweep_on_the_same_time_axis():
    fig = decisive_spike(TRACE, PANEL, 1.5, "Threshold: -75 mV")
    (potential,), (stimulus,) = of_axis(fig, "y"), of_axis(fig, "y3")
    assert list(potential.x) == list(stimulus.x)
    assert (min(stimulus.y), max(stimulus.y)) == (-50.0, 0.0)
    assert fig.layout.xaxis3.matches == "x"
    assert without_unit(fig) == {}
    assert [note.text for note in fig.layout.annotations] == ["Sweep 3, −50 pA", "<b>Threshold: −75\u00a0mV</b>"]
    assert render(fig)


def test_a_feature_read_off_the_stimulus_is_marked_on_it():
    _, mark = of_axis(decisive_spike(TRACE, PANEL, 1.5, "Current at threshold: -50 pA", in_current=True), "y3")
    assert (list(mark.x), list(mark.y)) == ([1.5], [-50.0])


def test_a_fit_is_drawn_over_its_samples():
    curve = Curve("fit, 5 ms", [0.0, 0.005], [-70.0, -75.0])
    fig = decisive_spike(TRACE, PANEL, 1.5, "tau", curves=[curve])
    (drawn,) = [trace for trace in of_axis(fig, "y2") if trace.name == "fit, 5 ms"]
    assert (list(drawn.x), list(drawn.y)) == ([0.0, 5.0], [-70.0, -75.0])


def test_beside_a_line_the_drawn_sweeps_point_is_a_star():
    points = Points(
        np.array([10.0, 50.0, 90.0]),
        np.array([0.0, 10.0, 20.0]),
        np.array([1, 2, 3]),
        np.array([False, True, True]),
        (0.25, -2.5),
        (AMPLITUDE, RATE),
    )
    fig = decisive_line(TRACE, points, 3, "f–I slope: 0.25 Hz/pA", 236, simulated=False)
    line, fitted, others, star = of_axis(fig, "y2")
    assert (list(line.x), list(line.y)) == ([50.0, 90.0], [10.0, 20.0])
    assert (star.marker.symbol, list(star.x), list(star.y)) == ("star", [90.0], [20.0])
    assert (list(fitted.x), list(others.x)) == ([50.0], [10.0])
    assert without_unit(fig) == {}
