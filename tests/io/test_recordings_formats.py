"""ABF, WinWCP and tables of sweeps give the features of the cell in memory; real files are read or refused."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from neuroclass.ephys.cell_features import extract_features
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import ClampModeError, RecordingError, SettingsError, UnitsError
from neuroclass.extraction.items import ExtractionItem, measure_files
from neuroclass.features import FEATURE_NAMES
from neuroclass.io import abf
from neuroclass.io.channels import ChannelMapping, parse_unit, pick_channel, to_mv, to_pa
from neuroclass.io.recordings import read_recordings
from tests.ephys import planted
from tests.io.winwcp_files import write_winwcp


@pytest.fixture(scope="module")
def steps() -> Recording:
    """Long squares of equal length."""
    cell = planted.recording(planted.Cell(rate_hz=20_000.0), planted.FEW_PA)
    return replace(cell, sweeps=cell.sweeps[:4])


def table(recording: Recording, time: str, potential: str, current: str, factor: float) -> pd.DataFrame:
    columns = {time: recording.sweeps[0].t * (1e3 if "ms" in time else 1.0)}
    for s in recording.sweeps:
        columns[f"sweep {s.number} ({potential})"] = s.v_mv * factor
        columns[f"current {s.number} [{current}]"] = s.i_pa * factor
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    ("time", "potential", "current", "factor"),
    [("time (s)", "mV", "pA", 1.0), ("time_ms", "V", "nA", 1e-3), ("t (s)", "µV", "fA", 1e3)],
)
@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_tables_of_sweeps(
    tmp_path: Path, steps: Recording, suffix: str, time: str, potential: str, current: str, factor: float
) -> None:
    frame, path = table(steps, time, potential, current, factor), tmp_path / "sweeps.bin"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="," if suffix == "csv" else "\t")
    (read,) = read_recordings(path)
    assert len(read.sweeps) == 4
    assert read.sweeps[0].rate_hz == 20_000.0
    assert extract_features(read).values == pytest.approx(extract_features(steps).values, rel=1e-6)


def test_a_table_without_units_asks_for_them(tmp_path: Path, steps: Recording) -> None:
    path = tmp_path / "sweeps.csv"
    frame = table(steps, "time (s)", "mV", "pA", 1.0)
    frame.columns = ["time (s)", *(f"column {k}" for k in range(frame.shape[1] - 1))]
    frame.to_csv(path, index=False)
    with pytest.raises(UnitsError, match="Add the units to the headers"):
        read_recordings(path)
    mapping = ChannelMapping("column 2", "column 3", "mV", "pA")
    (read,) = read_recordings(path, mapping=mapping)
    np.testing.assert_allclose(read.sweeps[0].v_mv, steps.sweeps[1].v_mv)
    np.testing.assert_allclose(read.sweeps[0].i_pa, steps.sweeps[1].i_pa)


def test_winwcp(tmp_path: Path, steps: Recording) -> None:
    (read,) = read_recordings(write_winwcp(tmp_path / "unnamed", steps))
    assert read.format == "WinWCP"
    n = steps.sweeps[0].n_times
    np.testing.assert_allclose(read.sweeps[2].v_mv[:n], steps.sweeps[2].v_mv, atol=0.006)
    found = extract_features(read).values
    assert found["threshold_i_long_square"] == pytest.approx(90.0, abs=0.1)
    assert found["ri"] == pytest.approx(150.0, rel=0.02)


def test_winwcp_in_voltage_clamp_is_refused(tmp_path: Path, steps: Recording) -> None:
    with pytest.raises(ClampModeError):
        read_recordings(write_winwcp(tmp_path / "unnamed", steps, ("pA", "nA")))


def test_abf1_written_by_pyabf(tmp_path: Path, steps: Recording) -> None:
    from pyabf.abfWriter import writeABF1

    path = tmp_path / "steps.abf"
    writeABF1(np.array([s.v_mv for s in steps.sweeps]), str(path), 20_000.0, units="mV")
    with pytest.raises(UnitsError, match=r"names no current.*no injected current that moves it") as caught:
        read_recordings(path)
    assert not caught.value.proposals
    mapping = ChannelMapping(response="0", response_unit="mV")
    (read,) = read_recordings(path, mapping=mapping)
    np.testing.assert_allclose(read.sweeps[1].v_mv, steps.sweeps[1].v_mv, atol=0.05)
    assert "no stimulus can be recognised" in " ".join(extract_features(read).warnings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello world", "no known format"),
        (b"\x89HDF\r\n\x1a\n" + b"x" * 99, "damaged"),
        (b"ABF2xx", "ABF2|damaged|read"),
    ],
)
def test_what_is_no_recording_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        read_recordings(content, name="upload")


@pytest.mark.parametrize(
    ("text", "factor", "base"),
    [("mV", 1e-3, "V"), ("pA", 1e-12, "A"), ("volts", 1.0, "V"), ("µA", 1e-6, "A"), ("picoamperes", 1e-12, "A")],
)
def test_units_are_parsed(text: str, factor: float, base: str) -> None:
    assert parse_unit(text) == (factor, base)


def test_conversions_and_their_refusals() -> None:
    assert to_mv(np.array([-0.07]), "V")[0] == -70.0
    assert to_pa(np.array([0.1]), "nA")[0] == 100.0
    with pytest.raises(UnitsError):
        to_mv(np.zeros(1), "pA")
    with pytest.raises(UnitsError):
        to_pa(np.zeros(1), "furlongs")
    with pytest.raises(SettingsError):
        ChannelMapping(response_unit="pA")
    assert pick_channel(["Vm", "Im"], "im", "stimulus") == 1
    with pytest.raises(UnitsError, match="0: Vm"):
        pick_channel(["Vm", "Im"], "nothing", "stimulus")


EXPECTED = {
    "171116sh_0011.abf": "ClampModeError",
    "171116sh_0018.abf": None,
    "17o05027_ic_ramp.abf": None,
    "17o05028_ic_steps.abf": None,
    "18425108.abf": "UnitsError",
    "FergusonEtAl2015_PYR2.nwb": None,
    "File_axon_5.abf": None,
    "H18.03.315.11.11.01.05.nwb": "ClampModeError",
    "MIES_v2_voltage_clamp.nwb": "ClampModeError",
    "PYR4.abf": "UnitsError",
}


@pytest.mark.parametrize("name", EXPECTED)
def test_real_files_give_features_or_a_reason(shared_recordings: Path, name: str) -> None:
    (report,) = measure_files(ExtractionItem((str(shared_recordings / name),)))
    json.dumps(report, allow_nan=False)
    if EXPECTED[name]:
        assert report["error"]["type"] == EXPECTED[name]
        assert report["error"]["message"]
        return
    known = {k for k, v in report["features"].items() if v is not None}
    assert known and known == set(report["provenance"])
    assert known | set(report["missing"]) == set(FEATURE_NAMES)
    if "vrest" in known:
        assert -90 < report["features"]["vrest"] < -40
        assert -60 < report["features"]["threshold_v_long_square"] < -20
        assert 5 < report["features"]["peak_v_long_square"] < 70


@pytest.mark.parametrize(
    ("name", "response", "stimulus"), [("18425108.abf", "10_Vm", "ME1"), ("PYR4.abf", "Vm", "Imemb")]
)
def test_contradicting_headers_can_be_mapped(shared_recordings: Path, name: str, response: str, stimulus: str) -> None:
    with pytest.raises(UnitsError, match=f"--response {response} --stimulus {stimulus}"):
        read_recordings(shared_recordings / name)
    (read,) = read_recordings(shared_recordings / name, mapping=ChannelMapping(response, stimulus))
    assert -80 < np.median(read.sweeps[0].v_mv) < -55
    assert 5 < max(np.ptp(s.i_pa) for s in read.sweeps) < 5000


@pytest.mark.parametrize(("moves_mv", "held"), [(12.0, True), (95.0, False)])
def test_a_potential_that_follows_its_command_is_held(
    monkeypatch: pytest.MonkeyPatch, moves_mv: float, held: bool
) -> None:
    command = np.repeat([-70.0, -60.0], 500)
    potential = -70.0 + moves_mv * (command > -65)
    monkeypatch.setattr(abf, "_command_waveforms", lambda *_: [command])
    file = SimpleNamespace(data=np.array([np.zeros(1000), potential], dtype=np.float32), sweepCount=1)
    responses = [abf._Channel(0, "Im", "pA"), abf._Channel(1, "Vm", "mV")]
    assert abf._is_held(file, responses, [abf._Channel(0, "Cmd 0", "mV")]) is held
    assert not abf._is_held(file, responses[::-1], [abf._Channel(0, "Cmd 0", "pA")])
