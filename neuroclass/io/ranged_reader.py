"""A parser's view of a file of which only some blocks are here: it asks for the others before it reads them."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

Runs = Sequence[Sequence[int]]


class RangedReader(io.RawIOBase):
    """A file object over a sparse copy, see `RangeFile`.

    Parameters
    ----------
    path : Path
        The copy.
    size, block : int
        Bytes of the file, and of a block.
    present : sequence of (int, int)
        Runs of blocks that are there.
    fetch : callable
        From a range of bytes to runs of blocks that are there afterwards.
    """

    def __init__(self, path: Path, size: int, block: int, present: Runs, fetch: Callable[[int, int], Runs]) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._size, self._block, self._fetch, self._at = size, block, fetch, 0
        self._have = bytearray(-(-size // block))
        self._note(present)

    def _note(self, runs: Runs) -> None:
        for first, last in runs:
            self._have[first:last] = b"\1" * (last - first)

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether it has positions."""
        return True

    def tell(self) -> int:
        """Position, bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position; returns it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: object) -> int:
        """Read at the position, once the bytes are there; returns how many."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        stop = min(self._size, self._at + view.nbytes)
        if stop <= self._at:
            return 0
        first, last = self._at // self._block, -(-stop // self._block)
        if not all(self._have[first:last]):
            self._note(self._fetch(self._at, stop))
            if not all(self._have[first:last]):
                raise OSError("bytes of the file are missing")
        done = 0
        self._file.seek(self._at)
        while self._at + done < stop:
            got = self._file.readinto(view[done : stop - self._at])
            if not got:
                raise OSError("the file is shorter than announced")
            done += got
        self._at += done
        return done

    def close(self) -> None:
        """Close the copy."""
        self._file.close()
        super().close()
