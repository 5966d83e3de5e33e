"""A sweep's potential with its filtered dV/dt, computed block by block on demand."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from neuroclass.ephys.compiled import compiled, compiled_part
from neuroclass.ephys.filtering import DerivativeFilter, block_extremes, derivative
from neuroclass.types.arrays import Floats

_RUN = 8192  # samples filtered at once, to stay in the processor's cache


class Trace(NamedTuple):
    """Input of the compiled spike pass.

    Attributes
    ----------
    v : ndarray, shape (n_times,)
        Membrane potential, mV.
    dv : ndarray, shape (n_times - 1,)
        Filtered dV/dt, mV/ms; valid only in the blocks marked in `done`.
    done : ndarray, shape (n_blocks,)
        1 where `dv` is filled.
    bound : ndarray, shape (n_blocks,)
        Upper bound of |dV/dt| in each block, mV/ms.
    lowest, highest : ndarray, shape (n_blocks,)
        Extremes of the potential in each block, mV.
    c : ndarray, shape (3, 5)
        Coefficients of the filter.
    block, reach : int
        Samples per block, and in the filter's transient.
    per_ms : float
        Samples per ms.
    active : bool
        Whether there is a filter.
    """

    v: Floats
    dv: Floats
    done: NDArray[np.uint8]
    bound: Floats
    lowest: Floats
    highest: Floats
    c: Floats
    block: int
    reach: int
    per_ms: float
    active: bool


def trace_of(v: Floats, design: DerivativeFilter) -> Trace:
    """Prepare a potential, shape (n_times,), mV, for the spike pass."""
    block = design.block
    lowest, highest = block_extremes(v, block)
    bound = _bounds(lowest, highest, design.gain)
    return Trace(
        v,
        np.empty(max(v.size - 1, 0)),
        np.zeros(lowest.size, dtype=np.uint8),
        bound,
        lowest,
        highest,
        design.coefficients,
        block,
        design.reach,
        design.per_ms,
        design.active,
    )


@compiled
def _bounds(lowest: Floats, highest: Floats, gain: float) -> Floats:
    n = lowest.size
    bound = np.empty(n)
    for j in range(n):
        a, b = max(0, j - 1), min(n - 1, j + 1)
        low = min(lowest[a], min(lowest[j], lowest[b]))
        top = max(highest[a], max(highest[j], highest[b]))
        bound[j] = gain * (top - low)
    # The odd extension can double the range at the ends.
    for j in range(min(2, n)):
        bound[j] *= 3.0
    for j in range(max(0, n - 2), n):
        bound[j] *= 3.0
    return bound


@compiled
def fill(s: Trace, first_block: int, last_block: int) -> None:
    """Compute dV/dt in those of the blocks `first_block` to `last_block` (exclusive) not filled yet."""
    n = s.dv.size
    longest = 1 + _RUN // s.block
    j = first_block
    while j < last_block:
        if s.done[j]:
            j += 1
            continue
        k = j
        while k < min(last_block, j + longest) and not s.done[k]:
            s.done[k] = 1
            k += 1
        begin, stop = j * s.block, min(n, k * s.block)
        if begin < stop:
            derivative(s.v, s.dv, begin, stop, 0, s.v.size, s.c, s.reach, s.per_ms, s.active)
        j = k


@compiled_part
def falls(s: Trace, begin: int, stop: int) -> bool:
    """Whether dV/dt is negative anywhere in samples `begin` to `stop` (exclusive)."""
    k = begin
    while k < stop:
        j = k // s.block
        if not s.done[j]:
            fill(s, j, j + 1)
        edge = min(stop, (j + 1) * s.block)
        while k < edge:
            if s.dv[k] < 0:
                return True
            k += 1
    return False


@compiled_part
def steepest(s: Trace, begin: int, stop: int, sign: float) -> int:
    """Index of the largest `sign` times dV/dt in samples `begin` to `stop` (exclusive); the first of equals."""
    best = begin
    value = -np.inf
    k = begin
    while k < stop:
        j = k // s.block
        edge = min(stop, (j + 1) * s.block)
        if not s.done[j] and s.bound[j] < value:
            k = edge
            continue
        if not s.done[j]:
            fill(s, j, j + 1)
        while k < edge:
            if sign * s.dv[k] > value:
                value = sign * s.dv[k]
                best = k
            k += 1
    return best


@compiled_part
def last_at_most(s: Trace, start: int, stop: int, target: float) -> int:
    """Last index from `start` down to `stop` (exclusive) where dV/dt is at most `target`; -1 without one."""
    k = start
    while k > stop:
        j = k // s.block
        if not s.done[j]:
            fill(s, j, j + 1)
        if s.dv[k] <= target:
            return k
        k -= 1
    return -1


@compiled_part
def first_at_least(s: Trace, start: int, stop: int, target: float) -> int:
    """First index from `start` to `stop` (exclusive) where dV/dt is at least `target`; -1 without one."""
    k = start
    while k < stop:
        j = k // s.block
        if not s.done[j]:
            fill(s, j, j + 1)
        if s.dv[k] >= target:
            return k
        k += 1
    return -1


@compiled_part
def highest_point(s: Trace, begin: int, stop: int) -> int:
    """Index of the highest potential in samples `begin` to `stop` (exclusive); the first of equals."""
    best = begin
    k = begin + 1
    while k < stop:
        j = k // s.block
        edge = min(stop, (j + 1) * s.block)
        if s.highest[j] > s.v[best]:
            while k < edge:
                if s.v[k] > s.v[best]:
                    best = k
                k += 1
        k = edge
    return best


@compiled_part
def lowest_point(s: Trace, begin: int, stop: int) -> int:
    """Index of the lowest potential in samples `begin` to `stop` (exclusive); the first of equals."""
    best = begin
    k = begin + 1
    while k < stop:
        j = k // s.block
        edge = min(stop, (j + 1) * s.block)
        if s.lowest[j] < s.v[best]:
            while k < edge:
                if s.v[k] < s.v[best]:
                    best = k
                k += 1
        k = edge
    return best
