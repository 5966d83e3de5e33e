"""Planted rheobase, tau, sag, resistance and spike shape come back; what is absent says why."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.ephys.cell_features import CellFeatures, extract_features
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import SettingsError
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from tests.ephys import planted

CELL = planted.Cell(rate_hz=50_000.0)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return planted.recording(CELL)


@pytest.fixture(scope="module")
def features(recording: Recording) -> CellFeatures:
    return extract_features(recording, entered={"seal_gohm": 2.5})


def test_values_and_reasons_make_all_41(features: CellFeatures) -> None:
    assert set(features.values) | set(features.missing) == set(FEATURE_NAMES)
    assert not set(features.values) & set(features.missing)
    assert set(features.provenance) == set(features.values)
    assert features.values["seal_gohm"] == 2.5
    assert list(features.missing) == ["input_resistance_mohm"]


@pytest.mark.parametrize("rate", [20_000.0, 50_000.0, 200_000.0])
@pytest.mark.parametrize(
    "cell",
    [
        planted.Cell(),
        planted.Cell(vrest_mv=-64.0, ri_mohm=280.0, tau_ms=19.0, sag=0.3, threshold_mv=-36.0, peak_mv=20.0),
        planted.Cell(vrest_mv=-78.0, ri_mohm=60.0, tau_ms=7.0, sag=0.02, rheobase_pa=110.0, latency_s=0.12),
    ],
)
def test_planted_values_come_back(cell: planted.Cell, rate: float) -> None:
    cell = replace(cell, rate_hz=rate)
    found = extract_features(planted.recording(cell)).values
    expected = {
        "vrest": (cell.vrest_mv, 0.01),
        "ri": (cell.ri_mohm, 0.02 * cell.ri_mohm),
        "tau": (cell.tau_ms, 0.02 * cell.tau_ms),
        "sag": (cell.sag, 0.02 * cell.sag + 0.005),
        "threshold_i_long_square": (cell.rheobase_pa, 1e-6),
        "threshold_i_short_square": (500.0, 1e-6),
        "threshold_i_ramp": (25.0 * (1.8 - planted.START_S), 0.1),
        "f_i_curve_slope": (cell.gain_hz_per_pa, 0.02),
        "latency": (cell.latency_s, 2e-4),
        "threshold_v": (cell.threshold_mv, 1.0),
        "peak_v": (cell.peak_mv, 1.0),
        "peak_v_ramp": (cell.peak_mv, 1.0),
        "peak_v_short_square": (cell.peak_mv, 1.0),
        "threshold_v_short_square": (cell.threshold_mv, 1.0),
        "upstroke": ((cell.peak_mv - cell.threshold_mv) * np.pi / 0.8, 10.0),
        "vm_for_sag": (cell.vrest_mv - 0.110 * cell.ri_mohm, 0.02 * 0.110 * cell.ri_mohm),
    }
    for name, (value, tolerance) in expected.items():
        assert found[name] == pytest.approx(value, abs=tolerance), name


def test_places_point_at_the_sample(recording: Recording, features: CellFeatures) -> None:
    place = features.provenance["peak_v_long_square"]
    (number,) = place.sweeps
    sweep = recording.sweeps[number]
    assert place.sample is not None and place.time_s is not None
    assert sweep.i_pa[place.sample] == CELL.rheobase_pa
    assert sweep.v_mv[place.sample] == features.values["peak_v_long_square"]
    assert place.time_s == pytest.approx(place.sample / sweep.rate_hz)
    noise = recording.sweeps[features.provenance["width"].sweeps[0]]
    assert features.n_spikes[noise.number] == 15


@pytest.mark.parametrize(
    ("stimulus", "words"),
    [
        (Stimulus.RAMP, "no ramp in the file"),
        (Stimulus.NOISE, "no noise in the file"),
        (Stimulus.SHORT_SQUARE, "no short square in the file"),
        (Stimulus.LONG_SQUARE, "no long square in the file"),
    ],
)
def test_a_missing_stimulus_is_the_reason(
    recording: Recording, features: CellFeatures, stimulus: Stimulus, words: str
) -> None:
    gone = {e.sweep_number for e in features.epochs if e.stimulus is stimulus}
    rest = replace(recording, sweeps=tuple(s for s in recording.sweeps if s.number not in gone))
    found = extract_features(rest)
    assert {found.missing[name] for name in features_of(stimulus)} == {words}
    kept = {n: v for n, v in features.values.items() if n not in features_of(stimulus) and n != "seal_gohm"}
    assert found.values == pytest.approx(kept)


def test_subthreshold_cells_say_that_nothing_spikes(recording: Recording) -> None:
    quiet = extract_features(replace(recording, sweeps=recording.sweeps[:6]))
    assert quiet.missing["threshold_v_long_square"] == "no spike in any long square"
    assert quiet.values["ri"] == pytest.approx(CELL.ri_mohm, rel=0.02)


def test_a_holding_current_does_not_shift_the_features(recording: Recording, features: CellFeatures) -> None:
    held = replace(recording, sweeps=tuple(replace(s, i_pa=s.i_pa - 35.0) for s in recording.sweeps))
    found = extract_features(held, entered={"seal_gohm": 2.5})
    assert found.values == pytest.approx(features.values, rel=1e-9)
    assert any("-35 pA" in w for w in found.warnings)


def test_a_test_pulse_does_not_shift_the_features(recording: Recording, features: CellFeatures) -> None:
    def with_pulse(k: int) -> np.ndarray:
        i = recording.sweeps[k].i_pa.copy()
        i[round(0.1 * CELL.rate_hz) : round(0.12 * CELL.rate_hz)] = -10.0
        return i

    pulsed = replace(recording, sweeps=tuple(replace(s, i_pa=with_pulse(k)) for k, s in enumerate(recording.sweeps)))
    found = extract_features(pulsed, entered={"seal_gohm": 2.5})
    assert found.values == pytest.approx(features.values, rel=1e-9)


def test_a_broken_off_sweep_is_flagged_and_the_rest_is_kept(recording: Recording, features: CellFeatures) -> None:
    first = recording.sweeps[0]
    cut = replace(first, v_mv=first.v_mv[: round(1.1 * CELL.rate_hz)], i_pa=first.i_pa[: round(1.1 * CELL.rate_hz)])
    found = extract_features(replace(recording, sweeps=(cut, *recording.sweeps[1:])))
    assert [(f.name, f.sweep) for f in found.qc] == [("truncated_epoch", 0)]
    assert found.values["ri"] == pytest.approx(features.values["ri"], rel=0.01)


@pytest.mark.parametrize(("rate", "words"), [(10_000.0, "47.5"), (20_000.0, "20.2"), (50_000.0, ""), (200_000.0, "")])
def test_a_low_sampling_rate_is_told_with_its_shift(rate: float, words: str) -> None:
    sweep = planted.long_square(planted.Cell(rate_hz=rate), 0, 90.0)
    found = extract_features(Recording("planted", "planted", (sweep,))).warnings
    assert any(words in w for w in found) if words else not found


def test_an_assignment_overrules_recognition(recording: Recording) -> None:
    ramps = {(e.sweep_number, e.index): None for e in extract_features(recording).epochs if e.stimulus is Stimulus.RAMP}
    found = extract_features(recording, assignments=ramps)
    assert found.missing["threshold_v_ramp"] == "no ramp in the file"


@pytest.mark.parametrize("entered", [{"vrest": -70.0}, {"seal_gohm": -1.0}, {"seal_gohm": float("nan")}])
def test_only_positive_values_of_known_features_can_be_entered(recording: Recording, entered: dict[str, float]) -> None:
    with pytest.raises(SettingsError):
        extract_features(replace(recording, sweeps=recording.sweeps[:1]), entered=entered)


def spoiled(recording: Recording, change: str) -> Recording:
    def one(k: int) -> np.ndarray:
        sweep = recording.sweeps[k]
        v = sweep.v_mv.copy()
        if change == "noise":
            v += np.random.default_rng(k).normal(0, 1.0, v.size)
        if change == "baseline_drift":
            v += np.linspace(0, 8, v.size)
        if change == "unbalanced_bridge":
            v += 0.02 * sweep.i_pa
        if change == "clipped_spikes":
            v = np.minimum(v, 10.0)
        if change == "depolarisation_block" and k == 9:
            on = (sweep.i_pa > 0) & (np.arange(v.size) > 0.75 * CELL.rate_hz)
            v[on] = -30.0
        if change == "no_repolarisation" and k == 9:
            v[np.arange(v.size) > np.flatnonzero(sweep.i_pa > 0)[-1]] = -30.0
        if change == "unstable_rest":
            v += 3.0 * k
        return v

    return replace(recording, sweeps=tuple(replace(s, v_mv=one(k)) for k, s in enumerate(recording.sweeps)))


@pytest.mark.parametrize(
    "name",
    [
        *("noise", "baseline_drift", "unbalanced_bridge", "clipped_spikes", "depolarisation_block"),
        *("no_repolarisation", "unstable_rest"),
    ],
)
def test_each_fault_is_flagged_with_value_and_limit(recording: Recording, features: CellFeatures, name: str) -> None:
    assert name not in {f.name for f in features.qc}
    flags = [f for f in extract_features(spoiled(recording, name)).qc if f.name == name]
    assert flags
    assert abs(flags[0].value) > flags[0].limit or name == "depolarisation_block"
    assert flags[0].unit
