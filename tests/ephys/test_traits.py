"""Recordings simulated to have one awkward trait each, read from ABF and NWB files: what was planted comes back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuroclass.classification.analysis import RecordingAnalysis, analyse
from neuroclass.ephys.sweep import Recording
from neuroclass.io.recordings import read_recordings
from neuroclass.simulation import stimuli
from tests.ephys import planted
from tests.ephys.simulated import HIGH_RESISTANCE, RATE, ramp, record, step
from tests.io.abf_recorded import write_abf
from tests.io.nwb_files import write_nwb1, write_nwb2

Read = Callable[[Recording], RecordingAnalysis]
SQUARES = (-100.0, -50.0, 50.0, 100.0, 150.0, 200.0)


@pytest.fixture(params=["abf", "nwb1", "nwb2"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Read:
    """Write a recording to a file of one format, read it and measure it."""

    def through_file(recording: Recording) -> RecordingAnalysis:
        path = tmp_path / "cell.nwb"
        if request.param == "abf":
            write_abf(path, recording)
        elif request.param == "nwb1":
            write_nwb1(path, recording)
        else:
            write_nwb2(path, {"cell": recording})
        (found,) = read_recordings(path)
        return analyse(found)

    return through_file


def flags(analysis: RecordingAnalysis) -> dict[str, str]:
    return {flag.name: flag.message for flag in analysis.qc}


def lines(analysis: RecordingAnalysis) -> list[str]:
    return [one["recognised"] for one in analysis.sweeps_json()]


def test_a_ramps_threshold_counts_from_each_sweeps_own_holding_current(read: Read) -> None:
    levels = (60.0, 70.0, 80.0, 90.0)
    found = read(record([ramp(25.0)] * 4, holding_pa=levels))
    crossed = []
    for one in found.sweeps:
        k = int(one.spikes.indexes["threshold"][0])
        crossed.append(float(one.sweep.i_pa[max(0, k - 50) : k + 51].mean()))
    place = found.provenance()["threshold_i_ramp"]
    step_pa = float(np.mean(np.array(crossed) - levels))
    assert found.features.values["threshold_i_ramp"] == pytest.approx(step_pa, abs=0.3)
    assert place["absolute_pa"] == pytest.approx(np.mean(crossed), abs=0.3)
    assert place["holding_pa"] == pytest.approx([60.0, 90.0], abs=0.1)
    assert "held at 60 to 90 pA" in place["caveat"]
    assert "60 to 90 pA" in flags(found)["holding_varies"]
    assert any("60 to 90 pA" in warning and "subtracted" in warning for warning in found.features.warnings)


def test_a_rheobase_gives_the_current_with_the_holding_current_too(read: Read) -> None:
    found = read(record([step(a) for a in (50.0, 100.0, 150.0)], holding_pa=20.0))
    rheobase, place = found.features.values["threshold_i_long_square"], found.provenance()["threshold_i_long_square"]
    first = min(e.amplitude_pa for one in found.sweeps for e in one.epochs if len(one.spikes))
    assert rheobase == pytest.approx(first, abs=0.3)
    assert place["absolute_pa"] == pytest.approx(first + 20.0, abs=0.3)
    assert "caveat" not in place
    assert "holding_varies" not in flags(found)


def test_squares_in_depolarisation_block_are_left_out_of_the_f_i_slope(read: Read) -> None:
    firing, blocked = (150.0, 200.0, 300.0, 500.0), (1000.0, 1500.0, 2000.0)
    found = read(record([step(a) for a in (*firing, *blocked)]))
    alone = analyse(record([step(a) for a in firing]))
    assert [flag.sweep for flag in found.qc if flag.name == "depolarisation_block"] == [4, 5, 6]
    assert found.features.values["f_i_curve_slope"] == pytest.approx(alone.features.values["f_i_curve_slope"], rel=0.01)
    assert "3 in depolarisation block left out" in found.provenance()["f_i_curve_slope"]["note"]


def phasic(number: int, amplitude_pa: float, plateau_mv: float) -> planted.Sweep:
    """Two spikes at the onset, then a depolarised plateau: accommodation, at every amplitude."""
    cell = planted.Cell(rate_hz=RATE)
    current = planted.square(cell, amplitude_pa)
    v = np.where(current > 0, plateau_mv, cell.vrest_mv)
    for at in (0.52, 0.58):
        cell.paste(v, at)
    return planted.Sweep(number, v, current, RATE)


def test_two_spikes_beside_neighbours_alike_are_no_block(read: Read) -> None:
    found = read(Recording("p", "p", tuple(phasic(k, 100.0 + 50 * k, -39.0 + 2 * k) for k in range(4))))
    assert [one["n_spikes"] for one in found.sweeps_json()] == [2, 2, 2, 2]
    assert "depolarisation_block" not in flags(found)
    assert found.features.values["f_i_curve_slope"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("amplitude", [1500.0, 2500.0, 4000.0, 6000.0, 9000.0])
def test_a_pulse_of_2_ms_has_its_spike_however_early(read: Read, amplitude: float) -> None:
    found = read(record([step(amplitude, duration_s=0.002, total_s=1.0)] * 3))
    peaks = [one.spikes.time_s("peak") for one in found.sweeps]
    assert [p.size for p in peaks] == [1, 1, 1]
    assert "short square" in lines(found)[0] and "1 spike" in lines(found)[0]
    values = found.features.values
    assert values["threshold_i_short_square"] == pytest.approx(amplitude, rel=0.001)
    assert values["peak_v_short_square"] == pytest.approx(float(found.sweeps[0].spikes.v_mv["peak"][0]), abs=0.2)
    assert -45.0 < values["threshold_v_short_square"] < -30.0
    if amplitude == 9000.0:
        assert float(peaks[0][0]) - 0.5 < 0.00095


@pytest.mark.parametrize("mohm", [-20.0, -8.0, 8.0, 20.0])
def test_an_electrodes_artefact_is_no_spike(mohm: float) -> None:
    train = np.sum([step(2500.0, 0.5 + 0.02 * k, 0.002, 1.0) for k in range(10)], axis=0)
    alone = step(1500.0, duration_s=0.002, total_s=1.0)
    quiet = step(500.0, duration_s=0.002, total_s=1.0)
    plain = record([train, alone, quiet])
    found = analyse(replace(plain, sweeps=tuple(replace(s, v_mv=_with_artefact(s, mohm)) for s in plain.sweeps)))
    assert [one["n_spikes"] for one in found.sweeps_json()] == [10, 1, 0]


def _with_artefact(sweep: planted.Sweep, mohm: float) -> planted.Floats:
    """A jump with each step of the current that decays within 0.3 ms, as of a pipette's capacitance."""
    v = sweep.v_mv.copy()
    for k in np.flatnonzero(np.diff(sweep.i_pa)):
        n = 30
        v[k + 1 : k + 1 + n] += mohm * 1e-3 * (sweep.i_pa[k + 1] - sweep.i_pa[k]) * np.exp(-np.arange(n) / 4.0)
    return v


def test_spikes_at_rest_are_counted_and_what_they_spoil_is_marked(read: Read) -> None:
    currents = [step(a, total_s=3.0) for a in (-100.0, -50.0, 50.0, 100.0)] + [ramp(25.0), 0.0 * ramp(25.0)]
    found = read(record(currents, hidden_pa=150.0))
    truth = [int(((one.sweep.v_mv[1:] >= -10) & (one.sweep.v_mv[:-1] < -10)).sum()) for one in found.sweeps]
    sweeps = found.sweeps_json()
    assert [one["n_spikes"] for one in sweeps] == truth == [len(one.spikes) for one in found.sweeps]
    assert list(found.features.n_spikes.values()) == truth
    assert sweeps[-1]["n_spikes_at_rest"] == truth[-1] > 10
    assert all(f"{n} spikes" in one["recognised"] for n, one in zip(truth, sweeps, strict=True))
    assert all(f"{n} spikes" in one.title for n, one in zip(truth, found.sweeps, strict=True))
    assert "spontaneously active" in flags(found)["spontaneous_firing"]
    assert found.qc[0].severity == "serious"
    assert "baseline_drift" not in flags(found)
    spoiled = {name for name, place in found.provenance().items() if "caveat" in place}
    assert {"threshold_i_long_square", "threshold_i_ramp", "vrest", "sag", "ri", "tau"} <= spoiled
    assert not {"peak_v_long_square", "threshold_v_long_square"} & spoiled


def test_the_rest_between_spontaneous_spikes_holds_no_spike() -> None:
    cell = planted.Cell(rate_hz=RATE)
    sweeps = []
    for k, amplitude in enumerate((-90.0, -50.0)):
        one = planted.long_square(cell, k, amplitude)
        v = one.v_mv.copy()
        cell.paste(v, 0.44)
        sweeps.append(replace(one, v_mv=v))
    found = analyse(Recording("p", "p", tuple(sweeps)))
    assert found.features.values["vrest"] == pytest.approx(cell.vrest_mv, abs=0.6)


def test_a_silent_cell_is_not_called_active(read: Read) -> None:
    found = read(record([step(a) for a in SQUARES]))
    assert "spontaneous_firing" not in flags(found)
    assert not any("caveat" in place for place in found.provenance().values())
    assert not found.qc


def test_a_potential_no_neuron_has_is_withheld_with_the_reason(read: Read) -> None:
    plain = record([step(a) for a in SQUARES[1:]])
    low = replace(plain.sweeps[0], v_mv=plain.sweeps[0].v_mv - 101.0 * (plain.sweeps[0].i_pa < 0))
    found = read(replace(plain, sweeps=(low, *plain.sweeps[1:]))).features
    assert "vm_for_sag" not in found.values
    assert "−180" in found.missing["vm_for_sag"] and "−150 to −20 mV" in found.missing["vm_for_sag"]
    assert "threshold_v_long_square" in found.values


def test_a_cell_out_of_the_references_range_is_called_so(read: Read) -> None:
    found = read(record([step(a) for a in (-50.0, -20.0, 20.0, 50.0)], HIGH_RESISTANCE))
    assert found.features.values["ri"] > 1000.0
    assert found.qc[0].name == "not_a_healthy_cortical_neuron"
    assert "high input resistance" in found.qc[0].message and "depolarised rest" in found.qc[0].message
    assert {"high_input_resistance", "depolarised_rest"} <= flags(found).keys()
    assert found.qc_json()[0]["severity"] == "serious"


def test_each_sweep_says_in_one_line_what_it_is(read: Read) -> None:
    lengths = [
        step(120.0),
        step(900.0, duration_s=0.003),
        step(100.0, duration_s=0.03),
        0.0 * step(1.0),
        np.where(np.arange(stimuli.samples(2.0)) < RATE * 1.5, ramp(25.0, total_s=2.0), 0.0),
    ]
    found = lines(read(record(lengths)))
    expected = [
        "long square +120 pA, 1 s (one level",
        "short square +900 pA, 3 ms (one level",
        "not recognised (+100 pA",
    ]
    for line, start in zip(found, [*expected, "no stimulus", "ramp +2"], strict=True):
        assert line.startswith(start)
        assert "spike" in line and "\n" not in line


@pytest.mark.parametrize("hz", [50.0, 60.0])
def test_hum_is_told_with_its_amplitude(hz: float) -> None:
    plain = record([step(a) for a in SQUARES])
    hum = [replace(s, v_mv=s.v_mv + 0.8 * np.sin(2 * np.pi * hz * s.t + s.number)) for s in plain.sweeps]
    found = flags(analyse(replace(plain, sweeps=tuple(hum))))
    assert f"0.8 mV at {hz:g} Hz" in found["line_hum"]


@pytest.mark.parametrize("rate", [5_000.0, 10_000.0, 25_000.0])
def test_counts_and_rheobase_hold_at_low_sampling_rates(rate: float) -> None:
    whole = record([step(a) for a in SQUARES])
    k = round(RATE / rate)
    slow = [replace(s, v_mv=s.v_mv[::k].copy(), i_pa=s.i_pa[::k].copy(), rate_hz=rate) for s in whole.sweeps]
    found, expected = analyse(replace(whole, sweeps=tuple(slow))).features, analyse(whole).features
    assert found.n_spikes == expected.n_spikes
    for name in ("threshold_i_long_square", "f_i_curve_slope", "vrest"):
        assert found.values[name] == pytest.approx(expected.values[name], rel=1e-3)


def test_a_current_recorded_with_noise_gives_the_squares_level() -> None:
    whole = record([step(a) for a in SQUARES])
    noisy = [
        replace(s, i_pa=s.i_pa + np.random.default_rng(s.number).normal(0, 3.0, s.n_times), recorded_current=True)
        for s in whole.sweeps
    ]
    found = analyse(replace(whole, sweeps=tuple(noisy))).features.values["threshold_i_long_square"]
    assert found == pytest.approx(100.0, abs=0.3)


def test_gap_free_steps_are_read_as_one_cells_squares() -> None:
    found = analyse(record([np.concatenate([step(a) for a in SQUARES])]))
    apart = analyse(record([step(a) for a in SQUARES]))
    for name in ("threshold_i_long_square", "f_i_curve_slope", "vm_for_sag", "ri"):
        assert found.features.values[name] == pytest.approx(apart.features.values[name], rel=0.01)
