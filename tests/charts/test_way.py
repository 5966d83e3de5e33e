"""Small figures of the way from a file to a verdict draw what each step found."""

import numpy as np

from neuroclass.charts.traces import Trace
from neuroclass.charts.way import features, marked, overlaid
from neuroclass.features import FEATURE_NAMES

RATE = 10_000.0


def trace(number: int, amplitude_pa: float) -> Trace:
    v = np.full(20_000, -70.0 + 0.01 * amplitude_pa)
    v[[7_000, 9_000]] = 30.0
    return Trace(f"sweep {number}", v, np.zeros(20_000), RATE, amplitude_pa)


def test_of_many_sweeps_the_weakest_and_the_strongest_are_drawn_and_six_between():
    fig = overlaid([trace(k, 10.0 * k) for k in reversed(range(30))])
    names = [one.hovertemplate.split(":")[0] for one in fig.data]
    assert len(names) == 8 and names[0] == "sweep 0" and names[-1] == "sweep 29"
    assert len({one.line.color for one in fig.data}) == 8


def test_spikes_are_marked_on_the_response_where_they_peak():
    response, spikes = marked(trace(1, 50.0), np.array([0.7, 0.9]), 0.5, 1.5).data
    assert list(spikes.x) == [0.7, 0.9] and list(spikes.y) == [30.0, 30.0]
    assert max(response.y) == 30.0


def test_every_feature_is_one_point_in_its_stimulus_row_and_none_leaves_the_figure():
    values = dict.fromkeys(FEATURE_NAMES, 1.0)
    far = {name: 9.0 if k % 2 else -0.5 for k, name in enumerate(FEATURE_NAMES)}
    fig = features(values, far)
    assert sum(len(one.x) for one in fig.data) == len(FEATURE_NAMES)
    low, high = fig.layout.xaxis.range
    assert all(low < x < high for one in fig.data for x in one.x)
    assert [text.replace("<br>", " ") for text in fig.layout.yaxis.ticktext][:2] == ["long square", "short square"]
    assert len(fig.data) == 5  # four stimuli, and the two features of the pulse and seal
    for row, one in enumerate(fig.data):
        assert np.round(np.asarray(one.y, dtype=float)).tolist() == [row] * len(one.y)
