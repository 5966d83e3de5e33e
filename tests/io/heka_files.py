"""A writer of PatchMaster bundles, by HEKA's published descriptions of its records (FileFormat_v9, v1000, v2000)."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep

FORMS = ("i2", "i4", "f4", "f8")
LITTLE, LEAK, VIRTUAL, IMON, VMON = (1 << k for k in range(5))


@dataclass(frozen=True)
class Layout:
    """How a file is laid out; by default as PatchMaster 2x90.2 writes it on Windows."""

    order: str = "<"
    version: str = "v2x90.2, 22-Nov-2016"
    wide: bool = False
    bundled: bool = True
    sizes: tuple[int, ...] = (640, 144, 1408, 288, 512)
    interleave: int = 0


@dataclass
class Trace:
    """A trace: `values` are in the unit."""

    name: str
    unit: str
    values: np.ndarray
    scale: float = 1e-5
    form: int = 0
    kind: int = VMON
    mode: int = 4
    electrode: int = 0
    adc: int = 0
    zero: float = 0.0


@dataclass
class Segment:
    """A segment of a stimulus; levels in V, or nA in current clamp."""

    duration: float
    level: float = 0.0
    step: float = 0.0
    increment: int = 0
    kind: int = 0
    store: int = 1
    source: int = 0
    factor: float = 1.0
    duration_step: float = 0.0


@dataclass
class Series:
    """A series with its stimulus."""

    label: str
    sweeps: list[list[Trace]]
    segments: list[Segment] = field(default_factory=list)
    interval: float = 2e-5
    unit: str = "A"
    mode: int = 2
    holding: float = 0.0
    flags: int = 1
    n_sweeps: int | None = None
    linked: bool = False


def potential(sweep: Sweep, **how: object) -> Trace:
    """A sweep's potential as the voltage monitor's trace, V."""
    return Trace("Vmon-1", "V", sweep.v_mv * 1e-3, **how)  # type: ignore[arg-type]


def current(sweep: Sweep, **how: object) -> Trace:
    """A sweep's current as the current monitor's trace, A."""
    return Trace("Imon-1", "A", sweep.i_pa * 1e-12, **{"scale": 1e-13, "kind": IMON} | how)  # type: ignore[arg-type]


def segments_of(current_pa: np.ndarray, interval: float) -> list[Segment]:
    """Segments that put out a current of constant levels and ramps."""
    edges = np.flatnonzero(np.abs(np.diff(current_pa, 2)) > 1e-6) + 1
    out, start = [], 0
    for stop in [*(int(e) + 1 for e in edges), current_pa.size]:
        part = current_pa[start:stop]
        if part.size:
            rises = part.size > 2 and abs(part[-1] - part[0]) > 1e-9
            out.append(Segment(part.size * interval, float(part[-1]) * 1e-3, kind=int(rises)))
        start = stop
    return out


def series_of(recording: Recording, **how: object) -> list[Series]:
    """One series for each sweep, so that any current can be put out."""
    out = []
    for sweep in recording.sweeps:
        interval = 1 / sweep.rate_hz
        out.append(
            Series(sweep.stimulus_name, [[potential(sweep, **how)]], segments_of(sweep.i_pa, interval), interval)
        )
    return out


def write_heka(path: Path, groups: dict[str, Sequence[Series]], layout: Layout = Layout()) -> Path:
    """Write groups of series as a bundle, or as raw data with its trees beside it."""
    data = bytearray(_header(layout, ()))
    pulse = _pulse(groups, data, layout)
    stimuli = _stimuli([s for series in groups.values() for s in series], layout)
    if not layout.bundled:
        data[:4] = b"DAT1"
        path.write_bytes(data)
        path.with_suffix(".pul").write_bytes(pulse)
        path.with_suffix(".pgf").write_bytes(stimuli)
        return path
    first = len(_header(layout, ()))
    items = [(first, len(data) - first, b".dat")]
    for suffix, tree in ((b".pul", pulse), (b".pgf", stimuli)):
        items.append((len(data), len(tree), suffix))
        data += tree
    data[:first] = _header(layout, items)
    path.write_bytes(data)
    return path


def _header(layout: Layout, items: Sequence[tuple[int, int, bytes]]) -> bytes:
    """``BundleHeader``: signature, version, time, items, byte order, twelve items."""
    order = layout.order
    little = order == "<"
    head = struct.pack(f"{order}8s32sdi?11x", b"DAT2", layout.version.encode(), 9e8, len(items), little)
    code = f"{order}qq8s" if layout.wide else f"{order}ii8s"
    listed = b"".join(struct.pack(code, *item) for item in items)
    return (head + listed).ljust(64 + 12 * struct.calcsize(code), b"\0")


def _record(order: str, size: int, fields: dict[int, tuple[str, object]]) -> bytes:
    raw = bytearray(max(size, 700))
    for offset, (code, value) in fields.items():
        struct.pack_into(order + code, raw, offset, value.encode("latin-1") if isinstance(value, str) else value)
    return bytes(raw[:size])


def _tree(order: str, sizes: Sequence[int], root: tuple[dict, list]) -> bytes:
    def write(node: tuple[dict, list], level: int) -> bytes:
        fields, children = node
        record = _record(order, sizes[level], fields)
        return record + struct.pack(f"{order}i", len(children)) + b"".join(write(c, level + 1) for c in children)

    magic = b"eerT" if order == "<" else b"Tree"
    return magic + struct.pack(f"{order}i{len(sizes)}i", len(sizes), *sizes) + write(root, 0)


def _pulse(groups: dict[str, Sequence[Series]], data: bytearray, layout: Layout) -> bytes:
    number, nodes = 0, []
    for g, (label, series) in enumerate(groups.items(), start=1):
        below = []
        for k, one in enumerate(series, start=1):
            number += 1
            sweeps = [
                (
                    {40: ("i", number), 44: ("i", n)},
                    [(_trace(t, one.interval, data, layout), []) for t in traces],
                )
                for n, traces in enumerate(one.sweeps, start=1)
            ]
            below.append(({4: ("32s", one.label), 116: ("i", k), 120: ("i", len(sweeps))}, sweeps))
        nodes.append(({4: ("32s", label), 120: ("i", g)}, below))
    sizes = (*layout.sizes[:4], layout.sizes[4] + 16) if layout.wide else layout.sizes
    return _tree(layout.order, sizes, ({8: ("32s", layout.version)}, nodes))


def _trace(trace: Trace, interval: float, data: bytearray, layout: Layout) -> dict[int, tuple[str, object]]:
    """``TraceRecord``, after its samples were put behind `data`."""
    stored = np.dtype(layout.order + FORMS[trace.form])
    values = trace.values / trace.scale
    raw = (np.round(values) if trace.form < 2 else values).astype(stored).tobytes()
    start, block = len(data), layout.interleave
    if block:
        for k in range(0, len(raw), block):
            data += raw[k : k + block] + b"\x55" * block
    else:
        data += raw
    kind = trace.kind | (LITTLE if layout.order == "<" else 0)
    place = {40: ("q", start), 48: ("q", values.size)} if layout.wide else {40: ("i", start), 44: ("i", values.size)}
    later = {
        64: ("H", kind),
        68: ("b", trace.mode),
        69: ("b", trace.electrode),
        70: ("b", trace.form),
        72: ("d", trace.scale),
        88: ("d", trace.zero),
        96: ("8s", trace.unit),
        104: ("d", interval),
        120: ("8s", "s"),
        222: ("h", trace.adc),
    }
    shift, code, step = (8, "q", 8) if layout.wide else (0, "i", 4)
    fields = {4: ("32s", trace.name), **place, **{offset + shift: value for offset, value in later.items()}}
    fields[292 + shift], fields[292 + shift + step] = (code, block), (code, 2 * block)
    return fields


def _stimuli(series: Sequence[Series], layout: Layout) -> bytes:
    nodes = []
    for one in series:
        segments = [
            (
                {
                    4: ("b", s.kind),
                    5: ("b", s.store),
                    6: ("b", s.increment),
                    7: ("b", 0),
                    8: ("d", s.level),
                    16: ("i", s.source),
                    20: ("d", s.factor),
                    28: ("d", s.step),
                    36: ("d", s.duration),
                    48: ("d", 1.0),
                    56: ("d", s.duration_step),
                },
                [],
            )
            for s in one.segments
        ]
        channel = {
            4: ("i", 1),
            12: ("8s", "V"),
            25: ("b", one.mode),
            40: ("8s", one.unit),
            48: ("d", one.holding),
            76: ("H", one.flags),
        }
        record = {4: ("32s", one.label), 112: ("d", one.interval), 144: ("i", one.n_sweeps or len(one.sweeps))}
        channels = [(channel, segments)]
        if one.linked:
            channels = [
                ({**channel, 4: ("i", 2), 40: ("8s", "V"), 48: ("d", 9.0)}, []),
                ({**channel, 20: ("h", 7)}, segments),
            ]
        nodes.append((record, channels))
    return _tree(layout.order, (584, 248, 400, 80), ({8: ("32s", layout.version)}, nodes))
