"""Work in processes on this machine."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import psutil
from joblib.externals.loky import get_reusable_executor

from neuroclass.work.base import Died, Item, Result, Work, nothing_lost, on_one_thread

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of a process that computes on one thread."""
_IDLE_S = 300
"""So long processes wait for more work before they end."""


class Processes(Work):
    """Processes on this machine.

    Where one dies, the items that were under way are tried again, each with nothing else under way, so that the one
    which kills its process is found and the others are not blamed for it.

    Parameters
    ----------
    n_workers : int
        How many.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers

    def as_finished(
        self, function: Callable[[Item], Result], items: Sequence[Item], lost: Callable[[], None] = nothing_lost
    ) -> Iterator[tuple[int, Result | Died]]:
        """See `Work`."""
        waiting = deque(range(len(items)))
        while waiting:
            running: dict[Future[Result], int] = {}
            try:
                yield from self._some(function, items, waiting, running, 2 * self.n_workers)
            except BrokenProcessPool:
                lost()
                for number in sorted(running.values()):
                    yield from self._alone(function, items, number, lost)

    def _alone(
        self, function: Callable[[Item], Result], items: Sequence[Item], number: int, lost: Callable[[], None]
    ) -> Iterator[tuple[int, Result | Died]]:
        try:
            yield from self._some(function, items, deque([number]), {}, 1)
        except BrokenProcessPool:
            lost()
            yield number, Died("The process died twice, the second time with nothing else under way.")

    def _some(
        self,
        function: Callable[[Item], Result],
        items: Sequence[Item],
        waiting: "deque[int]",
        running: "dict[Future[Result], int]",
        most: int,
    ) -> Iterator[tuple[int, Result]]:
        """Yield results as they come; so few items are under way that memory stays bounded."""
        pool = get_reusable_executor(
            self.n_workers, timeout=_IDLE_S, kill_workers=True, env=ONE_THREAD, initializer=_end_with_parent
        )
        whole = False
        try:
            while waiting or running:
                while waiting and len(running) < most:
                    running[pool.submit(on_one_thread, function, items[waiting[0]])] = waiting[0]
                    waiting.popleft()
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    result = future.result()
                    yield running.pop(future), result
            whole = True
        finally:
            if not whole:
                pool.shutdown(wait=True, kill_workers=True)


def _end_with_parent() -> None:
    """End this process when its parent ends, even if that is killed."""
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> Any:
    try:
        psutil.Process(parent).wait()
    finally:
        os._exit(1)
