"""What was computed last, for all sessions, within a weight and for a time."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakSet

Value = TypeVar("Value")

_every: "WeakSet[Kept[Any]]" = WeakSet()


class Kept(Generic[Value]):
    """The values used last: at least one, and as many as weigh no more than a limit together.

    Parameters
    ----------
    most : float
        The limit.
    weight : callable
        Weight of a value; one of weight 0 is not kept.
    idle_s : float
        Seconds after which a value that was not used is forgotten, see `forget_idle`.
    """

    def __init__(self, most: float, weight: Callable[[Value], float], idle_s: float = float("inf")) -> None:
        self._most, self._weight, self._idle_s = most, weight, idle_s
        self._lock, self._making = threading.Lock(), threading.RLock()
        self._kept: OrderedDict[str, tuple[Value, float, float]] = OrderedDict()
        _every.add(self)

    def get(self, key: str) -> Value | None:
        """The value of that key; None if it is not kept."""
        with self._lock:
            if key not in self._kept:
                return None
            value, weight, _ = self._kept.pop(key)
            self._kept[key] = value, weight, time.monotonic()
            return value

    def put(self, key: str, value: Value) -> None:
        """Keep a value, and forget those that no longer fit, the one used longest ago first."""
        weight = self._weight(value)
        if not weight:
            return
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value, weight, time.monotonic()
            while len(self._kept) > 1 and sum(each for _, each, _ in self._kept.values()) > self._most:
                self._kept.popitem(last=False)

    def get_or_make(self, key: str, make: Callable[[], Value]) -> Value:
        """The value of that key, made and kept if need be; one is made at a time."""
        found = self.get(key)
        if found is not None:
            return found
        with self._making:
            found = self.get(key)
            if found is None:
                found = make()
                self.put(key, found)
            return found

    def forget_idle(self) -> None:
        """Forget values that were not used for some time."""
        oldest = time.monotonic() - self._idle_s
        with self._lock:
            for key in [key for key, (_, _, used) in self._kept.items() if used < oldest]:
                del self._kept[key]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()


def forget_idle() -> None:
    """Forget what was not used for some time, wherever it is kept."""
    for one in list(_every):
        one.forget_idle()
