"""Which channel is the potential and which the current, where the file leaves it open."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from neuroclass.ephys.cell_features import extract_features
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import ClampModeError, UnitsError
from neuroclass.io import winwcp
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings
from neuroclass.io.signals import Signal
from tests.ephys import planted
from tests.io.abf_files import steps, write_abf1
from tests.io.nwb_files import write_nwb1, write_nwb2
from tests.io.winwcp_files import write_winwcp

RATE_HZ = 20_000.0


@pytest.fixture(scope="module")
def cell() -> Recording:
    """Steps and a ramp whose current is hard to miss."""
    whole = steps(RATE_HZ)
    return replace(whole, sweeps=(*whole.sweeps, planted.ramp(planted.Cell(rate_hz=RATE_HZ), len(whole.sweeps), 1.7)))


def _nwb1_electrodes(path: Path, stimulus: str, extra: dict[str, float]) -> Path:
    """Put responses on electrode 0, stimuli on another, and add constant currents whose length is a multiple of it."""
    with h5py.File(path, "r+") as file:
        for name in list(file["stimulus/presentation"]):
            number = name.split("_")[-1]
            file[f"acquisition/timeseries/{name}"].attrs["source"] = f"Sweep={number};ElectrodeNumber=0"
            file[f"stimulus/presentation/{name}"].attrs["source"] = f"Sweep={number};ElectrodeNumber={stimulus}"
            for electrode, length in extra.items():
                copy = f"stimulus/presentation/{name}_{electrode}"
                file.copy(f"stimulus/presentation/{name}", copy)
                file[copy].attrs["source"] = f"Sweep={number};ElectrodeNumber={electrode}"
                data = file[copy]["data"]
                attributes, n = dict(data.attrs), int(data.size * length)
                del file[copy]["data"]
                file[copy]["data"] = np.full(n, 7.0)
                for key, value in attributes.items():
                    file[copy]["data"].attrs[key] = value
    return path


def _nwb2_electrodes(path: Path, stimulus: str, extra: dict[str, float]) -> Path:
    """The same for NWB 2, whose series link to their electrodes."""
    icephys = "general/intracellular_ephys"
    with h5py.File(path, "r+") as file:
        for electrode in {stimulus, *extra} - {"0"}:
            file.copy(f"{icephys}/0", f"{icephys}/{electrode}")
        for name in list(file["stimulus/presentation"]):
            for electrode, length in {stimulus: 1.0, **extra}.items():
                place = f"stimulus/presentation/{name}"
                if electrode != stimulus:
                    file.copy(place, f"{place}_{electrode}")
                    place = f"{place}_{electrode}"
                    data = file[place]["data"]
                    attributes, n = dict(data.attrs), int(data.size * length)
                    del file[place]["data"]
                    file[place]["data"] = np.full(n, 7e-12)
                    for key, value in attributes.items():
                        file[place]["data"].attrs[key] = value
                del file[place]["electrode"]
                file[place]["electrode"] = h5py.SoftLink(f"/{icephys}/{electrode}")
    return path


Write = Callable[[Path, Recording, str, dict[str, float]], Path]
WRITERS: dict[str, Write] = {
    "NWB 1": lambda path, cell, *how: _nwb1_electrodes(write_nwb1(path, cell), *how),
    "NWB 2": lambda path, cell, *how: _nwb2_electrodes(write_nwb2(path, {"0": cell}), *how),
}


@pytest.mark.parametrize("layout", WRITERS)
def test_the_only_current_that_fits_is_used_and_named(tmp_path: Path, cell: Recording, layout: str) -> None:
    (read,) = read_recordings(WRITERS[layout](tmp_path / "cell.nwb", cell, "1", {"2": 0.5, "3": 2.0}), sandboxed=False)
    assert extract_features(read).values == pytest.approx(extract_features(cell).values, rel=1e-6)
    (said,) = [w for w in read.warnings if "only one that fits" in w]
    assert "response is on electrode 0 and the current on electrode 1" in said and said.startswith("Sweeps 0, 1, 2")


@pytest.mark.parametrize("layout", WRITERS)
def test_of_several_currents_that_fit_none_is_taken(tmp_path: Path, cell: Recording, layout: str) -> None:
    path = WRITERS[layout](tmp_path / "cell.nwb", cell, "1", {"2": 1.0})
    with pytest.raises(UnitsError, match=r"holds 2 currents .* electrode 1, .* electrode 2") as caught:
        read_recordings(path, sandboxed=False)
    assert [p.options for p in caught.value.proposals] == [{"stimulus": "1"}]
    (read,) = read_recordings(path, mapping=ChannelMapping(stimulus="1"), sandboxed=False)
    assert extract_features(read).values == pytest.approx(extract_features(cell).values, rel=1e-6)
    with pytest.raises(UnitsError, match="which has 0: 1, 1: 2"):
        read_recordings(path, mapping=ChannelMapping(stimulus="left"), sandboxed=False)


def test_one_undecided_sweep_costs_only_itself(tmp_path: Path, cell: Recording) -> None:
    path = write_nwb1(tmp_path / "cell.nwb", cell)
    with h5py.File(path, "r+") as file:
        for electrode in "12":
            file.copy("stimulus/presentation/Sweep_3", f"stimulus/presentation/Sweep_3_{electrode}")
            source = f"Sweep=3;ElectrodeNumber={electrode}"
            file[f"stimulus/presentation/Sweep_3_{electrode}"].attrs["source"] = source
        del file["stimulus/presentation/Sweep_3"]
        file["acquisition/timeseries/Sweep_3"].attrs["source"] = "Sweep=3;ElectrodeNumber=0"
    read = {s.number: s for one in read_recordings(path, sandboxed=False) for s in one.sweeps}
    assert [n for n, s in read.items() if not s.current_known] == [3]
    assert any("Sweep 3: several currents fit (1, 2)" in w for w in read_recordings(path, sandboxed=False)[0].warnings)


def test_no_cell_takes_the_current_of_another(tmp_path: Path, cell: Recording) -> None:
    path = write_nwb2(tmp_path / "two.nwb", {"left": cell, "right": cell})
    with h5py.File(path, "r+") as file:
        for name in [n for n in file["stimulus/presentation"] if n.startswith("left")]:
            del file[f"stimulus/presentation/{name}"]
    left, right = read_recordings(path, sandboxed=False)
    assert not any(s.current_known for s in left.sweeps)
    assert all(s.current_known for s in right.sweeps)
    assert not any("only one that fits" in w for w in left.warnings)


@pytest.mark.parametrize("kept", ["left", "right", "1"])
def test_one_electrode_of_several_can_be_chosen(tmp_path: Path, cell: Recording, kept: str) -> None:
    other = replace(cell, sweeps=tuple(replace(s, v_mv=s.v_mv - 5.0) for s in cell.sweeps))
    path = write_nwb2(tmp_path / "two.nwb", {"left": cell, "right": other})
    (read,) = read_recordings(path, mapping=ChannelMapping(response=kept), sandboxed=False)
    assert read.sweeps[0].v_mv[0] == pytest.approx(-70.0 if kept == "left" else -75.0)


def _v(cell: Recording) -> list[np.ndarray]:
    return [s.v_mv for s in cell.sweeps[:7]]


def _stim(cell: Recording) -> list[np.ndarray]:
    return [s.i_pa / 400 for s in cell.sweeps[:7]]


@pytest.mark.parametrize(
    ("order", "commands", "words"),
    [
        ("stim first", [("Cmd 0", "pA")], "under the command Cmd 0"),
        ("stim first", [("Cmd 0", "pA"), ("Cmd 1", "pA")], "under the command Cmd 0"),
        ("stim last", [("Cmd 0", "pA"), ("Cmd 1", "pA")], "stim is left out"),
        ("stim last", [("Cmd 0", "pA"), ("Cmd 1", "mV")], ""),
    ],
)
def test_a_stimulus_recorded_in_volts_is_no_cell(
    tmp_path: Path, cell: Recording, order: str, commands: list[tuple[str, str]], words: str
) -> None:
    channels = [("Vm", "mV", _v(cell)), ("stim", "V", _stim(cell))]
    path = write_abf1(tmp_path / "cell.abf", channels if order == "stim last" else channels[::-1], RATE_HZ, commands)
    (read,) = read_recordings(path, sandboxed=False)
    expected = extract_features(replace(cell, sweeps=cell.sweeps[:7])).values
    assert extract_features(read).values == pytest.approx(expected, rel=0.01)
    assert words in " ".join(read.warnings) and bool(words) == bool(read.warnings)


def test_signals_give_the_potential_that_looks_like_one(
    tmp_path: Path, cell: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = cell.sweeps[5]
    channels = (("stim", "V", sweep.i_pa / 400), ("Vm", "mV", sweep.v_mv), ("Im", "pA", sweep.i_pa))
    signals = [Signal(name, unit, RATE_HZ, values) for name, unit, values in channels]
    monkeypatch.setattr(winwcp, "_record", lambda *_: ("ACCEPTED", signals))
    path = write_winwcp(tmp_path / "cell.wcp", cell)
    (read,) = read_recordings(path, sandboxed=False)
    np.testing.assert_allclose(read.sweeps[0].v_mv, sweep.v_mv)
    assert "stim does not" in read.sweeps[0].notes[0] and not read.sweeps[1].notes


def test_plain_series_are_told_apart_by_their_units(tmp_path: Path, cell: Recording) -> None:
    path = write_nwb2(tmp_path / "cell.nwb", {"e": cell})
    with h5py.File(path, "r+") as file:
        for folder in ("acquisition", "stimulus/presentation"):
            for series in file[folder].values():
                series.attrs["neurodata_type"] = "TimeSeries"
                del series["electrode"]
    (read,) = read_recordings(path, sandboxed=False)
    assert extract_features(read).values == pytest.approx(extract_features(cell).values, rel=1e-6)


@pytest.mark.parametrize("layout", ["ABF 1", "NWB 1", "NWB 2"])
@pytest.mark.parametrize(
    ("gain", "offset"), [(20.0, None), (None, 67.0), (20.0, 400.0), (0.1, None)], ids=["gain", "offset", "both", "low"]
)
def test_gain_and_offset_give_the_cell_back(
    tmp_path: Path, cell: Recording, layout: str, gain: float | None, offset: float | None
) -> None:
    wrong = tuple(replace(s, v_mv=s.v_mv * (gain or 1.0) + (offset or 0.0)) for s in cell.sweeps[:7])
    recording = replace(cell, sweeps=wrong)
    if layout == "ABF 1":
        channels = [("Vm", "mV", [s.v_mv for s in wrong])]
        path = write_abf1(tmp_path / "cell.abf", channels, RATE_HZ, [("Cmd 0", "pA")])
    elif layout == "NWB 1":
        path = write_nwb1(tmp_path / "cell.nwb", recording)
    else:
        path = write_nwb2(tmp_path / "cell.nwb", {"e": recording}, stored="milli", offset=True)
    with pytest.raises(UnitsError):
        read_recordings(path, sandboxed=False)
    mapping = ChannelMapping(response_gain=gain, response_offset=None if offset is None else -offset / (gain or 1.0))
    (read,) = read_recordings(path, mapping=mapping, sandboxed=False)
    expected = extract_features(replace(cell, sweeps=cell.sweeps[:7])).values
    assert extract_features(read).values == pytest.approx(expected, rel=0.01)
    assert "as entered" in read.warnings[0]


@pytest.mark.parametrize("name", ["171116sh_0011.abf", "H18.03.315.11.11.01.05.nwb", "MIES_v2_voltage_clamp.nwb"])
def test_voltage_clamp_stays_voltage_clamp(shared_recordings: Path, name: str) -> None:
    with pytest.raises(ClampModeError) as caught:
        read_recordings(shared_recordings / name, sandboxed=False)
    assert not caught.value.proposals


@pytest.mark.parametrize("name", ["171116sh_0011.abf", "H18.03.315.11.11.01.05.nwb", "MIES_v2_voltage_clamp.nwb"])
def test_a_unit_alone_makes_no_current_clamp_of_it(shared_recordings: Path, name: str) -> None:
    with pytest.raises(ClampModeError):
        read_recordings(shared_recordings / name, mapping=ChannelMapping(response_unit="mV"), sandboxed=False)


def test_abf2_with_a_wrong_unit_is_read_as_proposed(tmp_path: Path, shared_recordings: Path) -> None:
    original = (shared_recordings / "171116sh_0018.abf").read_bytes()
    (truth,) = read_recordings(original, name="cell.abf", sandboxed=False)
    path = tmp_path / "cell.abf"
    path.write_bytes(original.replace(b"\0IN 0\0mV\0", b"\0IN 0\0pA\0"))
    assert path.read_bytes() != original
    with pytest.raises(UnitsError) as caught:
        read_recordings(path, sandboxed=False)
    (proposal,) = caught.value.proposals
    (read,) = read_recordings(path, mapping=ChannelMapping(**proposal.options), sandboxed=False)
    assert extract_features(read).values == pytest.approx(extract_features(truth).values)
