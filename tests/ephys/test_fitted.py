"""What is drawn on the traces is what was measured."""

import numpy as np
import pytest

from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.ephys.cell_features import CellFeatures, extract_features
from neuroclass.ephys.firing import adaptation_index, average_spike, instantaneous_rate, power_spectrum
from neuroclass.ephys.fitted import (
    lowest_point,
    rate_current,
    rest_levels,
    sag_levels,
    tau_fits,
    voltage_current,
)
from neuroclass.ephys.sweep import Recording


@pytest.fixture(scope="module")
def measured() -> tuple[Recording, CellFeatures]:
    recording = simulate_demo_cell("simulated-human-inhibitory-062")
    return recording, extract_features(recording)


def test_the_fits_have_the_features_values(measured: tuple[Recording, CellFeatures]) -> None:
    recording, features = measured
    fits = tau_fits(recording, features)
    assert np.mean([fit.tau_ms for fit in fits]) == pytest.approx(features.values["tau"], rel=1e-12)
    for fit in fits:
        v = recording.sweeps[fit.sweep].v_mv[round(fit.t_s[0] * 50e3) :][: fit.t_s.size]
        assert np.sqrt(((v - fit.v_mv) ** 2).mean()) < 0.15 * np.ptp(v)
    sag = sag_levels(recording, features)
    assert sag is not None
    assert sag.value == pytest.approx(features.values["sag"], rel=1e-12)
    line = voltage_current(recording, features)
    assert line is not None
    assert 1e3 * line.slope == pytest.approx(features.values["ri"], rel=1e-9)
    assert [lowest_point(recording, features, n)[1] for n in line.sweeps] == line.y.tolist()
    rest = [level for *_, level in rest_levels(recording, features)]
    assert np.mean(rest) == pytest.approx(features.values["vrest"], rel=1e-12)


def test_the_rate_line_has_the_slope_of_the_feature(measured: tuple[Recording, CellFeatures]) -> None:
    recording, features = measured
    line = rate_current(recording, features)
    assert line is not None
    assert line.slope == pytest.approx(features.values["f_i_curve_slope"], rel=1e-9)
    assert len(line.x) > len(features.provenance["f_i_curve_slope"].sweeps)


def test_without_the_feature_there_is_nothing_to_draw(measured: tuple[Recording, CellFeatures]) -> None:
    recording, _ = measured
    quiet = Recording("none", "none", recording.sweeps[-1:])
    nothing = extract_features(quiet)
    assert tau_fits(quiet, nothing) == ()
    assert sag_levels(quiet, nothing) is None
    assert voltage_current(quiet, nothing) is None
    assert rate_current(quiet, nothing) is None


def test_rate_and_adaptation_of_a_known_train() -> None:
    times = np.array([0.0, 0.1, 0.3, 0.7])
    t, rate = instantaneous_rate(times)
    assert t.tolist() == [0.1, 0.3, 0.7]
    assert rate == pytest.approx([10.0, 5.0, 2.5])
    assert adaptation_index(times) == pytest.approx(1 / 3)
    assert np.isnan(adaptation_index(times[:2]))
    assert instantaneous_rate(times[:1])[0].size == 0


def test_the_average_spike_is_centred_and_leaves_out_cut_ones() -> None:
    v = np.full(5000, -70.0)
    peaks = np.array([10, 1000, 3000])
    v[[1000, 3000]] = 20.0, 40.0
    t, mean, sd, n = average_spike(v, 50e3, peaks)
    assert n == 2
    assert t[mean.argmax()] == 0.0
    assert (mean.max(), sd.max()) == (30.0, 10.0)
    assert average_spike(v, 50e3, peaks[:1])[3] == 0


def test_the_spectrum_finds_a_planted_oscillation() -> None:
    t = np.arange(150_000) / 50e3
    frequency, density = power_spectrum(3.0 * np.sin(2 * np.pi * 40 * t), 50e3)
    assert frequency[density.argmax()] == pytest.approx(40.0, abs=1.0)
    assert density.sum() * np.diff(frequency)[0] == pytest.approx(4.5, rel=0.05)
    assert power_spectrum(t[:100], 50e3)[0].size == 0
