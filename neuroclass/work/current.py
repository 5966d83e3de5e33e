"""Choose where work runs, once for all that a command does."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from neuroclass.errors import SettingsError
from neuroclass.work.base import Here, Work
from neuroclass.work.processes import Processes

LOCAL = "local"
"""In place of an address: a Dask cluster on this machine, for the time of the command."""
_WORK: ContextVar[Work | None] = ContextVar("work", default=None)


def place(workers: int, scheduler: str | None = None) -> Work:
    """Where work runs.

    Parameters
    ----------
    workers : int
        Processes on this machine; 1 for none but this one.
    scheduler : str, optional
        Address of a Dask scheduler that does the work instead, or ``local``.

    Returns
    -------
    Work
        To be entered before use.

    Raises
    ------
    SettingsError
        If there are less than 1.
    """
    if workers < 1:
        raise SettingsError(f"{workers} workers cannot work; expected --workers 1 or more.")
    if scheduler:
        from neuroclass.work.dask_cluster import DaskCluster, LocalDaskCluster

        return LocalDaskCluster(workers) if scheduler == LOCAL else DaskCluster(scheduler)
    return Processes(workers) if workers > 1 else Here()


@contextmanager
def working_on(scheduler: str | None, workers: int = 1) -> Iterator[None]:
    """Let all that runs inside, however many processes it asks for, work on a Dask cluster; without one, as it asks.

    Raises
    ------
    WorkError
        If the cluster cannot be used.
    """
    if not scheduler:
        yield
        return
    with place(workers, scheduler) as work:
        token = _WORK.set(work)
        try:
            yield
        finally:
            _WORK.reset(token)


def current_work(jobs: int = 1) -> Work:
    """The cluster of `working_on`; elsewhere so many processes on this machine."""
    return _WORK.get() or place(jobs)
