"""Verdicts before what explains them: a visitor who waits for an answer goes before those who have theirs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 20.0


class Turns:
    """How many sessions wait for an answer now."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting = 0

    @contextmanager
    def answering(self) -> Iterator[None]:
        """An answer is being made."""
        with self._changed:
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._changed.notify_all()

    def let_answers_pass(self, patience_s: float = PATIENCE_S) -> bool:
        """Wait until nobody waits for an answer; False where patience ended first, so that nobody waits for ever."""
        with self._changed:
            return self._changed.wait_for(lambda: self._waiting == 0, patience_s)


TURNS = Turns()
