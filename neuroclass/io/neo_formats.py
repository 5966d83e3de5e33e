"""Formats that neo reads: Spike2, AxoGraph and Elphy."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import RecordingError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.signals import NO_CURRENT, Signal, sweeps_of

HEAD = 4096
"""So many of a file's first bytes say its format."""


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
    NeoFormat("Spike2", "Spike2IO", ".smr", lambda head: head[2:6] == b"(C) "),
    NeoFormat("AxoGraph", "AxographIO", ".axgx", lambda head: head[:4] in (b"AxGr", b"axgx", b"axgd")),
    NeoFormat("Elphy", "ElphyIO", ".dat", lambda head: head[1:9] == b"DAC2/GS/" or head[:8] == b"DAC2/GS/"),
)


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
    sweeps: list[Sweep] = []
    for signals in segments:
        if signals:
            sweeps += sweeps_of(signals, name, mapping, first=len(sweeps))
    if not sweeps:
        raise RecordingError(f"{name} holds no sweep; expected at least one.")
    warnings = () if any(s.current_known for s in sweeps) else (NO_CURRENT,)
    return (Recording(name, Path(name).stem, tuple(sweeps), warnings, format=kind.name),)


def _signals(segment: Any) -> list[Signal]:
    found = []
    for signal in segment.analogsignals:
        unit = str(signal.units.dimensionality)
        names = signal.array_annotations.get("channel_names", [])
        for k in range(signal.shape[1]):
            label = str(names[k]) if k < len(names) else f"{signal.name or 'channel'} {k}"
            values = np.asarray(signal.magnitude[:, k], dtype=np.float64)
            found.append(Signal(label.strip(), unit, float(signal.sampling_rate.rescale("Hz").magnitude), values))
    return found
