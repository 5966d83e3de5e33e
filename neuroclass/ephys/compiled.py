"""One typed spelling of numba's decorator, so that every kernel is compiled and cached alike."""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function to machine code on first use and keep the result on disk.

    The global interpreter lock is released while it runs; floating point follows numpy's rules.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
