"""Stimuli are recognised by the current's shape, commanded or measured with noise."""

from pathlib import Path

import numpy as np
import pytest

from neuroclass.ephys.cell_features import recording_epochs
from neuroclass.ephys.protocols import TEST_PULSE, Epoch, find_epochs
from neuroclass.ephys.sweep import Sweep
from neuroclass.features import Stimulus
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from neuroclass.types.arrays import Floats

RATE = 20_000.0
T = np.arange(round(5 * RATE)) / RATE


def between(start: float, end: float) -> Floats:
    return ((start - 1e-9 <= T) & (end - 1e-9 > T)).astype(float)


def epochs(i: Floats, name: str = "") -> list[Epoch]:
    return list(find_epochs(Sweep(0, np.full(i.size, -70.0), i, RATE, stimulus_name=name)))


def rough(start: float, end: float, mean: float, sd: float) -> Floats:
    rng = np.random.default_rng(3)
    raw = np.convolve(rng.normal(size=T.size + 39), np.ones(40) / np.sqrt(40), "valid")
    return between(start, end) * (mean + sd * raw)


SHAPES = {
    "long": (100 * between(1, 2), Stimulus.LONG_SQUARE, 1, 2, 100),
    "negative": (-70 * between(1, 2), Stimulus.LONG_SQUARE, 1, 2, -70),
    "half a second": (30 * between(1, 1.5), Stimulus.LONG_SQUARE, 1, 1.5, 30),
    "short": (800 * between(1, 1.003), Stimulus.SHORT_SQUARE, 1, 1.003, 800),
    "half a millisecond": (2000 * between(1, 1.0005), Stimulus.SHORT_SQUARE, 1, 1.0005, 2000),
    "ramp": (25 * (T - 1) * between(1, 4), Stimulus.RAMP, 1, 4, 75),
    "ramp in steps": (5 * np.floor(10 * (T - 1)) * between(1, 4), Stimulus.RAMP, 1, 4, 145),
    "falling ramp": (-40 * (T - 1) * between(1, 3), Stimulus.RAMP, 1, 3, -80),
    "noise": (rough(1, 4, 100, 20), Stimulus.NOISE, 1, 4, 100),
    "noise around zero": (rough(1, 4, 0, 20), Stimulus.NOISE, 1, 4, 0),
}


@pytest.mark.parametrize("noise_pa", [0.0, 3.0])
@pytest.mark.parametrize("holding_pa", [0.0, -40.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_with_and_without_holding_and_noise(shape: str, holding_pa: float, noise_pa: float) -> None:
    current, stimulus, start, end, amplitude = SHAPES[shape]
    measured = current + holding_pa + np.random.default_rng(0).normal(0, noise_pa, T.size)
    (epoch,) = epochs(measured)
    slack = 1e-4 if noise_pa == 0 else 0.002
    if stimulus is Stimulus.RAMP:
        slack = 0.11 if "steps" in shape else max(slack, 0.03 + noise_pa * 0.03)
    if stimulus is Stimulus.NOISE:
        slack = 0.01
    if shape == "half a millisecond" and noise_pa:
        pytest.skip("shorter than the filter that a measured current needs")
    assert epoch.stimulus is stimulus
    assert epoch.start_s == pytest.approx(start, abs=slack)
    assert epoch.end_s == pytest.approx(end, abs=slack)
    assert epoch.amplitude_pa == pytest.approx(amplitude, abs=max(0.03 * abs(amplitude), 3.0))
    assert epoch.holding_pa == pytest.approx(holding_pa, abs=2.0 if noise_pa else 1e-9)
    assert epoch.from_rest and not epoch.truncated


def test_the_name_does_not_decide() -> None:
    (epoch,) = epochs(100 * between(1, 2), "Ramp to rheobase")
    assert epoch.stimulus is Stimulus.LONG_SQUARE


def test_a_chirp_is_not_noise() -> None:
    chirp = between(1, 4) * 50 * np.sin(2 * np.pi * ((T - 1) + 6 * (T - 1) ** 2))
    assert [e.stimulus for e in epochs(chirp)] == [None]


def test_a_test_pulse_is_set_apart() -> None:
    pulse, step = epochs(-10 * between(0.1, 0.12) + 150 * between(1, 2))
    assert (pulse.stimulus, pulse.note) == (None, TEST_PULSE)
    assert step.stimulus is Stimulus.LONG_SQUARE
    assert step.baseline_s == pytest.approx(0.1)


def test_two_steps_are_two_epochs_and_the_second_is_not_from_rest() -> None:
    first, second = epochs(-50 * between(1, 1.5) + 80 * between(1.5, 2))
    assert [first.amplitude_pa, second.amplitude_pa] == [-50, 80]
    assert first.from_rest and not second.from_rest


def test_a_sweep_that_ends_within_its_step_is_truncated() -> None:
    (epoch,) = find_epochs(Sweep(0, np.full(30_000, -70.0), (100 * between(1, 2))[:30_000], RATE))
    assert epoch.truncated


def test_an_unknown_or_silent_current_has_no_epochs() -> None:
    assert epochs(np.full(T.size, np.nan)) == []
    assert epochs(np.full(T.size, -30.0)) == []


def test_a_constant_pulse_beside_varied_steps_is_a_test_pulse(shared_recordings: Path) -> None:
    (recording,) = read_recordings(shared_recordings / "171116sh_0018.abf")
    found = recording_epochs(recording)
    steps = [e.amplitude_pa for e in found if e.start_s < 1]
    assert steps == [-100 + 25 * k for k in range(17) if -100 + 25 * k != 0]
    pulses = {e.note for e in found if abs(e.start_s - 1.14685) < 1e-6 and e.duration_s < 0.6}
    assert pulses == {TEST_PULSE}


@pytest.mark.parametrize(
    ("name", "mapping", "n", "duration"),
    [
        ("File_axon_5.abf", ChannelMapping(), 8, 0.5),
        ("FergusonEtAl2015_PYR2.nwb", ChannelMapping(), 13, 1.0),
        ("PYR4.abf", ChannelMapping("Vm", "Imemb"), 30, 1.0),
    ],
)
def test_real_steps_are_found_even_in_measured_current(
    shared_recordings: Path, name: str, mapping: ChannelMapping, n: int, duration: float
) -> None:
    (recording,) = read_recordings(shared_recordings / name, mapping=mapping)
    found = [e for e in recording_epochs(recording) if e.stimulus is Stimulus.LONG_SQUARE]
    assert len(found) == n == len({e.sweep_number for e in found})
    assert [e.duration_s for e in found] == pytest.approx([duration] * n, abs=0.006)
    rises = np.diff([e.amplitude_pa for e in found])
    assert (rises > 0).all()
