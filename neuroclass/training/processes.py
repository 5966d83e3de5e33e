"""Processes of training runs: told apart from later ones of the same id, and ended with all that they started."""

import os
import signal
from contextlib import suppress

import psutil

SAME_START_S = 2.0
"""Start times of one process may differ so far, s, where the system's clock was set in between."""


def start_time(pid: int) -> float | None:
    """When a process began, s since the epoch: tells it from a later one of the same id; None where it has ended."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.Error, ValueError, OverflowError):
        return None


def is_alive(pid: int, started: float) -> bool:
    """Whether the process that began then is still there."""
    found = start_time(pid)
    return found is not None and abs(found - started) < SAME_START_S


def end(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process and all that it started; to its whole group where it leads one."""
    try:
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
            return
        with suppress(psutil.Error):
            for child in psutil.Process(pid).children(recursive=True):
                child.send_signal(number)
        os.kill(pid, number)
    except ProcessLookupError:
        return
