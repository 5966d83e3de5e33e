"""MATLAB files, version 5 to 7.2 and 7.3, of a layout that is declared here.

Variables, at the top or in one structure, their names in any case:

- ``voltage``: sweeps × samples, mV (or ``v``, ``vm``, ``potential``, ``response``);
- ``current``: the same size, or one row for all sweeps, pA (or ``i``, ``im``, ``stim``, ``stimulus``, ``command``);
- ``rate``: Hz (or ``fs``, ``sampling_rate``, ``sample_rate``), or ``dt``: s, or ``time``: s, a value a sample;
- optionally ``voltage_unit`` and ``current_unit``: texts such as ``V`` and ``nA``.

Samples lie along the longer side. PatchMaster's export, ``Trace_1_2_3_1`` with columns of time in s and of value in V
or A, is read as well: which of them it is follows from its size.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import RecordingError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.hdf5_safety import open_hdf5, own_items
from neuroclass.io.nwb_series import Budget
from neuroclass.io.signals import NO_CURRENT, Signal, natural, numbered, rate_of_times, same_name, sweeps_of
from neuroclass.types.arrays import Floats

_VOLTAGE = frozenset(("voltage", "v", "vm", "vmem", "potential", "membrane_potential", "response", "v_mv"))
_CURRENT = frozenset(("current", "i", "im", "iinj", "i_inj", "stim", "stimulus", "command", "cmd", "i_pa"))
_RATE = frozenset(("rate", "rate_hz", "fs", "sampling_rate", "samplerate", "sample_rate", "srate", "sr"))
_STEP = frozenset(("dt", "si", "sampling_interval", "sample_interval"))
_TIME = frozenset(("time", "t", "time_s"))
_TRACE = re.compile(r"Trace_\d+_\d+_\d+_\d+")
_FEWEST = 20
_RATES_HZ = (500.0, 2e6)
_LARGEST_A, _LEAST_V = 1e-6, 1e-3
_EXPECTED = (
    "Expected variables voltage (sweeps × samples, mV), current (the same, pA) and rate (Hz) or dt (s) or time (s)"
)
_LISTED = 20
_DEPTH = 3


@dataclass(frozen=True)
class _Variable:
    """A numeric array or a text, under its name within its structures."""

    path: str
    value: Any

    @property
    def word(self) -> str:
        return self.path.rsplit(".", 1)[-1].lower()

    @property
    def is_text(self) -> bool:
        return isinstance(self.value, str)

    def __str__(self) -> str:
        return self.path if self.is_text else f"{self.path} ({'×'.join(map(str, self.value.shape))})"


def is_matlab(head: bytes) -> bool:
    """Whether a file starting with these bytes is MATLAB's, version 5 or later."""
    return head.startswith(b"MATLAB ") and head[126:128] in (b"IM", b"MI")


def is_matlab_73(hdf5: h5py.File) -> bool:
    """Whether an HDF5 file was written by MATLAB."""
    return any("MATLAB_class" in item.attrs for _, item in own_items(hdf5))


def read_matlab(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read a MATLAB file of the layout in the module's description.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Display name.
    mapping : ChannelMapping
        Variables and units that override those expected.
    limits : ReadLimits
        Limits on what may be read.

    Returns
    -------
    tuple of Recording
        One cell.

    Raises
    ------
    UnitsError
        No variable, or more than one, has a name of a potential.
    RecordingError
        The file is damaged, or tells no sampling rate.
    UnsafeFileError
        The file links to other files.
    """
    with path.open("rb") as file:
        version_73 = file.read(128)[124:126] in (b"\0\2", b"\2\0")
    budget = Budget(limits)
    if version_73:
        with open_hdf5(path, name, limits) as hdf5:
            variables = list(_hdf5_variables(hdf5, "", budget))
    else:
        variables = _level_5_variables(path, budget)
    return _read(variables, name, mapping)


def read_matlab_73(hdf5: h5py.File, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read an HDF5 file that `is_matlab_73`; see `read_matlab`."""
    return _read(list(_hdf5_variables(hdf5, "", Budget(limits))), name, mapping)


def _level_5_variables(path: Path, budget: Budget) -> list[_Variable]:
    """Variables of versions 5 to 7.2; no more is read of a file than its limits allow."""
    from scipy.io import loadmat, whosmat

    wanted = []
    for variable, shape, kind in whosmat(str(path)):
        if kind in ("double", "single", "char", "struct") or kind.startswith(("int", "uint")):
            budget.take(int(np.prod(shape, dtype=np.float64)), variable)
            wanted.append(variable)
    loaded = loadmat(str(path), variable_names=wanted, chars_as_strings=True) if wanted else {}
    return [found for key in wanted if key in loaded for found in _flattened(loaded[key], key, _DEPTH)]


def _flattened(value: Any, path: str, depth: int) -> Iterator[_Variable]:
    """Numeric arrays and texts within a value that scipy read."""
    array = np.asarray(value)
    if array.dtype.names and array.size == 1 and depth:
        for field in array.dtype.names:
            yield from _flattened(array.reshape(-1)[0][field], f"{path}.{field}", depth - 1)
    elif array.dtype.kind in "iuf":
        yield _Variable(path, array)
    elif array.dtype.kind == "U" and array.size:
        yield _Variable(path, str(array.reshape(-1)[0]))


def _hdf5_variables(group: h5py.Group, prefix: str, budget: Budget, depth: int = _DEPTH) -> Iterator[_Variable]:
    """Numeric arrays and texts of version 7.3, whose sides are stored in reverse order."""
    for key, item in own_items(group):
        if key.startswith("#"):
            continue
        if isinstance(item, h5py.Group):
            if depth > 1:
                yield from _hdf5_variables(item, f"{prefix}{key}.", budget, depth - 1)
        elif item.dtype.kind in "iuf" and item.shape:
            budget.take(int(item.size), key)
            array = np.asarray(item[()]).T
            if item.attrs.get("MATLAB_class") == b"char":
                yield _Variable(prefix + key, "".join(map(chr, array.reshape(-1)[:200].astype(np.int64) & 0xFFFF)))
            else:
                yield _Variable(prefix + key, array)


def _read(variables: list[_Variable], name: str, mapping: ChannelMapping) -> tuple[Recording, ...]:
    traces = [v for v in variables if _TRACE.fullmatch(v.path) and not v.is_text]
    signals = _exported(traces, name) if traces else _declared(variables, name)
    sweeps = tuple(sweeps_of(signals, name, mapping, numbered if traces else same_name))
    warnings = () if any(s.current_known for s in sweeps) else (NO_CURRENT,)
    return (Recording(name, Path(name).stem, sweeps, warnings, format="MATLAB"),)


def _exported(traces: list[_Variable], name: str) -> list[Signal]:
    """Traces that PatchMaster exported: time in s beside a value in V or A."""
    found = []
    for trace in sorted(traces, key=lambda v: natural(v.path)):
        if trace.value.ndim != 2 or trace.value.shape[1] != 2 or trace.value.shape[0] < _FEWEST:
            raise RecordingError(f"{trace} of {name} has no columns of time and value; expected samples × 2.")
        time, values = np.array(trace.value, dtype=np.float64).T
        largest = float(np.nanmax(np.abs(values), initial=0.0))
        unit = "A" if largest < _LARGEST_A else "V" if largest > _LEAST_V else ""
        found.append(Signal(trace.path, unit, _rate_of_time(time, trace.path), np.ascontiguousarray(values)))
    return found


def _declared(variables: list[_Variable], name: str) -> list[Signal]:
    """Signals of the declared layout; variables of other names have no unit."""
    rate, length = _rate(variables, name)
    units = {v.word: v.value.strip() for v in variables if v.is_text and v.word.endswith("_unit")}
    found = []
    for variable in variables:
        if variable.is_text or variable.word in _RATE | _STEP | _TIME or variable.value.ndim != 2:
            continue
        rows = _rows(variable.value, length)
        if rows.shape[1] < _FEWEST:
            continue
        word = variable.word
        unit = "mV" if word in _VOLTAGE else "pA" if word in _CURRENT else ""
        unit = units.get(f"{word}_unit", unit)
        found += [Signal(variable.path, unit, rate, np.ascontiguousarray(row)) for row in rows]
    if not found:
        listed = ", ".join(map(str, variables[:_LISTED])) or "no numbers"
        raise RecordingError(f"{name} holds {listed}. {_EXPECTED}.")
    return found


def _rows(array: np.ndarray[Any, Any], length: int | None) -> Floats:
    """Sweeps × samples: samples lie along the side as long as the time, else along the longer."""
    along = 1 if array.shape[1] >= array.shape[0] else 0
    if length is not None and length in array.shape:
        along = 1 if array.shape[1] == length else 0
    return np.asarray(array if along else array.T, dtype=np.float64)


def _rate(variables: list[_Variable], name: str) -> tuple[float, int | None]:
    """Sampling rate, Hz, and number of times if it follows from them."""
    numbers = [v for v in variables if not v.is_text]
    for words, power in ((_RATE, 1.0), (_STEP, -1.0)):
        one = next((v for v in numbers if v.word in words and v.value.size == 1), None)
        if one is not None:
            value = float(one.value.reshape(-1)[0])
            return _checked(value**power if value > 0 else 0.0, one.path), None
    time = next((v for v in numbers if v.word in _TIME and v.value.size >= _FEWEST), None)
    if time is None:
        listed = ", ".join(map(str, variables[:_LISTED])) or "no numbers"
        raise RecordingError(f"{name} tells no sampling rate: it holds {listed}. {_EXPECTED}.")
    times = np.asarray(_rows(np.atleast_2d(time.value), None)[0], dtype=np.float64)
    return _rate_of_time(times, time.path), times.size


def _rate_of_time(time: Floats, where: str) -> float:
    return _checked(rate_of_times(time, f"The time in {where}"), where)


def _checked(rate: float, where: str) -> float:
    if not _RATES_HZ[0] <= rate <= _RATES_HZ[1]:
        raise RecordingError(
            f"By {where} the sampling rate is {rate:g} Hz; expected 500 Hz to 2 MHz. Give rate in Hz, dt and time in s."
        )
    return float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else rate
