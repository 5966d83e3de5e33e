"""WinWCP, Igor, AxoGraph, MATLAB and ATF: a simulated cell comes out as from NWB, what is missing is asked for."""

import struct
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from neuroclass.ephys.sweep import Recording
from neuroclass.errors import ClampModeError, RecordingError, UnitsError, UnsafeFileError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from tests.ephys import planted
from tests.io.other_files import (
    WAVE,
    axograph,
    igor_wave,
    igor_wave_2,
    packed,
    write_atf,
    write_axograph,
    write_mat,
    write_mat73,
    write_pxp,
    write_smr,
)
from tests.io.simulated import assert_same_cell, cell, squares
from tests.io.test_recordings_formats import write_winwcp

RATE = 20_000.0


@pytest.fixture(scope="module")
def steps() -> Recording:
    """Three long squares."""
    neuron = planted.Cell(rate_hz=RATE)
    sweeps = [planted.long_square(neuron, k, level) for k, level in enumerate((-50.0, 50.0, 100.0))]
    return Recording("steps", "steps", tuple(sweeps))


def read(path: Path, **mapping: str) -> Recording:
    (found,) = read_recordings(path, mapping=ChannelMapping(**mapping), sandboxed=False)
    return found


def assert_steps(found: Recording, steps: Recording, atol_mv: float = 0.01) -> None:
    for got, expected in zip(found.sweeps, steps.sweeps, strict=True):
        np.testing.assert_allclose(got.v_mv, expected.v_mv, atol=atol_mv)
        np.testing.assert_allclose(got.i_pa, expected.i_pa, atol=1e-6)
        assert got.rate_hz == RATE


def table(recording: Recording) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s.v_mv for s in recording.sweeps]), np.array([s.i_pa for s in recording.sweeps])


def test_winwcp_gives_the_simulated_cell(tmp_path: Path) -> None:
    assert_same_cell(read(write_winwcp(tmp_path / "cell.wcp", squares())), squares())


def test_igor_gives_the_simulated_cell(tmp_path: Path) -> None:
    found = read(write_pxp(tmp_path / "cell.pxp", cell()))
    assert found.format == "Igor"
    assert_same_cell(found)


def test_axograph_gives_the_simulated_cell(tmp_path: Path) -> None:
    (found,) = read_recordings(write_axograph(tmp_path / "cell.axgd", squares()))
    assert found.format == "AxoGraph"
    assert_same_cell(found, squares())


@pytest.mark.parametrize("version", ["5", "5 compressed", "7.3"])
def test_matlab_gives_the_simulated_cell(tmp_path: Path, version: str) -> None:
    voltage, current = table(squares())
    found = read(write_mat(tmp_path / "cell.mat", version, {"voltage": voltage, "current": current, "rate": 50_000.0}))
    assert found.format == "MATLAB"
    assert_same_cell(found, squares())


def test_spike2_gives_the_simulated_cell(tmp_path: Path) -> None:
    (found,) = read_recordings(write_smr(tmp_path / "cell", squares()))
    assert found.format == "Spike2"
    assert_same_cell(found, squares())


def test_atf_gives_the_simulated_cell(tmp_path: Path) -> None:
    assert_same_cell(read(write_atf(tmp_path / "cell.atf", squares())), squares())


def spoilt_winwcp(tmp_path: Path, steps: Recording) -> bytearray:
    return bytearray(write_winwcp(tmp_path / "a.wcp", steps).read_bytes())


def test_winwcp_records_have_their_own_range(tmp_path: Path, steps: Recording) -> None:
    data = spoilt_winwcp(tmp_path, steps)
    step = (len(data) - 1024) // 3
    struct.pack_into("<8f", data, 1024 + step + 24, *[10.0] * 8)
    (found,) = read_recordings(bytes(data))
    np.testing.assert_allclose(found.sweeps[1].v_mv, 2 * steps.sweeps[1].v_mv, atol=0.02)
    np.testing.assert_allclose(found.sweeps[2].v_mv, steps.sweeps[2].v_mv, atol=0.01)


def test_winwcp_rejected_records_are_left_out(tmp_path: Path, steps: Recording) -> None:
    data = spoilt_winwcp(tmp_path, steps)
    data[1024:1032] = b"REJECTED"
    (found,) = read_recordings(bytes(data))
    assert [s.number for s in found.sweeps] == [1, 2]
    assert found.warnings == ("Records that were rejected in WinWCP are left out: 1.",)


def test_winwcp_channels_lie_where_the_header_says(tmp_path: Path, steps: Recording) -> None:
    data = spoilt_winwcp(tmp_path, steps)
    header = bytes(data[:1024]).replace(b"YO0=0", b"YO0=1").replace(b"YO1=1", b"YO1=0")
    n = steps.sweeps[0].n_times
    for k in range(3):
        start = 1024 + k * ((len(data) - 1024) // 3) + 1024
        pairs = np.frombuffer(data, "<i2", 2 * n, start).reshape(n, 2)[:, ::-1].copy()
        data[start : start + 4 * n] = pairs.tobytes()
    (found,) = read_recordings(header + bytes(data[1024:]))
    assert_steps(found, steps)


def test_winwcp_with_letters_beyond_ascii(tmp_path: Path, steps: Recording) -> None:
    data = spoilt_winwcp(tmp_path, steps)
    text = data[:1024].rstrip(b"\0") + "ID=Zelle für\r\n".encode("latin-1")
    (found,) = read_recordings(bytes(text.ljust(1024, b"\0") + data[1024:]))
    assert_steps(found, steps)


@pytest.mark.parametrize(("key", "value"), [("NC", "0"), ("NR", "1e9"), ("NBD", "-1"), ("ADCMAX", "x"), ("NP", "1e99")])
def test_winwcp_headers_that_cannot_be(tmp_path: Path, steps: Recording, key: str, value: str) -> None:
    data = spoilt_winwcp(tmp_path, steps)
    lines = [
        f"{key}={value}" if line.startswith(f"{key}=") else line
        for line in data[:1024].rstrip(b"\0").decode().splitlines()
    ]
    with pytest.raises(RecordingError, match=key):
        read_recordings("\r\n".join(lines).encode().ljust(1024, b"\0") + bytes(data[1024:]), name="a.wcp")


def test_an_igor_wave_of_sweeps_without_current_says_so(tmp_path: Path, steps: Recording) -> None:
    voltage, _ = table(steps)
    path = tmp_path / "a.ibw"
    path.write_bytes(igor_wave("Vm", voltage.T, "mV", 1 / RATE))
    found = read(path)
    np.testing.assert_allclose([s.v_mv for s in found.sweeps], voltage)
    assert not any(s.current_known for s in found.sweeps)
    assert "name the channel and its unit" in found.warnings[0]


def test_an_igor_wave_of_currents_is_voltage_clamp(tmp_path: Path, steps: Recording) -> None:
    path = tmp_path / "a.ibw"
    path.write_bytes(igor_wave("Im", table(steps)[1].T, "A", 1 / RATE))
    with pytest.raises(ClampModeError):
        read_recordings(path)


@pytest.mark.parametrize("order", "<>")
def test_igor_waves_of_version_2_in_either_byte_order(tmp_path: Path, steps: Recording, order: str) -> None:
    path, waves = tmp_path / "a.pxp", []
    for k, (v, i) in enumerate(zip(*table(steps), strict=True)):
        waves += [(WAVE, igor_wave_2(f"V{k}", v, "mV", 1 / RATE, order))]
        waves += [(WAVE, igor_wave_2(f"I{k}", i, "pA", 1 / RATE, order))]
    path.write_bytes(packed(waves, order))
    assert_steps(read(path), steps)
    path.write_bytes(waves[0][1])
    np.testing.assert_allclose(read(path).sweeps[0].v_mv, steps.sweeps[0].v_mv, atol=1e-4)


def test_igor_waves_without_units_take_those_given(tmp_path: Path, steps: Recording) -> None:
    records = []
    for k, (v, i) in enumerate(zip(*table(steps), strict=True)):
        records.append((WAVE, igor_wave(f"RecordB{k}", i * 1e-3, "", 1e3 / RATE, "")))
        records.append((WAVE, igor_wave(f"RecordA{k}", v, "", 1e3 / RATE, "")))
    path = tmp_path / "a.pxp"
    path.write_bytes(packed([*records, (WAVE, igor_wave("fits", np.zeros(100), "", 1.0, ""))]))
    with pytest.raises(UnitsError, match="expected one potential"):
        read_recordings(path)
    found = read(path, response="RecordA", response_unit="mV", stimulus="RecordB", stimulus_unit="nA")
    assert_steps(found, steps)


def test_one_igor_current_serves_all_sweeps(tmp_path: Path, steps: Recording) -> None:
    voltage, current = table(steps)
    path = tmp_path / "a.pxp"
    waves = [igor_wave(f"V{k}", v, "mV", 1e3 / RATE, "ms") for k, v in enumerate(voltage)]
    path.write_bytes(packed([(WAVE, w) for w in (*waves, igor_wave("cmd", current[1], "pA", 1e3 / RATE, "ms"))]))
    found = read(path)
    assert all((s.i_pa == current[1]).all() for s in found.sweeps)
    assert not any(s.recorded_current for s in found.sweeps)


def test_of_several_igor_currents_the_user_says_which(tmp_path: Path, steps: Recording) -> None:
    voltage, current = table(steps)
    path = tmp_path / "a.pxp"
    waves = [igor_wave("Vm", voltage[1], "mV", 1 / RATE), igor_wave("leak", current[0], "pA", 1 / RATE)]
    path.write_bytes(packed([(WAVE, w) for w in (*waves, igor_wave("cmd", current[1], "pA", 1 / RATE))]))
    with pytest.raises(UnitsError, match="expected one current"):
        read_recordings(path)
    assert_steps(read(path, stimulus="cmd"), replace(steps, sweeps=steps.sweeps[1:2]))


def test_igor_currents_that_do_not_fit_are_refused(tmp_path: Path, steps: Recording) -> None:
    voltage, current = table(steps)
    path = tmp_path / "a.pxp"
    waves = [igor_wave(f"V{k}", v, "mV", 1 / RATE) for k, v in enumerate(voltage)]
    waves += [igor_wave(f"Im{k}", current[k], "pA", 1 / RATE) for k in range(2)]
    path.write_bytes(packed([(WAVE, w) for w in waves]))
    with pytest.raises(RecordingError, match="3 potentials and 2 currents"):
        read_recordings(path)
    waves[3:] = [igor_wave("Im", current[0], "pA", 0.5 / RATE)]
    path.write_bytes(packed([(WAVE, w) for w in waves]))
    with pytest.raises(RecordingError, match="sampled differently"):
        read_recordings(path)


def test_axograph_in_voltage_clamp_or_without_units(tmp_path: Path, steps: Recording) -> None:
    voltage, current = table(steps)
    with pytest.raises(ClampModeError):
        read_recordings(axograph([("Im (A)", current[0])], 1 / RATE))
    path = tmp_path / "a.axgx"
    path.write_bytes(axograph([("a", voltage[0]), ("b", current[0])], 1 / RATE))
    with pytest.raises(UnitsError, match="expected one potential"):
        read_recordings(path)
    found = read(path, response="a", response_unit="mV", stimulus="b", stimulus_unit="pA")
    assert_steps(found, replace(steps, sweeps=steps.sweeps[:1]))


MATLAB = {
    "samples by sweeps, dt": lambda v, i: {"Vm": v.T, "Im": i.T, "dt": 1 / RATE},
    "time, one current": lambda v, i: {"V": v, "I": i[:1], "t": np.arange(v.shape[1]) / RATE},
    "structure": lambda v, i: {"data": {"voltage": v, "current": i, "fs": RATE}},
    "units": lambda v, i: {
        "voltage": v * 1e-3,
        "current": i * 1e-3,
        "voltage_unit": "V",
        "current_unit": "nA",
        "fs": RATE,
    },
    "single, other things": lambda v, i: {"voltage": v, "current": i, "Fs": RATE, "note": "cell 7", "age": 3.0},
}


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize("layout", MATLAB)
def test_matlab_layouts(tmp_path: Path, steps: Recording, version: str, layout: str) -> None:
    voltage, current = table(steps)
    found = read(write_mat(tmp_path / "a.mat", version, MATLAB[layout](voltage, current)))
    if "one current" in layout:
        steps = replace(steps, sweeps=tuple(replace(s, i_pa=current[0]) for s in steps.sweeps))
    assert_steps(found, steps)


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_matlab_of_another_layout_says_what_was_found_and_expected(
    tmp_path: Path, steps: Recording, version: str
) -> None:
    voltage, current = table(steps)
    path = write_mat(tmp_path / "a.mat", version, {"sweep": voltage, "inj": current})
    with pytest.raises(RecordingError, match=r"no sampling rate: it holds .*sweep \(3×40000\).*voltage \(sweeps"):
        read_recordings(path)
    write_mat(path, version, {"sweep": voltage, "inj": current, "rate": RATE})
    with pytest.raises(UnitsError, match=r"sweep in no unit.*expected one potential"):
        read_recordings(path)
    assert_steps(read(path, response="sweep", response_unit="mV", stimulus="inj", stimulus_unit="pA"), steps)
    write_mat(path, version, {"voltage": voltage, "rate": 20.0})
    with pytest.raises(RecordingError, match="rate is 20 Hz"):
        read_recordings(path)
    write_mat(path, version, {"voltage": voltage * 1e-3, "current": current, "rate": RATE})
    with pytest.raises(UnitsError, match="potential the stored values in V"):
        read_recordings(path)
    assert_steps(read(path, response_unit="V"), steps)


def test_what_patchmaster_exports_to_matlab(tmp_path: Path, steps: Recording) -> None:
    time = steps.sweeps[0].t
    variables = {}
    for k, sweep in enumerate(steps.sweeps, start=1):
        variables[f"Trace_1_2_{k}_1"] = np.column_stack([time, sweep.i_pa * 1e-12])
        variables[f"Trace_1_2_{k}_2"] = np.column_stack([time, sweep.v_mv * 1e-3])
    assert_steps(read(write_mat(tmp_path / "a.mat", "5", variables)), steps)


def test_matlab_that_links_elsewhere_is_refused(tmp_path: Path, steps: Recording) -> None:
    voltage, current = table(steps)
    path = write_mat73(tmp_path / "a.mat", {"voltage": voltage, "current": current, "rate": RATE})
    with h5py.File(path, "r+") as file:
        file["more"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(UnsafeFileError):
        read_recordings(path)


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_matlab_that_declares_too_much_is_refused(tmp_path: Path, version: str) -> None:
    path = tmp_path / "a.mat"
    if version == "5":
        write_mat(path, "5", {"voltage": np.zeros((2, 10_000)), "rate": RATE})
        data = path.read_bytes()
        path.write_bytes(data.replace(struct.pack("<ii", 2, 10_000), struct.pack("<ii", 40_000, 2**31 - 1)))
    else:
        write_mat73(path, {"rate": RATE})
        with h5py.File(path, "r+") as file:
            file.create_dataset("voltage", (2**33, 4), "f8", chunks=(2**20, 1))
    with pytest.raises(RecordingError, match="MB of samples"):
        read_recordings(path)


@pytest.mark.parametrize(("digits", "works"), [(6, True), (5, True), (4, False)])
def test_atf_times_may_be_rounded_by_less_than_half_a_step(
    tmp_path: Path, steps: Recording, digits: int, works: bool
) -> None:
    path = write_atf(tmp_path / "a.atf", steps, digits=digits)
    if works:
        assert_steps(read(path), steps)
    else:
        with pytest.raises(RecordingError, match="equal steps"):
            read(path)


def test_series_of_a_file_that_has_none_are_refused(tmp_path: Path, steps: Recording) -> None:
    with pytest.raises(RecordingError, match="no HEKA bundle"):
        read(write_axograph(tmp_path / "a.axgx", steps), series="IV")


def test_atf_in_voltage_clamp_is_refused(tmp_path: Path, steps: Recording) -> None:
    with pytest.raises(ClampModeError):
        read_recordings(write_atf(tmp_path / "a.atf", steps, "pA", "nA"))


def test_a_table_with_decimal_commas(tmp_path: Path, steps: Recording) -> None:
    sweep = steps.sweeps[0]
    rows = [
        f"{t:.6f};{v:.4f};{i:.1f}".replace(".", ",") for t, v, i in zip(sweep.t, sweep.v_mv, sweep.i_pa, strict=True)
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["time (s);Vm (mV);Im (pA)", *rows]))
    assert_steps(read(path), replace(steps, sweeps=(sweep,)))


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"S64\x01", "32-bit .smr or to MATLAB"),
        (b"IGOR\r\nWAVES Vm", r"packed \(.pxp\)"),
        (b"VER=6.4\r\nNC=2\r\nNP=100\r\n", "export it to ABF"),
        (b'CEDFILE"a', "export it to MATLAB"),
    ],
)
def test_formats_that_are_not_read_say_what_to_export(head: bytes, words: str) -> None:
    with pytest.raises(RecordingError, match=words):
        read_recordings(head.ljust(5000, b"\0"), name="a")
