"""PatchMaster bundles: every layout gives the planted cell, every stimulus its planted levels, the rest a reason."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuroclass.ephys.sweep import Recording
from neuroclass.errors import ClampModeError, NeuroClassError, RecordingError, UnitsError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from tests.ephys import planted
from tests.io.heka_files import (
    IMON,
    LEAK,
    VMON,
    Layout,
    Segment,
    Series,
    Trace,
    current,
    potential,
    series_of,
    write_heka,
)
from tests.io.simulated import assert_same_cell, cell

RATE = 10_000.0
STEPS = (-0.04, -0.02, 0.0, 0.02, 0.04)


@pytest.fixture(scope="module")
def steps() -> Recording:
    """A long square 40 pA above the last, five times."""
    neuron = planted.Cell(rate_hz=RATE, rheobase_pa=30.0)
    sweeps = [planted.long_square(neuron, k, 1e3 * level) for k, level in enumerate(STEPS)]
    return Recording("steps", "steps", tuple(sweeps))


def protocol(steps: Recording, **how: object) -> Series:
    """The series of those sweeps, put out by segments with an increment."""
    segments = [Segment(0.5), Segment(1.0, STEPS[0], STEPS[1] - STEPS[0]), Segment(0.5)]
    whole = {"segments": segments, "interval": 1 / RATE, "sweeps": [[potential(s)] for s in steps.sweeps]} | how
    return Series("IV", **whole)  # type: ignore[arg-type]


def read(path: Path, **mapping: str) -> Recording:
    (found,) = read_recordings(path, mapping=ChannelMapping(**mapping), sandboxed=False)
    return found


LAYOUTS = {
    "2x90.2, Windows": Layout(),
    "big-endian": Layout(order=">"),
    "2x90.5, longer records": Layout(version="v2x90.5, 09-Dec-2020", sizes=(640, 144, 1408, 352, 560)),
    "2x32, shorter records": Layout(version="v2x32, 01-Mar-2008", sizes=(544, 128, 1120, 160, 408)),
    "raw data with trees beside": Layout(bundled=False),
    "Next, 64 bits": Layout(version="1.7.0 [Build 1072]", wide=True, sizes=(640, 144, 1408, 352, 512)),
    "interleaved": Layout(interleave=4096),
    "interleaved, 64 bits": Layout(wide=True, interleave=4096),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_a_simulated_cell_in_every_layout(tmp_path: Path, layout: Layout) -> None:
    path = write_heka(tmp_path / "cell.dat", {"E-1": series_of(cell())}, layout)
    found = read(path)
    assert found.cell == "E-1"
    assert found.format == "HEKA PatchMaster"
    assert not found.warnings
    assert_same_cell(found)


@pytest.mark.parametrize(("form", "scale"), [(0, 1e-5), (1, 1e-9), (2, 1.0), (3, 1.0)])
@pytest.mark.parametrize("order", "<>")
def test_samples_of_every_type(tmp_path: Path, steps: Recording, form: int, scale: float, order: str) -> None:
    sweeps = [[potential(s, form=form, scale=scale)] for s in steps.sweeps]
    path = write_heka(tmp_path / "cell.dat", {"a": [protocol(steps, sweeps=sweeps)]}, Layout(order=order))
    for got, planted_sweep in zip(read(path).sweeps, steps.sweeps, strict=True):
        np.testing.assert_allclose(got.v_mv, planted_sweep.v_mv, atol=0.005 if form == 0 else 1e-5)


def test_it_is_read_in_the_sandbox(tmp_path: Path, steps: Recording) -> None:
    path = write_heka(tmp_path / "upload", {"a": [protocol(steps)]})
    (found,) = read_recordings(path.read_bytes(), name="cell.dat")
    np.testing.assert_allclose(found.sweeps[4].i_pa, steps.sweeps[4].i_pa, atol=1e-9)


@pytest.mark.parametrize(
    ("how", "levels"),
    [
        ({}, [-40, -20, 0, 20, 40]),
        ({"n_sweeps": 5, "holding": 0.015, "flags": 3}, [-25, -5, 15, 35, 55]),
        ({"segments": [Segment(0.5), Segment(1.0, -0.04, 0.02, 1), Segment(0.5)]}, [40, 20, 0, -20, -40]),
        ({"segments": [Segment(0.5), Segment(1.0, -0.04, 0.02, 4), Segment(0.5)]}, [-40, 40, -20, 20, 0]),
        ({"segments": [Segment(0.5), Segment(1.0, -0.04, 0.02, 5), Segment(0.5)]}, [-40, -20, 0, 20, 40]),
        ({"segments": [Segment(0.5), Segment(1.0, source=1), Segment(0.5)], "holding": 0.03}, [30] * 5),
        ({"segments": [Segment(0.5), Segment(1.0, 4e-11, 1e-11), Segment(0.5)]}, [40, 50, 60, 70, 80]),
        ({"unit": "pA", "segments": [Segment(0.5), Segment(1.0, 40.0, 10.0), Segment(0.5)]}, [40, 50, 60, 70, 80]),
        ({"segments": [Segment(9, 1, store=0), Segment(0.5), Segment(1.0, 0.04), Segment(0.5)]}, [40] * 5),
        ({"n_sweeps": 9}, [-40, -20, 0, 20, 40]),
        ({"linked": True}, [-40, -20, 0, 20, 40]),
    ],
    ids=[
        "increase",
        "relative",
        "decrease",
        "alternate",
        "log by 1",
        "holding",
        "A",
        "pA",
        "not stored",
        "aborted",
        "linked",
    ],
)
def test_levels_are_those_planted(tmp_path: Path, steps: Recording, how: dict, levels: list[float]) -> None:
    found = read(write_heka(tmp_path / "a.dat", {"a": [protocol(steps, **how)]}))
    assert [s.i_pa[10_000] for s in found.sweeps] == pytest.approx(levels)
    rest = how.get("holding", 0.0) * 1e3 * ("flags" in how)
    assert [s.i_pa[100] for s in found.sweeps] == pytest.approx([rest] * 5)
    assert not any(s.recorded_current for s in found.sweeps)


def test_a_ramp_starts_where_the_segment_before_it_ended(tmp_path: Path, steps: Recording) -> None:
    segments = [Segment(0.5, 0.01), Segment(1.0, 0.2, 0.1, kind=1), Segment(0.5, 0.2)]
    found = read(write_heka(tmp_path / "a.dat", {"a": [protocol(steps, segments=segments)]}))
    for k, sweep in enumerate(found.sweeps):
        expected = 10 + (190 + 100 * k) * np.arange(1, 10_001) / 10_000
        np.testing.assert_allclose(sweep.i_pa[5_000:15_000], expected)


def test_a_segment_that_lengthens(tmp_path: Path, steps: Recording) -> None:
    segments = [Segment(0.5), Segment(0.2, 0.04, duration_step=0.1), Segment(9.0)]
    found = read(write_heka(tmp_path / "a.dat", {"a": [protocol(steps, segments=segments)]}))
    assert [round((s.i_pa > 20).sum() / RATE, 4) for s in found.sweeps] == [0.2, 0.3, 0.4, 0.5, 0.6]


UNKNOWN = {
    "interleaves": {"segments": [Segment(1.0), Segment(1.0, 0.04, 0.02, 2)]},
    "multiplies": {"segments": [Segment(1.0), Segment(1.0, 0.04, 0.02, 5, factor=2.0)]},
    "parameter": {"segments": [Segment(1.0), Segment(1.0, source=2)]},
    "another file": {"flags": 5},
    "not scaled": {"flags": 0},
    "sine": {"segments": [Segment(1.0), Segment(1.0, 0.04, kind=3)]},
    "samples where": {"segments": [Segment(0.1, 0.04)]},
    "in which unit": {"unit": "V", "mode": 2},
    "no segments": {"segments": []},
}


@pytest.mark.parametrize("word", UNKNOWN)
def test_what_the_description_leaves_open_is_not_guessed(tmp_path: Path, steps: Recording, word: str) -> None:
    found = read(write_heka(tmp_path / "a.dat", {"a": [protocol(steps, **UNKNOWN[word])]}))
    assert not any(s.current_known for s in found.sweeps)
    (warning,) = found.warnings
    assert "current of series 1.1 IV is not known" in warning and word in warning


def test_a_unit_that_is_given_makes_levels_currents(tmp_path: Path, steps: Recording) -> None:
    path = write_heka(tmp_path / "a.dat", {"a": [protocol(steps, **UNKNOWN["in which unit"])]})
    assert [s.i_pa[10_000] for s in read(path, stimulus_unit="nA").sweeps] == pytest.approx([-40, -20, 0, 20, 40])


@pytest.mark.parametrize(
    ("how", "warns"), [(UNKNOWN["interleaves"], False), ({"segments": [Segment(0.5), Segment(1.5, -0.4, 0.3)]}, True)]
)
def test_a_recorded_current_serves_where_the_command_is_unknown_or_another(
    tmp_path: Path, steps: Recording, how: dict, warns: bool
) -> None:
    sweeps = [[potential(s), current(s)] for s in steps.sweeps]
    found = read(write_heka(tmp_path / "a.dat", {"a": [protocol(steps, sweeps=sweeps, **how)]}))
    for got, planted_sweep in zip(found.sweeps, steps.sweeps, strict=True):
        np.testing.assert_allclose(got.i_pa, planted_sweep.i_pa, atol=0.06)
        assert got.recorded_current
    assert ("is not the one that was commanded" in " ".join(found.warnings)) == warns


def test_a_command_that_agrees_with_the_recorded_current_is_preferred(tmp_path: Path, steps: Recording) -> None:
    sweeps = [[current(s), potential(s)] for s in steps.sweeps]
    found = read(write_heka(tmp_path / "a.dat", {"a": [protocol(steps, sweeps=sweeps)]}))
    assert not found.warnings and not any(s.recorded_current for s in found.sweeps)
    stated = read(tmp_path / "a.dat", stimulus="Imon-1", response="Vmon-1")
    assert all(s.recorded_current for s in stated.sweeps)


def held(steps: Recording, label: str = "VC") -> Series:
    """A voltage-clamp series that records the potential too."""
    sweeps = [
        [Trace("Imon-1", "A", s.v_mv * 1e-12, 1e-15, kind=IMON, mode=3), potential(s, mode=3)] for s in steps.sweeps
    ]
    return replace(protocol(steps, sweeps=sweeps, unit="V", mode=1), label=label)


def test_voltage_clamp_is_refused_or_left_out(tmp_path: Path, steps: Recording) -> None:
    path = write_heka(tmp_path / "vc.dat", {"a": [held(steps), held(steps, "leak")]})
    with pytest.raises(ClampModeError, match=r"1\.1 VC, 1\.2 leak"):
        read_recordings(path)
    found = read(write_heka(tmp_path / "both.dat", {"a": [held(steps), protocol(steps)]}))
    assert len(found.sweeps) == 5
    assert found.warnings == ("Voltage-clamp series are left out: 1.1 VC.",)


@pytest.mark.parametrize(("mode", "stimulus", "clamps"), [(0, 2, True), (6, 1, False), (3, 2, True), (4, 1, True)])
def test_the_clamp_is_told_by_the_record_or_the_command(
    tmp_path: Path, steps: Recording, mode: int, stimulus: int, clamps: bool
) -> None:
    sweeps = [[potential(s, mode=mode)] for s in steps.sweeps]
    path = write_heka(tmp_path / "a.dat", {"a": [protocol(steps, sweeps=sweeps, mode=stimulus)]})
    if clamps:
        assert len(read(path).sweeps) == 5
    else:
        with pytest.raises(ClampModeError):
            read(path)


def test_a_cell_is_warned_of_its_own_series_only(tmp_path: Path, steps: Recording) -> None:
    groups = {"a": [held(steps), protocol(steps)], "b": [protocol(steps, flags=0)], "c": [protocol(steps)]}
    found = read_recordings(write_heka(tmp_path / "a.dat", groups))
    assert [len(r.warnings) for r in found] == [1, 1, 0]
    assert "1.1 VC" in found[0].warnings[0] and "series 2.1 IV" in found[1].warnings[0]


def test_groups_and_electrodes_are_cells(tmp_path: Path, steps: Recording) -> None:
    pair = [[potential(s, electrode=1), Trace("Vmon-2", "V", s.v_mv * 1e-3 + 0.005, electrode=2)] for s in steps.sweeps]
    groups = {"slice 1": [protocol(steps, sweeps=pair)], "slice 2": [protocol(steps), protocol(steps)]}
    found = read_recordings(write_heka(tmp_path / "a.dat", groups))
    assert [r.cell for r in found] == ["slice 1, Vmon-1", "slice 1, Vmon-2", "slice 2"]
    assert [len(r.sweeps) for r in found] == [5, 5, 10]
    assert [s.number for s in found[2].sweeps] == list(range(10))
    assert np.median(found[1].sweeps[2].v_mv - found[0].sweeps[2].v_mv) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("wanted", "labels"),
    [("ramp", ["ramp"]), ("1.3", ["ramp"]), ("2", ["IV 2"]), ("iv, 1.3", ["IV", "ramp"]), ("2.1", ["IV"])],
)
def test_series_are_selected(tmp_path: Path, steps: Recording, wanted: str, labels: list[str]) -> None:
    named = [replace(protocol(steps), label=label) for label in ("IV", "IV 2", "ramp")]
    groups = {"a": named, "b": named[:1]} if wanted == "2.1" else {"a": named}
    path = write_heka(tmp_path / "a.dat", groups)
    assert list(dict.fromkeys(s.stimulus_name for s in read(path, series=wanted).sweeps)) == labels


def test_a_series_that_is_not_there_lists_those_that_are(tmp_path: Path, steps: Recording) -> None:
    path = write_heka(tmp_path / "a.dat", {"a": [protocol(steps)]})
    with pytest.raises(RecordingError, match=r"It has 1\.1 IV"):
        read(path, series="ramp")


def test_leak_traces_are_ignored_and_zero_offsets_not_subtracted(tmp_path: Path, steps: Recording) -> None:
    sweeps = [[potential(s, zero=-0.07), Trace("Leak", "V", s.v_mv * 1e-4, kind=LEAK | VMON)] for s in steps.sweeps]
    found = read(write_heka(tmp_path / "a.dat", {"a": [protocol(steps, sweeps=sweeps)]}))
    np.testing.assert_allclose(found.sweeps[0].v_mv, steps.sweeps[0].v_mv, atol=0.006)


def test_two_potentials_of_an_electrode_are_told_apart_by_the_user(tmp_path: Path, steps: Recording) -> None:
    sweeps = [[potential(s), Trace("Aux", "V", s.v_mv * 0, kind=16)] for s in steps.sweeps]
    path = write_heka(tmp_path / "a.dat", {"a": [protocol(steps, sweeps=sweeps)]})
    with pytest.raises(UnitsError, match="expected one potential"):
        read(path)
    assert len(read(path, response="Vmon-1", response_unit="V").sweeps) == 5


def test_a_trace_without_a_unit_takes_the_one_given(tmp_path: Path, steps: Recording) -> None:
    sweeps = [[replace(potential(s), unit="")] for s in steps.sweeps]
    path = write_heka(tmp_path / "a.dat", {"a": [protocol(steps, sweeps=sweeps)]})
    with pytest.raises(UnitsError, match="expected one potential"):
        read(path)
    found = read(path, response="Vmon-1", response_unit="V")
    np.testing.assert_allclose(found.sweeps[0].v_mv, steps.sweeps[0].v_mv, atol=0.006)


def test_files_that_hold_no_samples_or_no_trees_say_what_to_do(tmp_path: Path, steps: Recording) -> None:
    path = write_heka(tmp_path / "a.dat", {"a": [protocol(steps)]}, Layout(bundled=False))
    for suffix in (".pul", ".pgf"):
        with pytest.raises(RecordingError, match=r"Choose the \.dat file"):
            read_recordings(path.with_suffix(suffix))
    with pytest.raises(RecordingError, match=r"without its pulse tree.*bundled file"):
        read_recordings(path.read_bytes(), name="a.dat")


def test_a_file_that_ends_early_keeps_what_is_whole(tmp_path: Path, steps: Recording) -> None:
    path = write_heka(tmp_path / "a.dat", {"a": [protocol(steps)]}, Layout(bundled=False))
    path.write_bytes(path.read_bytes()[: 256 + 2 * 20_000 * 4 + 20_000])
    found = read(path)
    assert [s.n_times for s in found.sweeps] == [20_000] * 4 + [10_000]
    assert "the file ends within it" in found.sweeps[4].notes


@pytest.mark.parametrize("count", [-1, 2**31 - 1])
@pytest.mark.parametrize("tree", [b".pul", b".pgf"])
def test_trees_that_declare_too_many_records_are_refused(
    tmp_path: Path, steps: Recording, tree: bytes, count: int
) -> None:
    path = write_heka(tmp_path / "a.dat", {"a": [protocol(steps)]})
    data = bytearray(path.read_bytes())
    item = data.index(tree) - 8
    start = struct.unpack_from("<i", data, item)[0]
    levels = struct.unpack_from("<i", data, start + 4)[0]
    first = struct.unpack_from("<i", data, start + 8)[0]
    for sizes in (None, 0):
        spoilt = bytearray(data)
        if sizes is not None:
            struct.pack_into(f"<{levels}i", spoilt, start + 8, *([0] * levels))
        struct.pack_into("<i", spoilt, start + 8 + 4 * levels + first, count)
        path.write_bytes(spoilt)
        try:
            read_recordings(path)
        except NeuroClassError as error:
            assert str(error)


def test_samples_beyond_the_limit_are_refused_before_they_are_read(tmp_path: Path, steps: Recording) -> None:
    many = [Series("IV", [[replace(potential(s))] for s in steps.sweeps], interval=1e-4) for _ in range(3)]
    path = write_heka(tmp_path / "a.dat", {"a": many})
    data = bytearray(path.read_bytes())
    needle = struct.pack("<i", 20_000)
    where = -1
    while (where := data.find(needle, where + 1)) >= 0:
        struct.pack_into("<i", data, where, 2**31 - 1)
    path.write_bytes(data)
    with pytest.raises(RecordingError, match="MB of samples"):
        read_recordings(path)
