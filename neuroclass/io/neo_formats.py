"""Formats that neo reads: WinWCP, Spike2, Igor, AxoGraph and Elphy."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import ClampModeError, RecordingError, UnitsError
from neuroclass.io.channels import ChannelMapping, pick_channel, to_mv, to_pa, unit_kind
from neuroclass.types.arrays import Floats

HEAD = 4096
"""So many of a file's first bytes say its format."""
_RATE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class NeoFormat:
    """One of neo's formats.

    Attributes
    ----------
    name : str
        Display name.
    reader : str
        Name of neo's reader class.
    suffix : str
        File extension that neo requires.
    matches : callable
        Whether a file starting with these bytes has this format.
    """

    name: str
    reader: str
    suffix: str
    matches: Callable[[bytes], bool]


FORMATS = (
    NeoFormat(
        "WinWCP", "WinWcpIO", ".wcp", lambda head: head.startswith(b"VER=") and b"\nNC=" in head.replace(b"\r", b"")
    ),
    NeoFormat("Spike2", "Spike2IO", ".smr", lambda head: head[2:6] == b"(C) "),
    NeoFormat("AxoGraph", "AxographIO", ".axgx", lambda head: head[:4] in (b"AxGr", b"axgx", b"axgd")),
    NeoFormat("Elphy", "ElphyIO", ".dat", lambda head: head[1:9] == b"DAC2/GS/" or head[:8] == b"DAC2/GS/"),
    NeoFormat("Igor", "IgorIO", ".ibw", lambda head: head[:2] in (b"\x05\x00", b"\x00\x05", b"\x02\x00", b"\x00\x02")),
)


@dataclass(frozen=True, eq=False)
class _Signal:
    name: str
    unit: str
    rate_hz: float
    values: Floats


def neo_format(head: bytes) -> NeoFormat | None:
    """Format of a file starting with these bytes; None if neo does not read it."""
    return next((f for f in FORMATS if f.matches(head)), None)


@contextmanager
def suffixed(path: Path) -> Iterator[Path]:
    """A link to a file under the suffix that neo expects of its format, for a parser that may not make one itself."""
    head = b""
    with suppress(OSError), path.open("rb") as file:
        head = file.read(HEAD)
    kind = neo_format(head)
    if kind is None or path.suffix == kind.suffix:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
        link = Path(folder) / f"recording{kind.suffix}"
        link.symlink_to(path.resolve())
        yield link


def read_with_neo(path: Path, name: str, kind: NeoFormat, mapping: ChannelMapping) -> tuple[Recording, ...]:
    """Read a file with neo: each segment is a sweep; units distinguish potentials from currents.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Display name of the file.
    kind : NeoFormat
        The file's format.
    mapping : ChannelMapping
        Channels and units that override the file's.

    Returns
    -------
    tuple of Recording
        One cell.

    Raises
    ------
    ClampModeError
        The file records currents only.
    UnitsError
        The file records neither, or several potentials.
    RecordingError
        The file holds no sweep.
    """
    import neo.io

    with suffixed(path) as named:
        reader = getattr(neo.io, kind.reader)(filename=str(named))
        segments = [_signals(segment) for block in reader.read(lazy=False) for segment in block.segments]
    segments = [signals for signals in segments if signals]
    if not segments:
        raise RecordingError(f"{name} holds no sweep; expected at least one.")
    sweeps = tuple(_sweep(number, signals, name, mapping) for number, signals in enumerate(segments))
    return (Recording(name, Path(name).stem, sweeps, format=kind.name),)


def _signals(segment: Any) -> list[_Signal]:
    found = []
    for signal in segment.analogsignals:
        unit = str(signal.units.dimensionality)
        names = signal.array_annotations.get("channel_names", [])
        for k in range(signal.shape[1]):
            label = str(names[k]) if k < len(names) else f"{signal.name or 'channel'} {k}"
            values = np.asarray(signal.magnitude[:, k], dtype=np.float64)
            found.append(_Signal(label.strip(), unit, float(signal.sampling_rate.rescale("Hz").magnitude), values))
    return found


def _sweep(number: int, signals: list[_Signal], name: str, mapping: ChannelMapping) -> Sweep:
    names = [s.name for s in signals]
    if mapping.response is not None:
        response = signals[pick_channel(names, mapping.response, "response")]
    else:
        response = _only_potential(signals, name)
    if mapping.stimulus is not None:
        stimulus: _Signal | None = signals[pick_channel(names, mapping.stimulus, "stimulus")]
    else:
        stimulus = next((s for s in signals if unit_kind(s.unit) == "A" and s is not response), None)
    v = to_mv(response.values, mapping.response_unit or response.unit)
    i = np.full(v.size, np.nan)
    if stimulus is not None:
        if stimulus.values.size != v.size or abs(stimulus.rate_hz / response.rate_hz - 1) > _RATE_TOLERANCE:
            raise RecordingError(f"Response and stimulus of {name} are sampled differently; expected the same samples.")
        i = to_pa(stimulus.values, mapping.stimulus_unit or stimulus.unit)
    return Sweep(number, v, i, response.rate_hz, recorded_current=stimulus is not None)


def _only_potential(signals: list[_Signal], name: str) -> _Signal:
    volts = [s for s in signals if unit_kind(s.unit) == "V"]
    if len(volts) == 1:
        return volts[0]
    listed = ", ".join(f"{s.name} in {s.unit}" for s in signals)
    if not volts and all(unit_kind(s.unit) == "A" for s in signals):
        raise ClampModeError(f"{name} is voltage clamp: it records {listed}. Expected current clamp.")
    raise UnitsError(
        f"{name} records {listed}; expected one potential. Say which it is with --response CH --response-unit mV."
    )
