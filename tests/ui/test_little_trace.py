"""A response in little: what is kept of a recording draws the same line as the samples."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from neuroclass.classification.analysis import analyse
from neuroclass.ui import little_trace
from tests.ephys import planted


def line(svg: str) -> np.ndarray:
    points = re.search(r"points='([^']*)'", svg)
    assert points
    return np.array([[float(one) for one in pair.split(",")] for pair in points[1].split()])


def test_spikes_reach_the_top_and_nothing_leaves_the_picture():
    v = np.full(50_000, -70.0)
    v[[10_000, 40_000]] = 200.0
    drawn = line(little_trace.svg(v))
    assert drawn[:, 1].min() == 0.0 and drawn[:, 1].max() <= little_trace.HEIGHT
    at = drawn[drawn[:, 1] == 0.0, 0] / little_trace.WIDTH
    assert at == pytest.approx([0.2, 0.8], abs=0.01)
    assert len(drawn) < 1_000


def test_what_is_kept_is_small_json_and_shows_the_most_telling_square():
    recording = planted.small(20_000.0)
    analysis = analyse(recording)
    found = little_trace.kept(analysis)
    telling = analysis.telling_square
    assert found is not None and telling is not None
    assert found["sweep"] == telling[0].sweep.number
    assert len(json.dumps(found)) < 8_000
    drawn = line(little_trace.of_kept(json.loads(json.dumps(found))))
    top = little_trace.HEIGHT * (little_trace.TOP_MV - max(found["mv"])) / (little_trace.TOP_MV - little_trace.LOW_MV)
    assert drawn[:, 1].min() == pytest.approx(max(0.0, top), abs=0.1)
    n_spikes = len(telling[0].evoked_peaks)
    up = np.diff((np.array(found["mv"]) > 0).astype(int)) == 1
    assert up.sum() == n_spikes


def test_without_an_evoked_spike_nothing_is_kept():
    recording = planted.small(20_000.0)
    quiet = tuple(replace(one, v_mv=np.full_like(one.v_mv, -70.0)) for one in recording.sweeps)
    assert little_trace.kept(analyse(replace(recording, sweeps=quiet))) is None
