"""Recordings in other programs' formats, by a writer of the format where there is one, else by its description.

- Igor: igorwriter; a packed experiment is such waves behind record headers (WaveMetrics, PTN003).
- MATLAB: scipy's ``savemat``; version 7.3 is HDF5 behind MATLAB's 512-byte header, with sides in reverse order.
- AxoGraph X: big-endian columns as in AxoGraph_ReadWrite.h; what axographio writes, byte for byte.
- WinWCP: text header and records (WinWCP manual). ATF: Axon Text File 1.0. Spike2: CED's SON file structure.
"""

import io
import struct
from pathlib import Path

import h5py
import numpy as np

from neuroclass.ephys.sweep import Recording

WAVE, FOLDER, FOLDER_END = 3, 9, 10
SUPERSEDED = 0x8000


def igor_wave(name: str, values: np.ndarray, unit: str, interval: float, time_unit: str = "s") -> bytes:
    """A binary wave; columns are sweeps."""
    from igorwriter import IgorWave

    wave = IgorWave(values, name=name)
    wave.set_dimscale("x", 0, interval, time_unit)
    wave.set_datascale(unit)
    out = io.BytesIO()
    wave.save(out)
    return out.getvalue()


def igor_wave_2(name: str, values: np.ndarray, unit: str, interval: float, order: str = ">") -> bytes:
    """A binary wave of version 2, as Igor 1 to 6 wrote them on a Macintosh."""
    raw = bytearray(126)
    fields = {0: ("h", 2), 2: ("i", 126 + 4 * values.size), 16: ("h", 2), 22: ("18s", name.encode())}
    fields |= {50: ("4s", unit.encode()), 54: ("4s", b"s"), 58: ("i", values.size), 64: ("d", interval)}
    for offset, (code, value) in fields.items():
        struct.pack_into(order + code, raw, offset, value)
    checksum = -sum(struct.unpack(f"{order}63h", raw)) & 0xFFFF
    struct.pack_into(f"{order}H", raw, 14, checksum)
    return bytes(raw) + values.astype(f"{order}f4").tobytes() + bytes(16)


def packed(records: list[tuple[int, bytes]], order: str = "<") -> bytes:
    """A packed experiment: each record behind its type, version and length."""
    return b"".join(struct.pack(f"{order}Hhi", kind, 0, len(data)) + data for kind, data in records)


def write_pxp(path: Path, recording: Recording) -> Path:
    """Potentials ``Vm_0`` … in mV and currents ``Im_0`` … in pA, in a data folder, after records of other kinds."""
    records = [(2, b"history"), (4, b"recreation"), (FOLDER, b"cell 7".ljust(32, b"\0"))]
    for sweep in recording.sweeps:
        step = 1 / sweep.rate_hz
        stale = igor_wave(f"Vm_{sweep.number}", np.zeros(50), "mV", step)
        records.append((WAVE | SUPERSEDED, stale))
        records.append((WAVE, igor_wave(f"Im_{sweep.number}", sweep.i_pa, "pA", step)))
        records.append((WAVE, igor_wave(f"Vm_{sweep.number}", sweep.v_mv.astype(np.float32), "mV", step)))
    path.write_bytes(packed([*records, (FOLDER_END, b""), (5, b"procedures")]))
    return path


def axograph(columns: list[tuple[str, np.ndarray]], interval: float, version: int = 6) -> bytes:
    """AxoGraph X: a column of times as start and step, then columns of doubles."""

    def column(title: str, kind: int, n: int, data: bytes) -> bytes:
        text = title.encode("utf-16-be")
        return struct.pack(">iii", n, kind, len(text)) + text + data

    n = columns[0][1].size
    out = b"axgx" + struct.pack(">ii", version, len(columns) + 1)
    out += column("Time (s)", 9, n, struct.pack(">dd", 0.0, interval))
    return out + b"".join(column(title, 7, v.size, v.astype(">f8").tobytes()) for title, v in columns)


def write_axograph(path: Path, recording: Recording) -> Path:
    """Columns of V and A, a pair a sweep; sweeps must be equally long."""
    columns = []
    for sweep in recording.sweeps:
        columns += [("Vm (V)", sweep.v_mv * 1e-3), ("Im (A)", sweep.i_pa * 1e-12)]
    path.write_bytes(axograph(columns, 1 / recording.sweeps[0].rate_hz))
    return path


def write_mat(path: Path, version: str, variables: dict[str, object]) -> Path:
    """A MATLAB file of version 5, "5 compressed" or 7.3."""
    if version == "7.3":
        return write_mat73(path, variables)
    from scipy.io import savemat

    savemat(path, variables, do_compression="compressed" in version)
    return path


def write_mat73(path: Path, variables: dict[str, object]) -> Path:
    """MATLAB's version 7.3: texts as 16-bit characters, matrices with their sides reversed, structures as groups."""
    with h5py.File(path, "w", userblock_size=512) as file:
        _mat73(file, variables)
    raw = bytearray(path.read_bytes())
    raw[:128] = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created by: test".ljust(124, b" ") + b"\x00\x02IM"
    path.write_bytes(raw)
    return path


def _mat73(group: h5py.Group, variables: dict[str, object]) -> None:
    for name, value in variables.items():
        if isinstance(value, dict):
            below = group.create_group(name)
            below.attrs["MATLAB_class"] = np.bytes_("struct")
            _mat73(below, value)
            continue
        text = isinstance(value, str)
        array = np.array([[ord(c) for c in value]], np.uint16) if isinstance(value, str) else np.atleast_2d(value)
        dataset = group.create_dataset(name, data=array.T)
        dataset.attrs["MATLAB_class"] = np.bytes_("char" if text else "double")


def write_smr(path: Path, recording: Recording) -> Path:
    """A 32-bit Spike2 file (SON version 9): a channel of reals in mV, one of integers in pA; a pause parts sweeps."""
    tick_s, step = 1e-6, round(1e6 / recording.sweeps[0].rate_hz)
    header = struct.pack("<h10s8shhhihhhhhid", 9, b"(C) CED 87", b"test", 1, 1, 0, 0, 2, 32000, 0, 0, 0, 0, tick_s)
    out = bytearray(header.ljust(512, b"\0") + bytes(512))
    scale = 0.1 * 6553.6
    for k, (kind, title, unit, what) in enumerate(((9, b"Vm", b"mV", "v_mv"), (1, b"Im", b"pA", "i_pa"))):
        blocks, clock = [], 0
        for sweep in recording.sweeps:
            values = getattr(sweep, what)
            data = values.astype("<f4") if kind == 9 else np.round(values / 0.1).astype("<i2")
            for start in range(0, data.size, 7000):
                part = data[start : start + 7000]
                begin = clock + start * step
                blocks.append((begin, begin + (part.size - 1) * step, part.size, part.tobytes()))
            clock += (data.size + 50_000) * step
        first = len(out)
        for number, (begin, end, n, raw) in enumerate(blocks):
            following = -1 if number == len(blocks) - 1 else (len(out) + -(-(20 + len(raw)) // 512) * 512) // 512
            block = struct.pack("<iiiihh", -1, following, begin, end, k + 1, n) + raw
            out += block.ljust(-(-len(block) // 512) * 512, b"\0")
        channel = struct.pack("<hiiihhhhhh72siih", 0, 0, first // 512, 0, len(blocks), 0, 0, 0, 0, 0, b"", 0, step, 0)
        channel += struct.pack("<10sfBb", bytes([len(title)]) + title, 1e6 / step, kind, 0)
        channel += struct.pack("<ff6sh", scale if kind == 1 else -100, 0, bytes([len(unit)]) + unit, 0)
        out[512 + 140 * k : 512 + 140 * k + len(channel)] = channel
    path.write_bytes(out)
    return path


def write_atf(path: Path, recording: Recording, potential: str = "mV", current: str = "pA", digits: int = 6) -> Path:
    """An Axon Text File as Clampfit saves it; sweeps must be equally long."""
    titles, columns = ["Time (s)"], [recording.sweeps[0].t]
    for sweep in recording.sweeps:
        titles += [f"Trace #{sweep.number + 1} ({potential})", f"Trace #{sweep.number + 1} ({current})"]
        columns += [sweep.v_mv, sweep.i_pa]
    header = ['"AcquisitionMode=Episodic Stimulation"', '"Comment=Zelle für µA"', '"YTop=100,1000"']
    lines = ["ATF\t1.0", f"{len(header)}\t{len(columns)}", *header, "\t".join(f'"{t}"' for t in titles)]
    rows = np.column_stack(columns)
    lines += ["\t".join([f"{row[0]:.{digits}f}", *(f"{x:.4f}" for x in row[1:])]) for row in rows]
    path.write_bytes("\r\n".join(lines).encode("latin-1"))
    return path
