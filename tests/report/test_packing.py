"""What the browser unpacks from a report is plotly and the figures, as precise as a screen."""

import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest

from neuroclass.report.packing import lighter, packed
from tests.report.packed import code_of


def spike_train() -> go.Figure:
    t = np.linspace(0.0, 1.3, 5000)
    v = -70 + 90 * np.exp(-(((t % 0.1) - 0.05) ** 2) / 1e-6)
    i = np.where((t > 0.3) & (t < 0.9), 150.0, 0.0)
    fig = go.Figure()
    fig.add_scatter(x=t, y=v, mode="lines", name="</script><script>alert(1)</script>")
    fig.add_scatter(x=t, y=i, mode="lines")
    fig.add_scatter(x=t[:3], y=v[:3], mode="markers")
    return fig


def apart(line: go.Scatter, x: float, y: float) -> float:
    """How far a point is from a line, as a fraction of the figure's width or height, whichever is more."""
    xs, ys = np.asarray(line.x, float), np.asarray(line.y, float)
    near = np.abs(xs - x) <= np.ptp(xs) / 1000
    low, high = ys[near].min(), ys[near].max()
    return max(low - y, y - high, 0.0) / np.ptp(ys)


def test_a_line_keeps_its_shape_and_loses_what_no_screen_shows():
    whole, light = spike_train(), lighter(spike_train())
    for before, after in zip(whole.data[:2], light.data[:2], strict=True):
        assert max(apart(before, x, y) for x, y in zip(after.x, after.y, strict=True)) < 1 / 1000
        assert np.max(after.y) == pytest.approx(np.max(before.y), abs=np.ptp(before.y) / 4000)
        assert (after.x[0], after.x[-1]) == pytest.approx((before.x[0], before.x[-1]), abs=1e-3)
    assert len(light.data[1].x) <= 8 < len(light.data[0].x)
    assert light.data[2] == whole.data[2]


@pytest.mark.parametrize("y", [[1.0, np.nan, 2.0], [5.0, 5.0, 5.0], [1.0, 2.0], ["a", "b", "c"], [3, 1, 2]])
def test_lines_of_other_kinds_are_left_or_stay_what_they_are(y):
    x = [0.0, 1.0, 2.0][: len(y)]
    (line,) = lighter(go.Figure(go.Scatter(x=x, y=y, mode="lines"))).data
    if all(isinstance(one, (int, float)) for one in y):
        assert np.array_equal(np.interp(x, line.x, np.asarray(line.y, float)), np.asarray(y, float), equal_nan=True)
    else:
        assert list(line.y) == y


def test_figures_that_share_sweeps_hold_them_once():
    one = code_of(packed({"figure-1": spike_train()}))
    two = code_of(packed({"figure-1": spike_train(), "figure-2": spike_train()}))
    assert two.count("sums([") == one.count("sums([") == 4
    assert two.count("plotly.js v") == 1


def test_series_come_back_as_the_figure_holds_them():
    light = lighter(spike_train())
    code = code_of(packed({"figure-1": spike_train()}))
    steps, unit = re.findall(r"sums\((\[[^\]]*\]), ([^)]+)\)", code)[0]
    assert np.cumsum(json.loads(steps)) * float(unit) == pytest.approx(np.asarray(light.data[0].x, float))


def test_a_name_cannot_close_the_script():
    text = packed({"figure-1": spike_train()})
    assert text.count("<script") == text.count("</script>") == 2
    assert "alert(1)" not in text
