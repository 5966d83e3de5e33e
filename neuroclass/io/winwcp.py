"""WinWCP: a text header, then records of an analysis block and interleaved samples.

References
----------
.. [1] J. Dempster, WinWCP manual, "WCP data file format" (University of Strathclyde).
"""

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import RecordingError
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.nwb_series import Budget
from neuroclass.io.signals import NO_CURRENT, Signal, sweeps_of
from neuroclass.types.arrays import Floats

_SECTOR = 512
_MOST_CHANNELS = 128
_MOST_RECORDS = 100_000


def is_winwcp(head: bytes) -> bool:
    """Whether a file starting with these bytes is WinWCP's."""
    return head.startswith(b"VER=") and b"\nNC=" in head and b"\nNR=" in head  # WinEDR's has no records


def read_winwcp(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read a WinWCP file: each record is a sweep; units distinguish the potential from the current.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Display name.
    mapping : ChannelMapping
        Channels and units that override the file's.
    limits : ReadLimits
        Limits on what may be read.

    Returns
    -------
    tuple of Recording
        One cell. Records that the experimenter rejected in WinWCP are left out.

    Raises
    ------
    ClampModeError
        The file records currents only.
    UnitsError
        The file records neither, or several potentials.
    RecordingError
        The file is damaged or holds no record.
    """
    size = path.stat().st_size
    sweeps: list[Sweep] = []
    rejected = []
    with path.open("rb") as file:
        header = _Header(file.read(64 * _SECTOR), name)
        Budget(limits).take(header.n_records * header.n_times * (header.n_channels + 2), name)
        for k in range(header.n_records):
            start = header.size + k * header.step
            if start + header.analysis + 2 * header.n_channels * header.n_times > size:
                break
            file.seek(start)
            status, signals = _record(file, header)
            if status.upper().startswith("REJ"):
                rejected.append(str(k + 1))
            else:
                sweeps += sweeps_of(signals, name, mapping, first=k)
    if not sweeps:
        raise RecordingError(f"{name} holds no whole record that was accepted; expected at least one.")
    warnings = [f"Records that were rejected in WinWCP are left out: {', '.join(rejected)}."] if rejected else []
    if not any(s.current_known for s in sweeps):
        warnings.append(NO_CURRENT)
    return (Recording(name, Path(name).stem, tuple(sweeps), tuple(warnings), format="WinWCP"),)


class _Header:
    """What the text header says."""

    def __init__(self, text: bytes, name: str) -> None:
        self._fields: dict[str, str] = {}
        self._name = name
        for line in text.split(b"\0")[0].decode("latin-1").splitlines():
            key, found, value = line.partition("=")
            if found:
                self._fields.setdefault(key.strip().upper(), value.strip())
        self.n_channels = self._whole("NC", 1, _MOST_CHANNELS)
        self.n_records = self._whole("NR", 0, _MOST_RECORDS)
        self.analysis = _SECTOR * self._whole("NBA", 1, 1000)
        data = _SECTOR * self._whole("NBD", 1, 10_000_000)
        self.step = self.analysis + data
        most = data // (2 * self.n_channels)
        self.n_times = min(most, self._whole("NP", 1, 10**9)) if "NP" in self._fields else most
        self.size = 1024 * (1 + (self.n_channels - 1) // 8)
        self.top = self._number("ADCMAX")
        self.interval_s = self._number("DT")
        self.channels = [self._channel(k) for k in range(self.n_channels)]

    def _channel(self, k: int) -> tuple[str, str, float, int]:
        """Name, unit, gain in V per unit and place among the interleaved samples."""
        place = self._whole(f"YO{k}", 0, self.n_channels - 1) if f"YO{k}" in self._fields else k
        unit = self._fields.get(f"YU{k}", "")
        return self._fields.get(f"YN{k}", f"Ch.{k}"), unit, self._number(f"YG{k}"), place

    def _whole(self, key: str, low: int, high: int) -> int:
        value = self._number(key)
        if not (low <= value <= high and value == int(value)):
            raise RecordingError(f"{self._name} is damaged: its header says {key}={value:g}.")
        return int(value)

    def _number(self, key: str) -> float:
        text = self._fields.get(key, "")
        try:
            return float(text.replace(",", "."))
        except ValueError:
            raise RecordingError(
                f"{self._name} is damaged: its header says {key}={text!r}; expected a number."
            ) from None


def _record(file: BinaryIO, header: _Header) -> tuple[str, list[Signal]]:
    """Status and signals of the record at the file's place; each record has its own range of the converter."""
    analysis = file.read(header.analysis)
    status = analysis[:8].decode("latin-1").strip("\0 ")
    (interval,) = struct.unpack_from("<f", analysis, 20)
    if not (np.isfinite(interval) and abs(interval / header.interval_s - 1) > 1e-3 and interval > 0):
        interval = header.interval_s
    ranges = np.frombuffer(analysis, "<f4", header.n_channels, 24).astype(np.float64)
    raw = np.frombuffer(file.read(2 * header.n_channels * header.n_times), "<i2")
    table = raw.reshape(header.n_times, header.n_channels)
    rate = 1.0 / interval
    rate = float(round(rate)) if abs(rate - round(rate)) < 1e-5 * rate else rate
    signals = []
    for k, (channel, unit, gain, place) in enumerate(header.channels):
        values: Floats = table[:, place].astype(np.float64) * (ranges[k] / (header.top * gain))
        signals.append(Signal(channel, unit, rate, values))
    return status, signals
