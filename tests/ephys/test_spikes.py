"""Spikes equal AllenSDK's, sample by sample, on simulated and on real sweeps."""

from pathlib import Path

import numpy as np
import pytest

from neuroclass.ephys.spikes import POINTS, Spikes, detect_spikes, filtered_derivative
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from neuroclass.types.arrays import Floats
from tests.ephys import planted

CURRENT_CLAMP = {
    "171116sh_0018.abf": ChannelMapping(),
    "17o05027_ic_ramp.abf": ChannelMapping(),
    "17o05028_ic_steps.abf": ChannelMapping(),
    "File_axon_5.abf": ChannelMapping(),
    "FergusonEtAl2015_PYR2.nwb": ChannelMapping(),
    "18425108.abf": ChannelMapping("10_Vm", "ME1"),
    "PYR4.abf": ChannelMapping("Vm", "Imemb"),
}


def oracle(v: Floats, i: Floats, rate: float, start: float | None, end: float | None) -> dict[str, np.ndarray]:
    """AllenSDK's spikes; unfiltered where the rate is too low for its filter."""
    from allensdk.ephys.ephys_extractor import EphysSweepFeatureExtractor

    t = np.arange(v.size) * (1.0 / rate)
    extractor = EphysSweepFeatureExtractor(t, v, i, start=start, end=end, filter=10.0 if rate > 20_000 else None)
    extractor.process_spikes()
    return {key: extractor._spikes_df[key].to_numpy() for key in extractor._spikes_df.columns}


def assert_equal(spikes: Spikes, expected: dict[str, np.ndarray]) -> None:
    assert len(spikes) == len(expected.get("clipped", ()))
    if not len(spikes):
        return
    for point in POINTS:
        index = spikes.indexes[point].astype(float)
        index[index < 0] = np.nan
        np.testing.assert_array_equal(index, expected[f"{point}_index"].astype(float), err_msg=point)
        np.testing.assert_allclose(spikes.v_mv[point], expected[f"{point}_v"].astype(float), err_msg=point)
    for quantity in ("upstroke", "downstroke", "width", "upstroke_downstroke_ratio", "threshold_i", "peak_i"):
        np.testing.assert_allclose(
            spikes.values(quantity), expected[quantity].astype(float), rtol=1e-7, atol=1e-9, err_msg=quantity
        )
    np.testing.assert_array_equal(spikes.clipped, expected["clipped"].astype(bool))


@pytest.mark.usefixtures("allensdk")
@pytest.mark.parametrize("rate", [10_000.0, 20_000.0, 25_000.0, 50_000.0, 200_000.0])
@pytest.mark.parametrize("noise_mv", [0.0, 0.05, 0.4])
@pytest.mark.parametrize("window", [(None, None), (0.5, 1.5), (0.5402, 1.0), (0.9, None)])
def test_simulated_sweeps_equal_allensdk(
    rate: float, noise_mv: float, window: tuple[float | None, float | None]
) -> None:
    sweep = planted.long_square(planted.Cell(rate_hz=rate), 0, 170.0)
    v = sweep.v_mv + np.random.default_rng(1).normal(0.0, noise_mv, sweep.n_times)
    assert_equal(detect_spikes(v, sweep.i_pa, rate, *window), oracle(v, sweep.i_pa, rate, *window))


@pytest.mark.usefixtures("allensdk")
@pytest.mark.parametrize("seed", range(8))
def test_odd_traces_equal_allensdk(seed: int) -> None:
    """Bursts, broad and small spikes, plateaus and a spike that the end cuts off."""
    rng = np.random.default_rng(seed)
    cell = planted.Cell(threshold_mv=-45 + 10 * rng.random(), peak_mv=-25 + 60 * rng.random())
    v = np.full(50_000, -60.0) + np.cumsum(rng.normal(0, 0.02, 50_000))
    for at in np.sort(rng.uniform(0.01, 0.999, 25)):
        cell.paste(v, float(at))
    v = np.convolve(v, np.ones(9) / 9, "same")[20:-20]
    i = rng.normal(100, 5, v.size)
    assert_equal(detect_spikes(v, i, 50_000.0), oracle(v, i, 50_000.0, None, None))


@pytest.mark.usefixtures("allensdk")
@pytest.mark.parametrize("name", CURRENT_CLAMP)
def test_real_sweeps_equal_allensdk(shared_recordings: Path, name: str) -> None:
    (recording,) = read_recordings(shared_recordings / name, mapping=CURRENT_CLAMP[name])
    found = 0
    for sweep in recording.sweeps:
        spikes = detect_spikes(sweep.v_mv, sweep.i_pa, sweep.rate_hz)
        assert_equal(spikes, oracle(sweep.v_mv, sweep.i_pa, sweep.rate_hz, None, None))
        found += len(spikes)
    assert found > 0


def test_derivative_is_that_of_the_whole_sweep_filtered() -> None:
    from scipy import signal

    v = np.cumsum(np.random.default_rng(0).normal(size=30_000))
    b, a = signal.bessel(4, 10e3 / 25e3, "low")
    expected = np.diff(signal.filtfilt(b, a, v)) * 50.0
    np.testing.assert_allclose(filtered_derivative(v, 50_000.0), expected, rtol=0, atol=1e-8 * np.abs(expected).max())


def test_planted_shape_is_recovered() -> None:
    cell = planted.Cell(rate_hz=200_000.0)
    spikes = detect_spikes(*_first_square(cell), cell.rate_hz)
    assert len(spikes) == 1
    assert spikes.values("peak_v")[0] == pytest.approx(cell.peak_mv, abs=0.1)
    assert spikes.values("threshold_v")[0] == pytest.approx(cell.threshold_mv, abs=1.0)
    # A raised cosine of 0.4 ms rises at most at height x pi / 0.8 per ms.
    height = cell.peak_mv - cell.threshold_mv
    assert spikes.values("upstroke")[0] == pytest.approx(height * np.pi / 0.8, rel=0.03)
    assert spikes.time_s()[0] == pytest.approx(planted.START_S + cell.latency_s, abs=1e-4)


def _first_square(cell: planted.Cell) -> tuple[Floats, Floats]:
    sweep = planted.long_square(cell, 0, cell.rheobase_pa)
    return sweep.v_mv, sweep.i_pa


def test_a_quiet_or_short_sweep_has_no_spikes() -> None:
    assert len(detect_spikes(np.full(1000, -70.0), np.zeros(1000), 50_000.0)) == 0
    assert len(detect_spikes(np.full(5, -70.0), np.zeros(5), 50_000.0)) == 0


def test_a_window_outside_the_sweep_is_refused() -> None:
    with pytest.raises(ValueError, match="window"):
        detect_spikes(np.zeros(1000), np.zeros(1000), 1000.0, 0.5, 2.0)
