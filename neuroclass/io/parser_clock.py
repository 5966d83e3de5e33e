"""How long a parser may take."""

import contextlib
import subprocess
import time

import psutil

BUSY = 6.0
"""Wall time by processor time that a parser may take."""


class ParserClock:
    """Time left for a parser: a limit on its processor time, and a multiple of it in wall time."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self._process: psutil.Process | None = None
        with contextlib.suppress(psutil.Error):
            self._process = psutil.Process(process.pid)
        self._seconds = seconds
        self._end = time.monotonic() + BUSY * seconds
        self._used = self._cpu()

    def _cpu(self) -> float:
        if self._process is None:
            return 0.0
        try:
            times = self._process.cpu_times()
        except psutil.Error:
            return 0.0
        return times.user + times.system

    def left(self) -> float:
        """Seconds left; 0 or less when time is up."""
        return min(self._end - time.monotonic(), self._seconds - (self._cpu() - self._used))

    def extend(self, seconds: float) -> None:
        """Leave out wall time that the parser spent waiting for its parent."""
        self._end += seconds
