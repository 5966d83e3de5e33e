"""The integrator against solutions known in closed form, and simulated cells' promises."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from neuroclass.ephys.cell_features import extract_features
from neuroclass.features import Stimulus
from neuroclass.simulation import stimuli
from neuroclass.simulation.cells import (
    DATABASE_PLAN,
    Plan,
    SimulatedCell,
    choose_stimuli,
    lowest_spiking,
    simulate_recording,
    spikes,
)
from neuroclass.simulation.models import DT_MS, NeuronParameters, integrate, make_membrane

REGULAR = NeuronParameters(
    capacitance_pf=100,
    v_rest_mv=-70,
    g_leak=0.05,
    g_na=21,
    g_nap=0.006,
    g_kd=2.9,
    g_kv3=0.1,
    g_m=0.11,
    g_kir=0.005,
    g_t=0.004,
    g_h=0.003,
    e_na_mv=48,
    e_k_mv=-75,
    vt_mv=-55,
    h_shift_mv=1.2,
    n_shift_mv=2.1,
    nap_shift_mv=1.7,
    kv3_shift_mv=-21,
    m_rate=1.5,
    h_rate=1.6,
    n_rate=1.3,
    kv3_rate=2.2,
    tau_m_ms=450,
    noise_pa=2,
)
PASSIVE = replace(REGULAR, **dict.fromkeys(("g_na", "g_nap", "g_kd", "g_kv3", "g_m", "g_kir", "g_t", "g_h"), 0.0))
SILENT = replace(REGULAR, g_na=0.0, g_nap=0.0)
QUICK = Plan((-110.0, -90.0, -70.0, -50.0), (0.0, 50.0, 100.0), (10.0,), 1, (1,), 1.0)


@pytest.fixture(scope="module")
def cell() -> SimulatedCell:
    chosen = choose_stimuli(REGULAR, 1.5)
    assert chosen is not None
    return SimulatedCell(REGULAR, chosen)


def test_a_passive_membrane_charges_as_a_capacitor_does() -> None:
    current = np.full(stimuli.samples(0.3), -50.0)
    v = integrate(make_membrane(PASSIVE), current)
    t = DT_MS * np.arange(v.size)
    resistance, tau = 1e3 / (0.05 * 100), 1 / 0.05
    expected = -70 - 50e-3 * resistance * (1 - np.exp(-t / tau))
    np.testing.assert_allclose(v, expected, atol=0.01)


def test_a_neuron_left_alone_stays_at_rest() -> None:
    v = integrate(make_membrane(REGULAR), np.zeros(stimuli.samples(0.5)))
    np.testing.assert_allclose(v, -70.0, atol=1e-6)


def test_blocking_sodium_ends_spiking_and_h_current_makes_sag() -> None:
    strong = stimuli.long_square(400)
    assert spikes(integrate(make_membrane(REGULAR), strong)) > 5
    assert spikes(integrate(make_membrane(replace(REGULAR, g_na=0.0)), strong)) == 0

    def rebound(g_h: float) -> float:
        v = integrate(make_membrane(replace(REGULAR, g_h=g_h)), stimuli.long_square(-150))
        during = v[stimuli.samples(0.5) : stimuli.samples(1.5)]
        return float(during[-1] - during.min())

    assert rebound(0.02) > rebound(0.0) + 1.0


def test_the_rheobase_is_the_lowest_that_fires() -> None:
    membrane = make_membrane(REGULAR)
    rheobase = lowest_spiking(membrane, stimuli.LONG_S, 750.0)
    assert rheobase is not None
    fired = [spikes(integrate(membrane, stimuli.square(rheobase + step, 1.0, 0.0))) > 0 for step in (-10.0, 0.0)]
    assert fired == [False, True]
    assert lowest_spiking(make_membrane(SILENT), stimuli.LONG_S, 750.0) is None
    assert choose_stimuli(SILENT, 1.5) is None


def test_noise_is_pink_with_the_coefficient_of_variation_asked_for() -> None:
    current = stimuli.noise(100.0, 1)
    first = stimuli.samples(stimuli.LEAD_S)
    for number, level in enumerate(stimuli.NOISE_LEVELS):
        begin = first + number * stimuli.samples(stimuli.NOISE_S + stimuli.NOISE_GAP_S)
        epoch = current[begin : begin + stimuli.samples(stimuli.NOISE_S)]
        assert epoch.mean() == pytest.approx(100 * level)
        assert epoch.std() / epoch.mean() == pytest.approx(0.2)
        power = np.abs(np.fft.rfft(epoch - epoch.mean())) ** 2
        frequency = np.fft.rfftfreq(epoch.size, 1 / stimuli.RATE_HZ)
        low = power[(frequency >= 4) & (frequency < 8)].sum()
        high = power[(frequency >= 128) & (frequency < 256)].sum()
        assert low == pytest.approx(high, rel=0.8), "each octave of pink noise holds the same power"
        assert power[frequency > 600].sum() < 1e-9 * power.sum()
    assert not np.allclose(current, stimuli.noise(100.0, 2))


def test_the_same_seed_gives_the_same_samples(cell: SimulatedCell) -> None:
    def digest(seed: int) -> str:
        state = hashlib.sha256()
        for sweep in simulate_recording(cell, seed, plan=QUICK).sweeps:
            state.update(sweep.v_mv.tobytes() + sweep.i_pa.tobytes())
        return state.hexdigest()

    assert digest(3) == digest(3)
    assert digest(3) != digest(4)


def test_the_extraction_finds_what_the_model_was_given(cell: SimulatedCell) -> None:
    found = extract_features(simulate_recording(cell, 0, plan=QUICK))
    assert set(found.missing) == {"seal_gohm", "input_resistance_mohm"}
    assert found.values["vrest"] == pytest.approx(REGULAR.v_rest_mv, abs=0.5)
    assert found.values["threshold_i_long_square"] == cell.stimuli.rheobase_pa
    assert found.values["threshold_i_short_square"] == cell.stimuli.short_pa + 10
    assert {epoch.stimulus for epoch in found.epochs} >= set(Stimulus) - {Stimulus.NONE}


def test_a_recording_says_that_it_is_simulated(cell: SimulatedCell) -> None:
    recording = simulate_recording(cell, 0, plan=QUICK)
    assert recording.metadata["simulated"] == "yes"
    assert any("Simulated" in warning for warning in recording.warnings)


def test_the_plan_is_the_database_s_stimulus_set(cell: SimulatedCell) -> None:
    names = [sweep.stimulus_name for sweep in simulate_recording(cell, 0, plan=DATABASE_PLAN).sweeps]
    assert set(names) == {"Long Square", "Short Square", "Ramp", "Noise 1", "Noise 2"}
    assert 20 <= len(names) <= 30
