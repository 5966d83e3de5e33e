"""Memory of the parsing processes that a block of a test starts, and of no other process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from neuroclass.io import sandbox


def _peak(pid: int) -> int | None:
    """Largest resident memory of a process, bytes; None once it has ended.

    ``VmHWM`` is the process' own. ``ru_maxrss`` also counts its parent's memory at the time of the fork.
    """
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), None)


@contextmanager
def parser_peaks() -> Iterator[list[int]]:
    """Peaks of the parsing processes that the block starts, bytes; complete after the block."""
    peaks: list[int] = []
    close = sandbox._Worker.close

    def measured(worker: sandbox._Worker) -> None:
        if (peak := _peak(worker.process.pid)) is not None:
            peaks.append(peak)
        close(worker)

    sandbox._pool.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox._Worker, "close", measured)
        yield peaks
        sandbox._pool.close()
