"""Passive properties equal AllenSDK's on noisy responses."""

import numpy as np
import pytest

from neuroclass.ephys.subthreshold import baseline, deflection, line_slope, mean_between, sag, time_constant
from neuroclass.ephys.sweep import Sweep
from tests.ephys import planted


def noisy(cell: planted.Cell, amplitude_pa: float, noise_mv: float) -> Sweep:
    sweep = planted.long_square(cell, 0, amplitude_pa)
    noise = np.random.default_rng(0).normal(0, noise_mv, sweep.n_times)
    return Sweep(0, sweep.v_mv + noise, sweep.i_pa, sweep.rate_hz)


@pytest.mark.usefixtures("allensdk")
@pytest.mark.parametrize("rate", [10_000.0, 50_000.0, 200_000.0])
@pytest.mark.parametrize("noise_mv", [0.0, 0.1])
@pytest.mark.parametrize("tau_ms", [4.0, 15.0, 35.0])
def test_tau_and_sag_equal_allensdk(rate: float, noise_mv: float, tau_ms: float) -> None:
    from allensdk.ephys.ephys_extractor import EphysSweepFeatureExtractor

    sweep = noisy(planted.Cell(rate_hz=rate, tau_ms=tau_ms), -70.0, noise_mv)
    oracle = EphysSweepFeatureExtractor(sweep.t, sweep.v_mv, sweep.i_pa, start=0.5, end=1.5, filter=None)
    rest = baseline(sweep.v_mv, rate, 0.5, 0.1)
    assert rest == pytest.approx(oracle.sweep_feature("v_baseline"), abs=1e-9)
    assert deflection(sweep.v_mv, rate, 0.5, 1.5) == oracle.voltage_deflection("min")[1]
    assert sag(sweep.v_mv, rate, 0.5, 1.5, rest) == pytest.approx(oracle.sweep_feature("sag"), abs=2e-3)
    found = time_constant(sweep.v_mv, rate, 0.5, 1.5, rest)
    assert found == pytest.approx(1e3 * oracle.sweep_feature("tau"), rel=1e-3)


def test_no_deflection_has_no_time_constant() -> None:
    flat = np.full(50_000, -70.0)
    assert np.isnan(time_constant(flat, 20_000.0, 0.5, 1.5, -70.0))


def test_slopes_and_means() -> None:
    assert line_slope(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0])) == 2.0
    assert mean_between(np.arange(10.0), 10.0, 0.2, 0.5) == 3.0
    assert np.isnan(mean_between(np.arange(10.0), 10.0, 2.0, 3.0))
    assert np.isnan(baseline(np.arange(10.0), 10.0, 0.5, 0.001))
