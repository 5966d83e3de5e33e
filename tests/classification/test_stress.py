"""The stress test: each axis does to the sweeps what it says, and flips are found where they are planted."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.stress import (
    BRIDGE,
    DROPPED,
    OFFSET,
    StressResult,
    bridge,
    low_pass,
    offset,
    resample,
    stress,
    summarise,
    variants,
)
from neuroclass.cohort.demo import load_demo, simulate_demo_cell
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of


@pytest.fixture(scope="module")
def recording() -> Recording:
    return simulate_demo_cell(str(load_demo().frame["id"].iloc[0]))


@pytest.fixture(scope="module")
def sweep() -> Sweep:
    t = np.arange(20_000) / 20_000
    return Sweep(3, -70 + 10 * np.sin(2 * np.pi * 4000 * t), np.where(t > 0.5, 200.0, 0.0), 20_000.0)


class Fake:
    """A model that says A below a resting potential of −60 mV, and B above."""

    name, classes = "fake", ("A", "B")

    def predict_proba(self, x, species=None):
        a = np.where(x[:, FEATURE_NAMES.index("vrest")] < -60, 0.9, 0.1)
        return np.stack([a, 1 - a], axis=1)


def test_the_axes_do_what_they_say(sweep):
    assert offset(sweep, -7).v_mv == pytest.approx(sweep.v_mv - 7)
    drop = bridge(sweep, 10).v_mv - sweep.v_mv
    assert drop[0] == 0 and drop[-1] == pytest.approx(2.0)
    filtered = low_pass(sweep, 1.0)
    assert np.ptp(filtered.v_mv[1000:]) < 0.1 * np.ptp(sweep.v_mv)
    assert filtered.v_mv.mean() == pytest.approx(-70, abs=0.1)
    assert low_pass(sweep, 10.0) is sweep
    slower = resample(sweep, 10.0)
    assert (slower.rate_hz, slower.n_times) == (10_000.0, 10_000)
    assert slower.v_mv == pytest.approx(sweep.v_mv[::2], abs=1e-9)
    assert resample(sweep, 25.0) is sweep


def test_only_variants_that_the_recording_allows_are_tried(recording):
    assert {v.axis for v in variants(recording)} == {
        OFFSET, BRIDGE, DROPPED, "low-pass filter", "sampling rate",
    }  # fmt: skip
    slow = replace(recording, sweeps=tuple(resample(s, 10.0) for s in recording.sweeps))
    made = variants(slow)
    assert not [v for v in made if v.axis == "sampling rate"]
    assert {v.level for v in made if v.axis == "low-pass filter"} == {3.0, 2.0, 1.0}
    blind = replace(recording, sweeps=tuple(replace(s, i_pa=np.full_like(s.i_pa, np.nan)) for s in recording.sweeps))
    assert not [v for v in variants(blind) if v.axis == BRIDGE]


def test_a_flip_is_found_where_the_label_depends_on_the_potential(recording):
    chosen = [v for v in variants(recording) if v.axis == OFFSET and v.level in (-15, 3, 9, 15)]
    results = list(stress(recording, "mouse", [Fake()], chosen=chosen))
    rest = recording.sweeps[0].v_mv[:100].mean()
    (hold,) = summarise(results, "fake")
    expected = [mv for mv in (3, 9, 15) if (rest + mv < -60) != (rest < -60)]
    assert [flip.level for flip in hold.flips] == expected
    assert "flips in" in hold.in_words("fake")


def test_results_come_one_at_a_time_and_dropped_stimuli_lose_their_features(recording):
    chosen = [v for v in variants(recording) if v.label == "without ramp"]
    first, second = stress(recording, "mouse", [Fake()], CellMetadata(entered={"seal_gohm": 2.0}), chosen)
    assert first.axis == "as recorded"
    assert second.n_features == first.n_features - len(features_of(Stimulus.RAMP))
    assert next(stress(recording, "mouse", [Fake()])).n_features == first.n_features - 1


def test_a_correction_of_the_protocol_is_followed(recording):
    ramp = next(s.number for s in recording.sweeps if s.stimulus_name == "Ramp")
    given = {(s.number, 0): None for s in recording.sweeps if s.stimulus_name == "Ramp"}
    labels = [v.label for v in variants(recording, CellMetadata(assignments=given))]
    assert ramp and "without ramp" not in labels and "without noise" in labels
    assert Stimulus.RAMP.label == "ramp"


def test_a_label_that_never_changes_holds():
    p = {"fake": {"A": 0.9, "B": 0.1}}
    results = [StressResult("as recorded", 0.0, "", 9, p), StressResult(OFFSET, 3.0, "+3 mV", 9, p)]
    (hold,) = summarise(results, "fake")
    assert hold.in_words("fake") == "holds in all 1"
    lost = StressResult(OFFSET, 6.0, "+6 mV", 0, p)
    assert summarise([*results, lost], "fake")[0].flips == (lost,)
