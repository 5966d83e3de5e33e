"""Work on a Dask cluster."""

import logging
import platform
import queue
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from typing import Any

from neuroclass import __version__
from neuroclass.errors import WorkError
from neuroclass.work.base import Died, Item, Result, Work, nothing_lost, on_one_thread

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch")
"""Libraries on whose versions results depend to the last bit."""
_LOOK_S = 2.0
_CONNECT_S = 20.0
_ONE_AT_A_TIME = threading.RLock()


class DaskCluster(Work):
    """A Dask cluster that others started.

    Items of a worker that dies are given to another one. An item in whose presence several workers died is tried once
    more when nothing else is under way, so that it is not blamed for another's deed.

    Parameters
    ----------
    address : str
        Of its scheduler, such as ``tcp://host:8786``.
    patience_s : float
        So long the cluster may be without any worker.
    """

    def __init__(self, address: str, patience_s: float = 60.0) -> None:
        self.address, self.patience_s = address, patience_s
        self._client: Any = None

    def __enter__(self) -> "DaskCluster":
        """Connect, and check that the workers have the same program.

        Raises
        ------
        WorkError
            If there is no scheduler, no worker, or another version.
        """
        from distributed import Client

        try:
            client = Client(self.address, set_as_default=False, timeout=_CONNECT_S)
        except (OSError, ValueError, ImportError) as error:
            raise WorkError(
                f"No Dask scheduler answers at {self.address} ({error}). Start one (dask scheduler; dask worker "
                "ADDRESS on each machine), or name its address as it prints it, such as tcp://host:8786."
            ) from error
        self._client = client
        try:
            self._wait_for_workers()
            self._check_versions()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect; work that is still under way there is dropped."""
        with suppress(OSError, TimeoutError, RuntimeError):
            self._client.close(timeout=5)

    @property
    def n_workers(self) -> int:  # type: ignore[override]
        """Workers that the cluster has now; each does one item at a time."""
        return len(self._workers())

    def _width(self) -> int:
        """Items under way at once: two a worker, so that none waits for its next; all may just be starting again."""
        return 2 * max(1, self.n_workers)

    def _workers(self) -> Mapping[str, int]:
        """Threads of each worker, by its address."""
        try:
            return dict(self._client.nthreads())
        except (OSError, ValueError, TimeoutError) as error:
            raise self._gone(str(error)) from error

    def _wait_for_workers(self) -> None:
        end = time.monotonic() + self.patience_s
        while not self._workers():
            if time.monotonic() > end:
                raise self._idle()
            time.sleep(0.1)

    def _check_versions(self) -> None:
        ours = versions()
        for worker, theirs in self._client.run(versions, on_error="return").items():
            if isinstance(theirs, BaseException):
                raise WorkError(
                    f"The worker {worker} cannot run NeuroClass {__version__} ({type(theirs).__name__}: {theirs}). "
                    "Install the same version there as here, and start the worker again."
                )
            pairs = ((name, theirs.get(name), ours[name]) for name in ours)
            differing = [f"{name} {there} instead of {here}" for name, there, here in pairs if there != here]
            if differing:
                raise WorkError(
                    f"The worker {worker} has {', '.join(differing)}; results would not be the same as here. Install "
                    "the same versions there, and start the worker again."
                )

    def as_finished(
        self, function: Callable[[Item], Result], items: Sequence[Item], lost: Callable[[], None] = nothing_lost
    ) -> Iterator[tuple[int, Result | Died]]:
        """See `Work`."""
        suspects: list[int] = []
        for number, result in self._some(function, items, deque(range(len(items))), self._width()):
            if isinstance(result, Died):
                suspects.append(number)
                lost()
            else:
                yield number, result
        for number in suspects:
            yield from self._some(function, items, deque([number]), 1)

    def _some(
        self, function: Callable[[Item], Result], items: Sequence[Item], waiting: "deque[int]", most: int
    ) -> Iterator[tuple[int, Result | Died]]:
        """Yield results as they come, with two items a worker under way, as many as there are workers now."""
        finished: queue.SimpleQueue[Any] = queue.SimpleQueue()
        running: dict[Any, int] = {}
        alone, looked = most == 1, time.monotonic()
        try:
            while waiting or running:
                while waiting and len(running) < most:
                    number = waiting.popleft()
                    future = self._submit(function, items[number])
                    running[future] = number
                    future.add_done_callback(finished.put)
                future = self._next(finished)
                number = running.pop(future)
                yield number, self._result(future)
                if not alone and time.monotonic() - looked > _LOOK_S:
                    most, looked = self._width(), time.monotonic()
        finally:
            for future in running:
                with suppress(OSError, RuntimeError, TimeoutError):
                    future.cancel()

    def _submit(self, function: Callable[[Item], Result], item: Item) -> Any:
        try:
            return self._client.submit(_one_at_a_time, function, item, pure=False)
        except (OSError, RuntimeError) as error:
            raise self._gone(str(error)) from error

    def _next(self, finished: "queue.SimpleQueue[Any]") -> Any:
        """The next future that is done; meanwhile, look whether the cluster is still there."""
        seen = time.monotonic()
        while True:
            try:
                return finished.get(timeout=_LOOK_S)
            except queue.Empty:
                if self._client.status != "running":
                    raise self._gone(f"the connection is {self._client.status}") from None
                if self._workers():
                    seen = time.monotonic()
                elif time.monotonic() - seen > self.patience_s:
                    raise self._idle() from None

    def _result(self, future: Any) -> Any:
        from distributed import CancelledError, KilledWorker

        try:
            return future.result()
        except KilledWorker:
            return Died("Every worker that took it died, also with nothing else under way.")
        except (CancelledError, OSError) as error:
            if future.status == "error":
                raise
            raise self._gone(str(error)) from error

    def _gone(self, found: str) -> WorkError:
        return WorkError(
            f"The Dask scheduler at {self.address} is gone ({found}). Start it again, or leave out --scheduler to work "
            "on this machine."
        )

    def _idle(self) -> WorkError:
        return WorkError(
            f"The Dask scheduler at {self.address} has had no worker for {self.patience_s:g} s. Start some (dask "
            f"worker {self.address} --nthreads 1)."
        )


class LocalDaskCluster(DaskCluster):
    """A Dask cluster of processes on this machine, for the time of the work.

    Parameters
    ----------
    n_workers : int
        Processes.
    """

    def __init__(self, n_workers: int) -> None:
        super().__init__("", patience_s=60.0)
        self._n_started, self._stack = n_workers, ExitStack()

    def __enter__(self) -> "LocalDaskCluster":
        """Start the cluster and connect."""
        from distributed import LocalCluster

        folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="neuroclass-"))
        cluster = LocalCluster(
            n_workers=self._n_started,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            local_directory=folder,
            silence_logs=logging.ERROR,
        )
        self.address = str(self._stack.enter_context(cluster).scheduler_address)
        super().__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        """Disconnect and end the cluster."""
        with self._stack:
            super().__exit__(*error)


def versions() -> dict[str, str]:
    """Versions of what results depend on."""
    found = {name: version(name) for name in LIBRARIES}
    return {"NeuroClass": __version__, "Python": platform.python_version(), **found}


def _one_at_a_time(function: Callable[[Any], Result], item: Any) -> Result:
    """Apply a function to an item, alone in a worker's process: random numbers and thread counts are the process's."""
    with _ONE_AT_A_TIME:
        return on_one_thread(function, item)
