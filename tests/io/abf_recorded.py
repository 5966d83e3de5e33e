"""A writer of ABF 1 files with a potential and a recorded current."""

from pathlib import Path

import numpy as np
from pyabf.abfWriter import writeABF1

from neuroclass.ephys.sweep import Recording

NAMES, UNITS = (b"Vm        ", b"Im        "), (b"mV      ", b"pA      ")


def write_abf(path: Path, recording: Recording) -> Path:
    """ABF 1 in episodic mode, sweeps of equal length, channels interleaved; the current's step is 0.1 pA."""
    n = recording.sweeps[0].n_times
    rate = recording.sweeps[0].rate_hz
    scale = np.array([0.01, max(0.1, max(float(np.abs(s.i_pa).max()) for s in recording.sweeps) / 32_000)])
    pairs = [np.column_stack([s.v_mv, s.i_pa]) / scale for s in recording.sweeps]
    writeABF1(np.zeros((len(pairs), 2)), str(path), rate, units="mV")
    data = bytearray(path.read_bytes()[:2048])
    count = 2 * n * len(pairs)
    for offset, kind, value in ((10, "<i4", count), (120, "<i2", 2), (122, "<f4", 5e5 / rate), (138, "<i4", 2 * n)):
        field = np.array(value, dtype=kind).tobytes()
        data[offset : offset + len(field)] = field
    data[378:410] = np.arange(16, dtype="<i2").tobytes()
    data[410:442] = np.array([0, 1, *[-1] * 14], dtype="<i2").tobytes()
    for k in range(2):
        data[442 + 10 * k : 452 + 10 * k] = NAMES[k]
        data[602 + 8 * k : 610 + 8 * k] = UNITS[k]
        gain = np.array(10.0 / 2**15 / scale[k], dtype="<f4").tobytes()
        data[922 + 4 * k : 926 + 4 * k] = gain
    path.write_bytes(bytes(data) + np.round(np.concatenate(pairs)).astype("<i2").tobytes())
    return path
