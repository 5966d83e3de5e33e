"""HEKA PatchMaster files as trees of records: groups, series, sweeps and traces, and the stimuli that they name.

Offsets are those of HEKA's published descriptions (FileFormat_v9, v1000 and, with 64-bit places, v2000). A record
may be shorter than its description, for later versions append fields; what it lacks reads as 0.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from neuroclass.ephys.settings import ReadLimits
from neuroclass.errors import RecordingError

SIGNATURES = (b"DAT2", b"DAT1")
"""First bytes of a bundle, and of raw data whose trees lie beside it."""
TREES = {b"Tree": ">", b"eerT": "<"}
"""First bytes of a tree, by byte order."""
EXPORT = "In PatchMaster, save it as a bundled file, or export its series for MATLAB"
"""What to do with a file that cannot be read."""

_ITEMS, _MOST_ITEMS, _MOST_LEVELS = 64, 12, 8
_LITTLE_ENDIAN = 52


@dataclass
class Node:
    """A record of a tree, with those below it."""

    raw: bytes
    order: str
    children: list["Node"] = field(default_factory=list)

    def __iter__(self) -> Iterator["Node"]:
        return iter(self.children)

    def whole(self, offset: int, code: str = "i") -> int:
        """An integer of the struct type `code`; 0 beyond the record's end."""
        return int(self._value(offset, code))

    def real(self, offset: int) -> float:
        """A double; 0 beyond the record's end."""
        return float(self._value(offset, "d"))

    def text(self, offset: int, length: int) -> str:
        """A text up to its first zero byte."""
        return self.raw[offset : offset + length].split(b"\0")[0].decode("latin-1").strip()

    def _value(self, offset: int, code: str) -> float:
        size = struct.calcsize(code)
        part = self.raw[offset : offset + size]
        return struct.unpack(self.order + code, part)[0] if len(part) == size else 0


@dataclass(frozen=True)
class Bundle:
    """The trees of a file.

    Attributes
    ----------
    pulse : Node
        Root of groups, series, sweeps and traces.
    stimuli : Node or None
        Root of stimuli, their channels and segments.
    version : str
        Version of the program that wrote the file.
    wide : bool
        Whether places in the file have 64 bits.
    """

    pulse: Node
    stimuli: Node | None
    version: str
    wide: bool


def read_bundle(path: Path, name: str, limits: ReadLimits) -> Bundle:
    """Read the trees of a bundle, or those beside a file of raw data.

    Raises
    ------
    RecordingError
        The file is damaged, of an earlier program, or without its trees.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(_ITEMS + _MOST_ITEMS * 24)
        if len(header) < _ITEMS:
            raise RecordingError(f"{name} ends within its header; expected a whole PatchMaster file.")
        trees, wide = _trees_within(file, header, False, size), False
        if trees.get(".pul", b"")[:4] not in TREES:
            others = _trees_within(file, header, True, size)
            wide = others.get(".pul", b"")[:4] in TREES
            trees = others if wide else trees
    if ".pul" not in trees:
        trees = _trees_beside(path, name, limits)
    pulse, stimuli = (_tree(trees.get(suffix, b""), name, suffix, limits) for suffix in (".pul", ".pgf"))
    if pulse is None:
        raise RecordingError(f"{name} is damaged: its pulse tree does not start as one. {EXPORT}.")
    return Bundle(pulse, stimuli, header[8:40].split(b"\0")[0].decode("latin-1"), wide)


def _trees_within(file: BinaryIO, header: bytes, wide: bool, size: int) -> dict[str, bytes]:
    """The trees that a bundle's header lists, by suffix."""
    code = ("<" if header[_LITTLE_ENDIAN] else ">") + ("qq8s" if wide else "ii8s")
    step, found = struct.calcsize(code), {}
    for k in range(_MOST_ITEMS):
        part = header[_ITEMS + k * step : _ITEMS + (k + 1) * step]
        if len(part) < step:
            break
        start, length, raw = struct.unpack(code, part)
        suffix = raw.split(b"\0")[0].decode("latin-1").lower()
        if suffix in (".pul", ".pgf") and length > 0 and 0 < start < size:
            file.seek(start)
            found[suffix] = file.read(min(length, size - start))
    return found


def _trees_beside(path: Path, name: str, limits: ReadLimits) -> dict[str, bytes]:
    """Trees in files of the same name in the same folder."""
    found: dict[str, bytes] = {}
    for other in islice(path.parent.iterdir(), limits.objects):
        suffix = other.suffix.lower()
        if suffix in (".pul", ".pgf") and other.stem == path.stem and other.stat().st_size < limits.bytes:
            found[suffix] = other.read_bytes()
    if ".pul" not in found:
        raise RecordingError(
            f"{name} is a HEKA file without its pulse tree, which PatchMaster then keeps in a .pul file. Put the .pul "
            f"and .pgf files of the same name into its folder and name the .dat file on the command line. Or: {EXPORT}."
        )
    return found


def _tree(raw: bytes, name: str, suffix: str, limits: ReadLimits) -> Node | None:
    """The root of a tree; None if there is none."""
    order = TREES.get(raw[:4])
    if order is None:
        return None
    try:
        (levels,) = struct.unpack_from(f"{order}i", raw, 4)
        if not 1 <= levels <= _MOST_LEVELS:
            raise ValueError(f"{levels} levels")
        sizes = struct.unpack_from(f"{order}{levels}i", raw, 8)
        if min(sizes) < 0:
            raise ValueError(f"records of {min(sizes)} bytes")
        root, _ = _node(raw, order, sizes, 0, 8 + 4 * levels, [limits.objects])
    except (struct.error, ValueError) as error:
        raise RecordingError(f"{name} is damaged: its {suffix} tree cannot be read ({error}). {EXPORT}.") from error
    return root


def _node(raw: bytes, order: str, sizes: tuple[int, ...], level: int, at: int, left: list[int]) -> tuple[Node, int]:
    """A record with those below it, and the place after them."""
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("more records than a recording has")
    end = at + sizes[level]
    (count,) = struct.unpack_from(f"{order}i", raw, end)
    node = Node(raw[at:end], order)
    end += 4
    if level + 1 < len(sizes):
        for _ in range(count):
            child, end = _node(raw, order, sizes, level + 1, end, left)
            node.children.append(child)
    return node, end
