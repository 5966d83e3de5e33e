"""A writer of WinWCP files."""

import struct
from pathlib import Path

import numpy as np

from neuroclass.ephys.sweep import Recording


def write_winwcp(
    path: Path, recording: Recording, units: tuple[str, str] = ("mV", "pA"), *, second_cell: bool = False
) -> Path:
    """WinWCP's layout: a text header, then records of an analysis block and interleaved int16 samples."""
    n = recording.sweeps[0].n_times
    blocks = -(-2 * 2 * n // 512)
    gains = [0.01, 0.05]  # mV and pA a step, as 32767 steps in VMax / YG
    header = {"VER": 9, "NC": 2, "NR": len(recording.sweeps), "NBH": 2, "NBA": 2, "NBD": blocks, "AD": 5.0}
    header |= {"ADCMAX": 32767, "NP": n, "NZ": 0, "DT": 1 / recording.sweeps[0].rate_hz}
    for k, (label, unit) in enumerate(zip(("Vm", "Im"), units, strict=True)):
        header |= {f"YN{k}": label, f"YU{k}": unit, f"YG{k}": 5.0 / 32767 / gains[k], f"YO{k}": k}
    text = "\r\n".join(f"{key}={value}" for key, value in header.items()) + "\r\n"
    out = bytearray(text.encode().ljust(1024, b"\0"))
    for sweep in recording.sweeps:
        analysis = struct.pack("<8s4s3f8f", b"ACCEPTED", b"TEST", 1.0, 0.0, 1 / sweep.rate_hz, *[5.0] * 8)
        out += analysis.ljust(1024, b"\0")
        second = (sweep.v_mv - 5.0 if second_cell else sweep.i_pa) / gains[1]
        pair = np.column_stack([sweep.v_mv / gains[0], second])
        out += np.round(pair).astype("<i2").tobytes().ljust(512 * blocks, b"\0")
    path.write_bytes(out)
    return path
