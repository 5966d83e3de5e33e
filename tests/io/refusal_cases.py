"""A file for every refusal of a recording, and how many ways out of it are offered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.io import recordings, sweep_table, winwcp
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.signals import Signal
from tests.io.abf_files import steps, write_abf1
from tests.io.nwb_files import write_nwb1, write_nwb2
from tests.io.winwcp_files import write_winwcp

RATE_HZ = 20_000.0
Build = Callable[[Path], Path]
Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Case:
    """One refused recording.

    `words` are options that the message leaves for the user to complete.
    """

    build: Build
    offered: int = 0
    words: str = ""
    mapping: ChannelMapping = ChannelMapping()
    limits: ReadLimits = field(default_factory=ReadLimits)
    patch: Patch | None = None


@lru_cache
def cell() -> Recording:
    """What all files hold: long squares of one planted cell."""
    return steps(RATE_HZ)


def potentials(factor: float = 1.0, offset: float = 0.0) -> list[np.ndarray]:
    return [s.v_mv * factor + offset for s in cell().sweeps]


def currents(factor: float = 1.0) -> list[np.ndarray]:
    return [s.i_pa * factor for s in cell().sweeps]


def _abf(channels: Sequence[tuple[str, str, Sequence[np.ndarray]]], *commands: tuple[str, str], **how: object) -> Build:
    return lambda folder: write_abf1(folder / "cell.abf", channels, RATE_HZ, commands, **how)  # type: ignore[arg-type]


def _bytes(content: bytes) -> Build:
    def build(folder: Path) -> Path:
        path = folder / "upload"
        path.write_bytes(content)
        return path

    return build


def scaled(v: float = 1.0, i: float = 1.0, v_offset: float = 0.0) -> Recording:
    """The cell with its values times a factor, written as though they were right."""
    return replace(cell(), sweeps=tuple(replace(s, v_mv=s.v_mv * v + v_offset, i_pa=s.i_pa * i) for s in cell().sweeps))


def _nwb2(
    recording: Callable[[], Recording], change: Callable[[h5py.File], None] | None = None, **how: object
) -> Build:
    def build(folder: Path) -> Path:
        path = write_nwb2(folder / "cell.nwb", {"e": recording()}, **how)  # type: ignore[arg-type]
        return _changed(path, change)

    return build


def _nwb1(change: Callable[[h5py.File], None] | None = None, recording: Callable[[], Recording] = cell) -> Build:
    return lambda folder: _changed(write_nwb1(folder / "cell.nwb", recording()), change)


def _changed(path: Path, change: Callable[[h5py.File], None] | None) -> Path:
    if change is not None:
        with h5py.File(path, "r+") as file:
            change(file)
    return path


def _every(folder: str, do: Callable[[h5py.Group], None]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        for name in file[folder]:
            do(file[f"{folder}/{name}"])

    return change


def _replaced(name: str, value: object, **attributes: object) -> Callable[[h5py.Group], None]:
    def change(group: h5py.Group) -> None:
        old = dict(group[name].attrs)
        del group[name]
        group[name] = value
        for key, kept in {**old, **attributes}.items():
            group[name].attrs[key] = kept

    return change


_RESPONSES, _STIMULI = "acquisition/timeseries", "stimulus/presentation"


def _unit(unit: str) -> Callable[[h5py.Group], None]:
    return lambda group: group["data"].attrs.__setitem__("unit", unit)


def _conversion(group: h5py.Group) -> None:
    group["data"].attrs["conversion"] = 1.0


def _voltage_clamp(file: h5py.File) -> None:
    """A clamp's own series: held potential commanded, current recorded."""
    _every(_RESPONSES, lambda g: g.attrs.__setitem__("ancestry", np.array([b"VoltageClampSeries"])))(file)
    _every(_RESPONSES, lambda g: g["data"].__setitem__(slice(None), np.sin(np.arange(g["data"].size) / 500.0)))(file)


def _two_more_currents(file: h5py.File) -> None:
    """Every stimulus twice, on electrodes other than the response's."""
    for name in list(file[_STIMULI]):
        number = name.split("_")[-1]
        for electrode in ("1", "2"):
            copy = f"{_STIMULI}/{name}_{electrode}"
            file.copy(f"{_STIMULI}/{name}", copy)
            file[copy].attrs["source"] = f"Sweep={number};ElectrodeNumber={electrode}"
            if electrode == "2":
                file[f"{copy}/data"][...] = file[f"{copy}/data"][...] * 0 + 3.0
        del file[f"{_STIMULI}/{name}"]
        file[f"{_RESPONSES}/{name}"].attrs["source"] = f"Sweep={number};ElectrodeNumber=0"


def _irregular(group: h5py.Group) -> None:
    n = group["data"].size
    del group["starting_time"]
    group["timestamps"] = np.zeros(n)


def _table(**columns: object) -> Build:
    def build(folder: Path) -> Path:
        path = folder / "sweeps.csv"
        pd.DataFrame({name.replace("__", " "): values for name, values in columns.items()}).to_csv(path, index=False)
        return path

    return build


def _columns(*headers: str, time: Callable[[np.ndarray], np.ndarray] = lambda t: t) -> Build:
    """A table of the last sweep: time, potential, current and whatever else has a header."""
    sweep = cell().sweeps[-1]
    values = [time(sweep.t), sweep.v_mv, sweep.i_pa, sweep.v_mv, sweep.v_mv]
    return lambda folder: _table(**dict(zip(headers, values, strict=False)))(folder)


def _parquet(folder: Path) -> Path:
    path = folder / "sweeps.parquet"
    pd.DataFrame({"time (s)": cell().sweeps[0].t, "v (mV)": cell().sweeps[0].v_mv}).to_parquet(path)
    return path


def _without_time(folder: Path) -> Path:
    path = folder / "sweeps.parquet"
    pd.DataFrame({"v (mV)": cell().sweeps[0].v_mv, "i (pA)": cell().sweeps[0].i_pa}).to_parquet(path)
    return path


def _sparse_hdf5(folder: Path) -> Path:
    with h5py.File(folder / "other.h5", "w") as file:
        file["x"] = np.zeros(3)
    return folder / "other.h5"


def _winwcp(units: tuple[str, str], **how: object) -> Build:
    return lambda folder: write_winwcp(folder / "cell.wcp", cell(), units, **how)  # type: ignore[arg-type]


def _virtual(file: h5py.File) -> None:
    name = f"{_RESPONSES}/Sweep_0/data"
    layout = h5py.VirtualLayout(shape=(10,), dtype="f8")
    layout[:] = h5py.VirtualSource(".", f"{_RESPONSES}/Sweep_1/data", shape=(10,))
    del file[name]
    file.create_virtual_dataset(name, layout)


def _external(file: h5py.File) -> None:
    del file[f"{_RESPONSES}/Sweep_0/data"]
    file[f"{_RESPONSES}/Sweep_0"].create_dataset("data", (10,), "f8", external=[("secret.bin", 0, 80)])


def _linked(file: h5py.File) -> None:
    file["elsewhere"] = h5py.ExternalLink("other.nwb", "/")


def _soft(file: h5py.File) -> None:
    del file[f"{_RESPONSES}/Sweep_0/data"]
    file[f"{_RESPONSES}/Sweep_0/data"] = h5py.SoftLink(f"/{_STIMULI}/Sweep_0/data")


def _damaged_series(group: h5py.Group) -> None:
    """Raw bytes of a compressed dataset that cannot be unpacked."""
    n, attributes = group["data"].size, dict(group["data"].attrs)
    del group["data"]
    data = group.create_dataset("data", (n,), "f8", chunks=(n,), compression="gzip")
    data.id.write_direct_chunk((0,), b"not deflated")
    for key, value in attributes.items():
        data.attrs[key] = value


def _signal(name: str, unit: str, rate_hz: float = RATE_HZ, factor: float = 1.0) -> Signal:
    return Signal(name, unit, rate_hz, cell().sweeps[0].v_mv * factor)


def _signals(*signals: Signal) -> Patch:
    """Every record of a WinWCP file holds these signals."""
    return lambda patch: patch.setattr(winwcp, "_record", lambda *_: ("ACCEPTED", list(signals)))


def _no_memory(patch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    patch.setattr(recordings, "read_abf", full)


CASES: dict[str, Case] = {
    # ABF
    "abf: wrong units of a current-clamp file": Case(_abf([("IN 0", "pA", potentials())], ("Cmd 0", "mV")), offered=1),
    "abf: potential and current recorded, command in mV": Case(
        _abf([("Im", "pA", currents()), ("Vm", "mV", potentials())], ("Cmd 0", "mV"), driven=-1), offered=1
    ),
    "abf: swapped units of two inputs": Case(
        _abf([("A", "mV", currents()), ("B", "pA", potentials())], driven=-1), offered=1
    ),
    "abf: no units at all": Case(_abf([("Vm", "", potentials()), ("Im", "", currents())], driven=-1), offered=1),
    "abf: gain of 20 that was not telegraphed": Case(
        _abf([("Vm", "mV", potentials(20.0))], ("Cmd 0", "pA")), offered=1
    ),
    "abf: shifted by +67 mV": Case(_abf([("Vm", "mV", potentials(1.0, 67.0))], ("Cmd 0", "pA")), offered=1),
    "abf: pA labelled nA": Case(_abf([("Vm", "mV", potentials())], ("Cmd 0", "nA")), offered=1),
    "abf: current too strong, its gain unknown": Case(
        _abf([("Vm", "mV", potentials())], ("Cmd 0", "pA"), scale=100.0), words="--stimulus-gain GAIN"
    ),
    "abf: a potential without a current": Case(_abf([("Vm", "mV", potentials())], ("Cmd 0", "mV"), driven=-1)),
    "abf: no cell": Case(_abf([("Vm", "mV", [np.zeros(v.size) + 0.3 for v in potentials()])], ("Cmd 0", "pA"))),
    "abf: voltage clamp": Case(_abf([("Im", "pA", [-50.0 + 0.2 * i for i in currents()])], ("Cmd 0", "mV"), scale=0.1)),
    "abf: no sweeps": Case(_abf([("Vm", "mV", [np.zeros(0)])], ("Cmd 0", "pA"), driven=-1)),
    "abf: a channel that is not there": Case(
        _abf([("Vm", "mV", potentials())], ("Cmd 0", "pA")), offered=1, mapping=ChannelMapping("Vmm")
    ),
    # NWB
    "nwb: several currents fit": Case(_nwb1(_two_more_currents), offered=1),
    "nwb: conversion missing": Case(
        _nwb2(
            cell,
            lambda f: (_every("acquisition", _conversion)(f), _every(_STIMULI, _conversion)(f))[0],
            stored="milli",
        ),
        offered=1,
    ),
    "nwb: responses and stimuli exchanged": Case(
        _nwb2(lambda: replace(cell(), sweeps=tuple(replace(s, v_mv=s.i_pa, i_pa=s.v_mv) for s in cell().sweeps))),
        offered=1,
    ),
    "nwb: currents a thousand times too weak": Case(_nwb2(lambda: scaled(i=1e-3)), words="--stimulus-gain GAIN"),
    "nwb: current clamp declared voltage clamp": Case(
        _nwb1(_every(_RESPONSES, lambda g: g.attrs.__setitem__("ancestry", np.array([b"VoltageClampSeries"])))),
        offered=1,
    ),
    "nwb: voltage clamp": Case(_nwb1(_voltage_clamp)),
    "nwb: another unit than V or A": Case(_nwb1(_every(_RESPONSES, _unit("seconds"))), offered=1),
    "nwb: no sweeps": Case(_nwb1(lambda f: f.__delitem__(_RESPONSES))),
    "nwb: nothing to exchange": Case(
        _nwb1(lambda f: f.__delitem__(_STIMULI)), mapping=ChannelMapping("stimulus", "acquisition")
    ),
    "nwb: no data": Case(_nwb1(_every(_RESPONSES, lambda g: (g.__delitem__("data"), g.create_group("data"))[0]))),
    "nwb: no rate": Case(_nwb1(_every(_RESPONSES, lambda g: g.__delitem__("starting_time")))),
    "nwb: timestamps stand still": Case(_nwb1(_every(_RESPONSES, _irregular))),
    "nwb: rate in kHz": Case(_nwb1(_every(_RESPONSES, lambda g: g["starting_time"].attrs.__setitem__("rate", 20.0)))),
    "nwb: two-dimensional": Case(_nwb1(_every(_RESPONSES, _replaced("data", np.zeros((30, 30)), unit="Volts")))),
    "nwb: more samples than are read": Case(_nwb1(), limits=ReadLimits(bytes=100_000)),
    "nwb: damaged series": Case(_nwb1(_every(_RESPONSES, _damaged_series))),
    "nwb: only missing samples": Case(_nwb1(_every(_RESPONSES, lambda g: g["data"].__setitem__(slice(None), np.nan)))),
    "nwb: every sweep has an impossible sample": Case(
        _nwb1(_every(_RESPONSES, lambda g: g["data"].__setitem__(slice(100, 110), 900.0)))
    ),
    "nwb: too many objects": Case(_nwb1(), limits=ReadLimits(objects=5)),
    "nwb: external link": Case(_nwb1(_linked)),
    "nwb: soft link": Case(_nwb1(_soft)),
    "nwb: external storage": Case(_nwb1(_external)),
    "nwb: virtual dataset": Case(_nwb1(_virtual)),
    "hdf5: damaged": Case(_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 99)),
    "hdf5: not NWB": Case(_sparse_hdf5),
    # WinWCP stands for what `signals` pairs
    "signals: two cells": Case(_winwcp(("mV", "mV"), second_cell=True)),
    "signals: wrong units of a current-clamp file": Case(_winwcp(("pA", "nA")), offered=1),
    "signals: voltage clamp": Case(_winwcp(("pA", "pA")), patch=_signals(_signal("Im", "pA", factor=0.3))),
    "signals: no potential": Case(_winwcp(("s", "pA")), offered=1),
    "signals: two currents": Case(
        _winwcp(("mV", "pA")),
        patch=_signals(_signal("Vm", "mV"), _signal("I1", "pA", factor=0.0), _signal("I2", "pA", factor=0.0)),
    ),
    "signals: two potentials of one channel and three currents": Case(
        _winwcp(("mV", "pA")),
        patch=_signals(*[_signal("Vm", "mV")] * 2, *[_signal("Im", "pA")] * 3),
    ),
    "signals: two sampling rates": Case(
        _winwcp(("mV", "pA")), patch=_signals(_signal("Vm", "mV"), _signal("Im", "pA", 2 * RATE_HZ))
    ),
    # tables
    "table: no units": Case(_columns("time (s)", "a", "b", "c", "d")),
    "table: no units of one sweep": Case(_columns("time (s)", "a", "b"), offered=1),
    "table: no time": Case(_without_time),
    "table: currents and sweeps do not match": Case(_columns("time (s)", "a (mV)", "b (pA)", "c (pA)")),
    "table: currents only": Case(_columns("time (s)", "a (pA)", "b (pA)"), offered=1),
    "table: time without a unit": Case(_columns("time", "a (mV)", "b (pA)")),
    "table: time stands still": Case(_columns("time (s)", "a (mV)", "b (pA)", time=lambda t: np.round(t, 2))),
    "table: time is no number": Case(_columns("time (s)", "a (mV)", "b (pA)", time=lambda t: t * np.nan)),
    "table: too large": Case(
        _columns("time (s)", "a (mV)", "b (pA)"), patch=lambda patch: patch.setattr(sweep_table, "LARGEST", 1000)
    ),
    "table: too many rows": Case(_parquet, limits=ReadLimits(bytes=1000)),
    "table: no table": Case(_bytes(b"time (s)\n")),
    # anything
    "heka: a tree without samples": Case(_bytes(b"Tree" + bytes(100))),
    "a format that is read elsewhere": Case(_bytes(b"IGOR\r" + bytes(100))),
    "series of no bundle": Case(_columns("time (s)", "a (mV)", "b (pA)"), mapping=ChannelMapping(series="IV")),
    "empty": Case(_bytes(b"")),
    "unknown": Case(_bytes(b"hello world")),
    "packed": Case(_bytes(b"\x1f\x8b" + bytes(100))),
    "heka": Case(_bytes(b"DAT2" + bytes(100))),
    "damaged": Case(_bytes(b"ABF2xx")),
    "no memory": Case(_abf([("Vm", "mV", potentials())], ("Cmd 0", "pA")), patch=_no_memory),
}
