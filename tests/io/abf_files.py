"""A writer of ABF 1 files with named channels and a command, after Axon's published header."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neuroclass.ephys.sweep import Recording
from neuroclass.types.arrays import Floats
from tests.ephys import planted

STEPS_PA = (-90.0, -50.0, -10.0, 30.0, 70.0, 110.0, 150.0)
_BLOCK, _HEADER = 512, 6144

Channel = tuple[str, str, Sequence[Floats]]


def steps(rate_hz: float = 25_000.0) -> Recording:
    """Long squares that an epoch table can command, 40 pA apart."""
    cell = planted.Cell(rate_hz=rate_hz)
    return Recording("steps", "steps", tuple(planted.long_square(cell, k, a) for k, a in enumerate(STEPS_PA)))


def write_abf1(
    path: Path,
    channels: Sequence[Channel],
    rate_hz: float,
    commands: Sequence[tuple[str, str]] = (),
    *,
    driven: int = 0,
    scale: float = 1.0,
    from_file: bool = False,
) -> Path:
    """Write sweeps of one length, as 16-bit integers that use the whole range.

    Parameters
    ----------
    path : Path
        Where to.
    channels : sequence of (str, str, sequence of ndarray)
        Name, unit and sweeps of each input.
    rate_hz : float
        Sampling rate of each.
    commands : sequence of (str, str)
        Name and unit of the first outputs.
    driven : int
        The output that commands `STEPS_PA` as in `steps`; -1 for none.
    scale : float
        Factor of its levels.
    from_file : bool
        Whether its waveform lies in another file.
    """
    n_sweeps, n = len(channels[0][2]), channels[0][2][0].size
    per_unit = [30_000.0 / max(float(np.abs(np.stack(sweeps)).max(initial=0.0)), 1e-9) for _, _, sweeps in channels]
    data = np.stack(
        [np.round(np.stack(sweeps) * k) for k, (_, _, sweeps) in zip(per_unit, channels, strict=True)], axis=-1
    ).astype("<i2")
    head = bytearray(_HEADER)
    _header(head, channels, n_sweeps, n, rate_hz)
    for k, counts in enumerate(per_unit):
        struct.pack_into("<f", head, 922 + 4 * k, counts * 10.0 / 32768)
    for k in range(4):
        name, unit = commands[k] if k < len(commands) else ("", "")
        struct.pack_into("10s", head, 1306 + 10 * k, name.encode().ljust(10))
        struct.pack_into("8s", head, 1346 + 8 * k, unit.encode().ljust(8))
    if driven >= 0:
        struct.pack_into("h", head, 2296 + 2 * driven, 1)
        struct.pack_into("h", head, 2300 + 2 * driven, 2 if from_file else 1)
        start, length = round(planted.START_S * rate_hz), round(rate_hz)
        for k, (level, rise, duration) in enumerate(
            ((0.0, 0.0, start - n // 64), (STEPS_PA[0] * scale, 40.0 * scale, length))
        ):
            place = 10 * driven + k
            struct.pack_into("h", head, 2308 + 2 * place, 1)
            struct.pack_into("f", head, 2348 + 4 * place, level)
            struct.pack_into("f", head, 2428 + 4 * place, rise)
            struct.pack_into("i", head, 2508 + 4 * place, duration)
    path.write_bytes(bytes(head) + data.tobytes())
    return path


def _header(head: bytearray, channels: Sequence[Channel], n_sweeps: int, n: int, rate_hz: float) -> None:
    count = len(channels)
    struct.pack_into("<4sfh", head, 0, b"ABF ", 1.83, 5)
    struct.pack_into("<i", head, 10, n_sweeps * n * count)
    struct.pack_into("<i", head, 16, n_sweeps)
    struct.pack_into("<f", head, 32, 1.83)
    struct.pack_into("<i", head, 40, _HEADER // _BLOCK)
    struct.pack_into("<h", head, 100, 0)
    struct.pack_into("<hf", head, 120, count, 1e6 / rate_hz / count)
    struct.pack_into("<i", head, 138, n * count)
    struct.pack_into("<ffii", head, 244, 10.0, 10.0, 32768, 32768)
    for k in range(16):
        struct.pack_into("<h", head, 378 + 2 * k, k)
        struct.pack_into("<h", head, 410 + 2 * k, k if k < count else -1)
        for offset in (730, 922, 1050):
            struct.pack_into("<f", head, offset + 4 * k, 1.0)
    for k, (name, unit, _) in enumerate(channels):
        struct.pack_into("10s", head, 442 + 10 * k, name.encode().ljust(10))
        struct.pack_into("8s", head, 602 + 8 * k, unit.encode().ljust(8))
