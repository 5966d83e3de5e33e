"""Igor binary waves (.ibw) and packed experiments (.pxp).

A column of a wave is a sweep, and so is a wave of a series such as ``RecordA0``, ``RecordA1``. Waves are parsed by
igor2; the records of a packed experiment, of which it reads more than is needed here, are walked by their headers.

References
----------
.. [1] WaveMetrics, Technical Note PTN003, "Igor Binary Format".
"""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import RecordingError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.nwb_series import Budget
from neuroclass.io.signals import NO_CURRENT, Signal, natural, numbered, sweeps_of

_WAVE, _FOLDER, _FOLDER_END, _LONG_FOLDER = 3, 9, 10, 101
_TYPE, _SUPERSEDED = 0x7FFF, 0x8000
_KNOWN_TYPES = frozenset((*range(41), _LONG_FOLDER))
_VERSIONS = {1: (8, 110), 2: (16, 110), 3: (20, 110), 5: (64, 320)}
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6, "µs": 1e-6}
_SLOWEST_S, _SLOWEST_MS = 1e-3, 1.0


def is_igor_wave(head: bytes) -> bool:
    """Whether a file starting with these bytes is a binary wave: its headers' checksum is right."""
    order = _byte_order(head)
    if order is None:
        return False
    (version,) = struct.unpack_from(order + "h", head)
    n = sum(_VERSIONS[version]) // 2
    return len(head) >= 2 * n and sum(struct.unpack_from(f"{order}{n}h", head)) & 0xFFFF == 0


def _byte_order(head: bytes) -> str | None:
    orders = (o for o in "<>" if len(head) >= 2 and struct.unpack_from(o + "h", head)[0] in _VERSIONS)
    return next(orders, None)


def is_igor_experiment(path: Path) -> bool:
    """Whether a file is a chain of a packed experiment's records, the last of which may be cut."""
    return any(_is_chain(path, order) for order in "<>")


def _is_chain(path: Path, order: str) -> bool:
    size, place, count = path.stat().st_size, 0, 0
    with path.open("rb") as file:
        while place + 8 <= size and count < 50:
            file.seek(place)
            kind, _, length = struct.unpack(order + "Hhi", file.read(8))
            if kind & _TYPE not in _KNOWN_TYPES or length < 0 or (kind == 0 and length == 0):
                return False
            place, count = place + 8 + length, count + 1
    return count >= 2 and (place == size or count > 2)


def read_igor_wave(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read a binary wave; see `read_igor_experiment`. It cannot hold both potential and current."""
    if path.stat().st_size > limits.bytes:
        raise RecordingError(f"{name} is larger than the {limits.bytes // 1_000_000} MB that are read of a file.")
    return _recording(_wave(path.read_bytes(), "", name), name, mapping, limits)


def read_igor_experiment(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read the waves of a packed experiment.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Display name.
    mapping : ChannelMapping
        Waves, or series of waves, and units that override the file's.
    limits : ReadLimits
        Limits on what may be read.

    Returns
    -------
    tuple of Recording
        One cell.

    Raises
    ------
    ClampModeError
        The waves are currents only.
    UnitsError
        No wave has a unit of potential, or several series of waves have.
    RecordingError
        The file is damaged, holds no wave over time, or its waves do not fit each other.
    """
    signals: list[Signal] = []
    order = "<" if _is_chain(path, "<") else ">"
    budget = Budget(limits)
    folders: list[str] = []
    with path.open("rb") as file:
        for _ in range(limits.objects):
            if len(header := file.read(8)) < 8:
                break
            kind, _, length = struct.unpack(order + "Hhi", header)
            if length < 0 or kind & _TYPE not in _KNOWN_TYPES:
                raise RecordingError(f"{name} is damaged: it has a record of type {kind} and {length:,} bytes.")
            if kind in (_FOLDER, _LONG_FOLDER):
                folders.append(file.read(length).split(b"\0")[0].decode("latin-1"))
            elif kind == _FOLDER_END:
                folders[-1:] = []
                file.seek(length, 1)
            elif kind == _WAVE:
                budget.take(length // 2, name)
                signals += _wave(file.read(length), ":".join(folders), name)
            else:
                file.seek(length, 1)
    return _recording(signals, name, mapping, limits)


def _wave(raw: bytes, folder: str, name: str) -> list[Signal]:
    """A wave's columns; none if it is no wave over time."""
    import igor2.binarywave

    order = _byte_order(raw)
    if order is None:
        raise RecordingError(f"{name} is damaged: a wave has no version that is known; expected 1, 2, 3 or 5.")
    start, length = _VERSIONS[struct.unpack_from(order + "h", raw)[0]]
    if len(raw) < start + length:
        raise RecordingError(f"{name} is damaged: a wave ends within its header.")
    wave = igor2.binarywave.load(io.BytesIO(raw))["wave"]
    header, values = wave["wave_header"], np.asarray(wave["wData"])
    if values.dtype.kind not in "iuf" or values.ndim not in (1, 2) or values.shape[0] < 2:
        return []
    unit, interval = _text(header["dataUnits"]), _interval(header)
    if interval is None:
        return []
    title = header["bname"].split(b"\0")[0].decode("latin-1")
    title = f"{folder}:{title}" if folder else title
    columns = values.reshape(values.shape[0], -1).T
    return [Signal(title, unit, _rate(interval), np.array(column, dtype=np.float64)) for column in columns]


def _interval(header: dict[str, Any]) -> float | None:
    """Sampling interval, s; None of a wave whose x values are not scaled as times.

    Igor's default unit is none. Without one, steps up to 1 ms are taken for s, longer ones up to 1 for ms.
    """
    if "dimUnits" in header:
        unit, step = _text(header["dimUnits"][0]), float(header["sfA"][0])
    else:
        unit, step = _text(header["xUnits"]), float(header["hsA"])
    factor = _SECONDS.get(unit.lower()) if unit else 1.0 if 0 < step <= _SLOWEST_S else 1e-3
    if factor is None or not 0 < step * factor <= _SLOWEST_S or (not unit and step >= _SLOWEST_MS):
        return None
    return step * factor


def _text(letters: Any) -> str:
    joined = letters if isinstance(letters, bytes) else b"".join(np.asarray(letters).ravel().tolist())
    return joined.split(b"\0")[0].decode("latin-1").strip()


def _rate(interval: float) -> float:
    rate = 1.0 / interval
    return float(round(rate)) if abs(rate - round(rate)) < 1e-6 * rate else rate


def _recording(signals: list[Signal], name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    if not signals:
        raise RecordingError(
            f"{name} holds no wave over time; expected waves of at least 2 points whose x values are scaled in s or ms "
            "(in Igor, SetScale)."
        )
    Budget(limits).take(2 * sum(s.values.size for s in signals), name)
    ordered = sorted(signals, key=lambda signal: natural(signal.name))
    sweeps = tuple(sweeps_of(ordered, name, mapping, numbered))
    warnings = () if any(s.current_known for s in sweeps) else (NO_CURRENT,)
    return (Recording(name, Path(name).stem, sweeps, warnings, format="Igor"),)
