"""Traces of a PatchMaster bundle: what their records say, and their samples."""

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from neuroclass.errors import RecordingError
from neuroclass.io.channels import unit_kind
from neuroclass.io.heka_tree import Node
from neuroclass.types.arrays import Floats

IN_CURRENT_CLAMP = 4
"""``TrRecordingMode`` of current clamp."""
_LITTLE_ENDIAN, _LEAK, _VIRTUAL, _IMON, _VMON = (1 << k for k in range(5))
_SAMPLES = ("i2", "i4", "f4", "f8")
_TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6}
_FIRST_SHIFTED = 48


@dataclass(frozen=True)
class Trace:
    """A trace's record.

    Attributes
    ----------
    node : Node
        The record.
    wide : bool
        Whether places in the file have 64 bits.
    """

    node: Node
    wide: bool

    def _at(self, offset: int) -> int:
        return offset + (8 if self.wide and offset >= _FIRST_SHIFTED else 0)

    @property
    def name(self) -> str:
        """Its label."""
        return self.node.text(4, 32)

    @property
    def unit(self) -> str:
        """Unit of its samples."""
        return self.node.text(self._at(96), 8)

    @property
    def is_recorded(self) -> bool:
        """Whether it is a recording rather than a leak trace or computed from others."""
        return not self._kind & (_LEAK | _VIRTUAL)

    @property
    def is_potential(self) -> bool:
        """Whether its unit is one of potential."""
        return unit_kind(self.unit) == "V"

    @property
    def is_current(self) -> bool:
        """Whether its unit is one of current."""
        return unit_kind(self.unit) == "A"

    @property
    def is_monitor(self) -> bool:
        """Whether it comes from the amplifier's own monitor output."""
        return bool(self._kind & (_IMON | _VMON))

    @property
    def mode(self) -> int:
        """``TrRecordingMode``."""
        return self.node.whole(self._at(68), "b")

    @property
    def electrode(self) -> int:
        """Number of its amplifier."""
        return self.node.whole(self._at(69), "b")

    @property
    def adc_channel(self) -> int:
        """The input that recorded it."""
        return self.node.whole(self._at(222), "h")

    @property
    def n_times(self) -> int:
        """Number of samples that its record declares."""
        return max(0, self.node.whole(48, "q") if self.wide else self.node.whole(44))

    @property
    def interval_s(self) -> float:
        """Sampling interval, s; raises RecordingError if there is none."""
        unit = self.node.text(self._at(120), 8) or "s"
        interval = self.node.real(self._at(104)) * _TIMES.get(unit, float("nan"))
        if not 1e-7 <= interval <= 0.01:
            raise RecordingError(
                f"The trace {self.name} has a sampling interval of {interval:g} s; expected 100 ns up."
            )
        return interval

    @property
    def _kind(self) -> int:
        return self.node.whole(self._at(64), "H")

    def samples(self, file: BinaryIO, size: int) -> Floats:
        """Its samples in its unit, without the zero offset subtracted.

        Parameters
        ----------
        file : file
            The bundle.
        size : int
            Its size, bytes.

        Returns
        -------
        ndarray, shape (n_times,)
            Fewer where the file ends within them.

        Raises
        ------
        RecordingError
            They are of an unknown type.
        """
        kind = self.node.whole(self._at(70), "b")
        if not 0 <= kind < len(_SAMPLES):
            raise RecordingError(f"The trace {self.name} has samples of the unknown type {kind}; the file is damaged.")
        stored = np.dtype(("<" if self._kind & _LITTLE_ENDIAN else ">") + _SAMPLES[kind])
        code, step = ("q", 8) if self.wide else ("i", 4)
        start = self.node.whole(40, code)
        block, skip = (self.node.whole(self._at(292) + k * step, code) for k in (0, 1))
        n_bytes = self.n_times * stored.itemsize
        if not 0 <= start < size:
            return np.empty(0)
        file.seek(start)
        if block <= 0 or skip <= 0:
            raw = file.read(min(n_bytes, size - start))
        else:
            raw = _blocks(file, n_bytes, block, max(skip, block), size - start)
        whole = len(raw) // stored.itemsize * stored.itemsize
        return np.frombuffer(raw[:whole], stored).astype(np.float64) * self.node.real(self._at(72))


def _blocks(file: BinaryIO, n_bytes: int, block: int, skip: int, left: int) -> bytes:
    """Bytes of a trace interleaved with others, from the file's place; `skip` from one block's start to the next's."""
    last = max(0, -(-n_bytes // block) - 1)
    span = file.read(min(last * skip + min(block, n_bytes), left))
    return b"".join(span[k : k + block] for k in range(0, len(span), skip))[:n_bytes]
