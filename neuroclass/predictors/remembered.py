"""Answers about the cells asked about last."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

import numpy as np

from neuroclass.types.arrays import Floats

Answer = TypeVar("Answer")
_KEPT = 32


class Remembered(Generic[Answer]):
    """A function of cells that remembers its last answers.

    Probabilities, sets, limits and P(home) of the same cells are asked for one after the other and need the same
    answer.

    Parameters
    ----------
    compute : callable
        From features, shape (n_cells, 41), and the cells' species to an answer that nobody changes.
    """

    def __init__(self, compute: Callable[[Floats, Sequence[str]], Answer]) -> None:
        self._compute, self._lock = compute, Lock()
        self._kept: OrderedDict[tuple[bytes, tuple[str, ...]], Answer] = OrderedDict()

    def __call__(self, z: Floats, species: Sequence[str]) -> Answer:
        """The answer, computed if it is not remembered."""
        key = hashlib.sha256(np.ascontiguousarray(z).tobytes()).digest(), tuple(species)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        answer = self._compute(z, species)
        with self._lock:
            self._kept[key] = answer
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return answer
