"""What was computed last, for all sessions, within a weight."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """The values used last: at least one, and as many as weigh no more than a limit together.

    Parameters
    ----------
    most : float
        The limit.
    weight : callable
        Weight of a value; one of weight 0 is not kept.
    """

    def __init__(self, most: float, weight: Callable[[Value], float]) -> None:
        self._most, self._weight = most, weight
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Value, float]] = OrderedDict()

    def get(self, key: str) -> Value | None:
        """The value of that key; None if it is not kept."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: str, value: Value) -> None:
        """Keep a value, and forget those that no longer fit, the one used longest ago first."""
        weight = self._weight(value)
        if not weight:
            return
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = value, weight
            while len(self._kept) > 1 and sum(each for _, each in self._kept.values()) > self._most:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
