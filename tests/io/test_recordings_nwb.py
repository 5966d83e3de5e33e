"""The same simulated cell from memory and from files of either NWB layout."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from neuroclass.ephys.cell_features import CellFeatures, extract_features
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import ClampModeError, RecordingError, UnitsError, UnsafeFileError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1, write_nwb2


@pytest.fixture(scope="module")
def cell() -> Recording:
    return planted.small()


@pytest.fixture(scope="module")
def known(cell: Recording) -> CellFeatures:
    return extract_features(cell)


def assert_same(found: CellFeatures, expected: CellFeatures, rtol: float) -> None:
    assert found.values.keys() == expected.values.keys()
    for name, value in expected.values.items():
        assert found.values[name] == pytest.approx(value, rel=rtol, abs=1e-9), name
    assert found.provenance == expected.provenance


@pytest.mark.parametrize(
    ("how", "rtol"),
    [
        ({"stored": "volts"}, 1e-6),
        ({"stored": "milli"}, 1e-6),
        ({"stored": "milli", "offset": True}, 1e-6),
        ({"stored": "volts", "table": True, "sweep_numbers": False}, 1e-6),
        ({"stored": "volts", "sweep_numbers": False, "compression": True}, 1e-6),
    ],
)
def test_nwb2_gives_the_in_memory_features(
    tmp_path: Path, cell: Recording, known: CellFeatures, how: dict[str, object], rtol: float
) -> None:
    path = write_nwb2(tmp_path / "cell.nwb", {"electrode": cell}, **how)
    (read,) = read_recordings(path)
    assert read.format == "NWB 2"
    assert read.metadata["species"] == "Mus musculus"
    assert [s.stimulus_name for s in read.sweeps] == [s.stimulus_name for s in cell.sweeps]
    if how.get("sweep_numbers", True):
        assert [s.number for s in read.sweeps] == [s.number for s in cell.sweeps]
    assert_same(extract_features(read), known, rtol)


def test_nwb2_int16_is_read_to_its_resolution(tmp_path: Path, cell: Recording) -> None:
    (read,) = read_recordings(write_nwb2(tmp_path / "cell.nwb", {"electrode": cell}, stored="int16"))
    for a, b in zip(read.sweeps, cell.sweeps, strict=True):
        assert np.abs(a.v_mv - b.v_mv).max() < 0.01
        assert np.abs(a.i_pa - b.i_pa).max() < 0.05


@pytest.mark.parametrize("millivolts", [True, False])
def test_nwb1_gives_the_in_memory_features(
    tmp_path: Path, cell: Recording, known: CellFeatures, millivolts: bool
) -> None:
    (read,) = read_recordings(write_nwb1(tmp_path / "cell.nwb", cell, millivolts=millivolts))
    assert read.format == "NWB 1"
    assert_same(extract_features(read), known, 1e-6)


def test_when_each_sweep_began_is_read(tmp_path: Path, cell: Recording) -> None:
    timed = replace(cell, sweeps=tuple(replace(s, began_s=120.5 + 4.0 * k) for k, s in enumerate(cell.sweeps)))
    (read,) = read_recordings(write_nwb1(tmp_path / "cell.nwb", timed))
    assert [sweep.began_s for sweep in read.sweeps] == [sweep.began_s for sweep in timed.sweeps]


def test_content_decides_not_the_name(tmp_path: Path, cell: Recording) -> None:
    path = write_nwb1(tmp_path / "cell.abf", cell)
    assert read_recordings(path)[0].format == "NWB 1"
    assert read_recordings(path.read_bytes(), name="upload.txt")[0].source == "upload.txt"


def test_two_cells_in_one_file_stay_apart(tmp_path: Path, cell: Recording) -> None:
    other = planted.recording(planted.Cell(rate_hz=25_000.0, vrest_mv=-62.0), planted.FEW_PA)
    cells = {"left": replace(cell, sweeps=cell.sweeps[:3]), "right": replace(other, sweeps=other.sweeps[:3])}
    left, right = read_recordings(write_nwb2(tmp_path / "two.nwb", cells))
    assert (left.cell, right.cell) == ("left", "right")
    assert left.sweeps[0].v_mv[:100].mean() == pytest.approx(-70.0)
    assert right.sweeps[0].v_mv[:100].mean() == pytest.approx(-62.0)
    assert right.sweeps[1].i_pa.min() == pytest.approx(planted.FEW_PA[1])


def test_gaps_and_missing_ends_lose_no_other_sweep(tmp_path: Path, cell: Recording) -> None:
    first, second, third = cell.sweeps[:3]
    broken = first.v_mv.copy()
    broken[40_000:] = np.nan
    empty = np.full(second.n_times, np.nan)
    sweeps = (replace(first, v_mv=broken), replace(second, v_mv=empty), third)
    (read,) = read_recordings(write_nwb2(tmp_path / "gaps.nwb", {"e": replace(cell, sweeps=sweeps)}))
    assert [s.number for s in read.sweeps] == [0, 2]
    assert read.sweeps[0].n_times == 40_000
    assert "without samples" in read.sweeps[0].notes[0]
    assert any("Sweep 1 left out: no samples." in w for w in read.warnings)


def test_wrong_scale_is_refused_and_can_be_mapped(tmp_path: Path, cell: Recording, known: CellFeatures) -> None:
    path = write_nwb2(tmp_path / "cell.nwb", {"e": cell}, stored="milli")
    with h5py.File(path, "r+") as file:
        for name in file["acquisition"]:
            file[f"acquisition/{name}/data"].attrs["conversion"] = 1.0
        for name in file["stimulus/presentation"]:
            file[f"stimulus/presentation/{name}/data"].attrs["conversion"] = 1.0
    with pytest.raises(UnitsError, match=r"1,000 times too large.*--response-unit"):
        read_recordings(path)
    mapping = ChannelMapping(response_unit="mV", stimulus_unit="pA")
    (read,) = read_recordings(path, mapping=mapping)
    assert_same(extract_features(read), known, 1e-6)


@pytest.mark.parametrize(("factor", "expected"), [(1e3, "MΩ|pA"), (1e-3, "MΩ")])
def test_a_current_wrong_by_a_thousand_is_refused(
    tmp_path: Path, cell: Recording, factor: float, expected: str
) -> None:
    wrong = replace(cell, sweeps=tuple(replace(s, i_pa=s.i_pa * factor) for s in cell.sweeps[:4]))
    with pytest.raises(UnitsError, match=expected):
        read_recordings(write_nwb2(tmp_path / "cell.nwb", {"e": wrong}))


def test_a_potential_a_thousand_times_too_small_is_refused(tmp_path: Path, cell: Recording) -> None:
    wrong = replace(cell, sweeps=tuple(replace(s, v_mv=s.v_mv * 1e-3) for s in cell.sweeps[:4]))
    with pytest.raises(UnitsError):
        read_recordings(write_nwb2(tmp_path / "cell.nwb", {"e": wrong}))


def test_swapped_channels_are_refused(tmp_path: Path, cell: Recording) -> None:
    wrong = replace(cell, sweeps=tuple(replace(s, v_mv=s.i_pa, i_pa=s.v_mv) for s in cell.sweeps[:4]))
    with pytest.raises(UnitsError, match="--response"):
        read_recordings(write_nwb2(tmp_path / "cell.nwb", {"e": wrong}))


def test_links_and_foreign_storage_are_refused(tmp_path: Path, cell: Recording) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.full(1000, -70.0).tobytes())
    path = write_nwb1(tmp_path / "cell.nwb", replace(cell, sweeps=cell.sweeps[:1]))
    series = "acquisition/timeseries/Sweep_0"

    def spoiled(name: str, change: object) -> Path:
        copy = tmp_path / name
        copy.write_bytes(path.read_bytes())
        with h5py.File(copy, "r+") as file:
            del file[f"{series}/data"]
            change(file[series])  # type: ignore[operator]
        return copy

    layout = h5py.VirtualLayout(shape=(1000,), dtype="f8")
    layout[:] = h5py.VirtualSource(path, f"{series}/data", shape=(cell.sweeps[0].n_times,))[:1000]
    spoilers = {
        "external.nwb": lambda g: g.create_dataset("data", (1000,), "f8", external=[(str(secret), 0, 8000)]),
        "link.nwb": lambda g: g.__setitem__("data", h5py.ExternalLink(str(path), f"{series}/data")),
        "soft.nwb": lambda g: g.__setitem__("data", h5py.SoftLink("/stimulus/presentation/Sweep_0/data")),
        "virtual.nwb": lambda g: g.create_virtual_dataset("data", layout),
    }
    for name, change in spoilers.items():
        with pytest.raises(UnsafeFileError):
            read_recordings(spoiled(name, change))


def test_a_small_file_that_declares_gigabytes_is_refused(tmp_path: Path, cell: Recording) -> None:
    path = write_nwb1(tmp_path / "cell.nwb", replace(cell, sweeps=cell.sweeps[:1]))
    with h5py.File(path, "r+") as file:
        group = file["acquisition/timeseries/Sweep_0"]
        del group["data"]
        huge = group.create_dataset("data", (10_000_000_000,), "f8", chunks=(1_000_000,), compression="gzip")
        huge.attrs["unit"] = "Volts"
    with pytest.raises(RecordingError, match=r"declares|hold more than"):
        read_recordings(path)


def test_voltage_clamp_is_refused(tmp_path: Path, cell: Recording) -> None:
    path = write_nwb1(tmp_path / "cell.nwb", replace(cell, sweeps=cell.sweeps[:2]))
    with h5py.File(path, "r+") as file:
        for name in file["acquisition/timeseries"]:
            file[f"acquisition/timeseries/{name}"].attrs["ancestry"] = np.array([b"VoltageClampSeries"])
    with pytest.raises(ClampModeError, match="voltage clamp"):
        read_recordings(path)
