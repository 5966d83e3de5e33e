"""dV/dt after AllenSDK's zero-phase Bessel filter, computed only where needed.

The filtered derivative of a sweep is the convolution of its potential with a short kernel, so it
cannot exceed half the kernel's absolute sum times the potential's range within the kernel's reach.
That bound is cheap: one pass for the lowest and highest potential of each block of samples. The
recursive filter then runs only in the blocks that decide whether there is a spike.

References
----------
.. [1] Gustafsson, "Determining the initial states in forward-backward filtering", IEEE Trans.
   Signal Process. 44, 1996.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import signal

from neuroclass.ephys.compiled import compiled, compiled_part
from neuroclass.types.arrays import Floats

EDGE = 15  # samples of odd extension at either end, scipy.signal.filtfilt's for five coefficients
_TRANSIENT = 1e-9  # share of a filter's start-up transient that may remain where values are used


@dataclass(frozen=True, eq=False)
class DerivativeFilter:
    """A low-pass filter and derivative for one sampling rate.

    Attributes
    ----------
    coefficients : ndarray, shape (3, 5)
        Numerator, denominator, and the steady state for a unit input with a zero at its end.
    reach : int
        Samples after which the start-up transient has decayed.
    gain : float
        Largest possible size of dV/dt per mV of range within `reach`, 1/ms.
    per_ms : float
        Samples per ms.
    active : bool
        False where the sampling rate is too low for the filter: dV/dt is then unfiltered.
    """

    coefficients: Floats
    reach: int
    gain: float
    per_ms: float
    active: bool

    @property
    def block(self) -> int:
        """Samples per block: the filter's reach, but at least 32."""
        return max(32, self.reach)


@lru_cache(maxsize=64)
def derivative_filter(rate_hz: float, cutoff_khz: float) -> DerivativeFilter:
    """Design the four-pole low-pass Bessel filter that AllenSDK uses.

    Parameters
    ----------
    rate_hz : float
        Sampling rate, Hz.
    cutoff_khz : float
        Cut-off, kHz. At or above half the sampling rate there is no filter.

    Returns
    -------
    DerivativeFilter
        The filter with the bound on its output.
    """
    per_ms = rate_hz * 1e-3
    share = cutoff_khz * 2e3 / rate_hz
    if not 0 < share < 1 - 1e-9:
        return DerivativeFilter(np.zeros((3, 5)), 1, per_ms, per_ms, False)
    b, a = signal.bessel(4, share, "low")
    slowest = float(np.abs(np.roots(a)).max())
    reach = max(EDGE + 1, int(np.ceil(np.log(_TRANSIENT) / np.log(slowest))))
    impulse = np.zeros(4 * reach + 1)
    impulse[2 * reach] = 1.0
    kernel = np.diff(signal.filtfilt(b, a, impulse))
    steady = np.append(signal.lfilter_zi(b, a), 0.0)
    gain = 0.5 * float(np.abs(kernel).sum()) * per_ms * 1.001
    return DerivativeFilter(np.vstack([b, a, steady]), reach, gain, per_ms, True)


@compiled_part
def run_forward(c: Floats, x: Floats, n: int) -> None:
    """Filter the first `n` samples of `x` in place from the steady state of the first."""
    b0, b1, b2, b3, b4 = c[0, 0], c[0, 1], c[0, 2], c[0, 3], c[0, 4]
    a1, a2, a3, a4 = c[1, 1], c[1, 2], c[1, 3], c[1, 4]
    first = x[0]
    z0, z1, z2, z3 = c[2, 0] * first, c[2, 1] * first, c[2, 2] * first, c[2, 3] * first
    for k in range(n):
        u = x[k]
        y = b0 * u + z0
        z0 = b1 * u + z1 - a1 * y
        z1 = b2 * u + z2 - a2 * y
        z2 = b3 * u + z3 - a3 * y
        z3 = b4 * u - a4 * y
        x[k] = y


@compiled_part
def run_backward(c: Floats, x: Floats, n: int) -> None:
    """Filter the first `n` samples of `x` in place from the last to the first."""
    b0, b1, b2, b3, b4 = c[0, 0], c[0, 1], c[0, 2], c[0, 3], c[0, 4]
    a1, a2, a3, a4 = c[1, 1], c[1, 2], c[1, 3], c[1, 4]
    last = x[n - 1]
    z0, z1, z2, z3 = c[2, 0] * last, c[2, 1] * last, c[2, 2] * last, c[2, 3] * last
    for k in range(n - 1, -1, -1):
        u = x[k]
        y = b0 * u + z0
        z0 = b1 * u + z1 - a1 * y
        z1 = b2 * u + z2 - a2 * y
        z2 = b3 * u + z3 - a3 * y
        z3 = b4 * u - a4 * y
        x[k] = y


@compiled_part
def derivative(
    v: Floats,
    out: Floats,
    first: int,
    last: int,
    low: int,
    high: int,
    c: Floats,
    reach: int,
    per_ms: float,
    active: bool,
) -> None:
    """Write dV/dt of samples `first` to `last` (exclusive) of the stretch `low` to `high`.

    Gives the same result as filtering the whole stretch: its ends are extended as
    ``scipy.signal.filtfilt`` does, and elsewhere the filter starts `reach` samples early.

    Parameters
    ----------
    v : ndarray, shape (n_times,)
        Membrane potential, mV.
    out : ndarray, shape (n_times,)
        Receives dV/dt, mV/ms, at the same indexes.
    first, last : int
        Samples wanted, `last` exclusive and below `high`.
    low, high : int
        The stretch to filter, `high` exclusive.
    c : ndarray, shape (3, 5)
        The filter's coefficients.
    reach : int
        Samples after which the start-up transient has decayed.
    per_ms : float
        Samples per ms.
    active : bool
        Whether to filter at all.
    """
    if not active:
        # Equal differences of quantised samples are common, and AllenSDK's choice between them hangs
        # on the rounding of its time axis: divide by the same rounded interval.
        dt = 1e-3 / per_ms
        for k in range(first, last):
            out[k] = 1e-3 * (v[k + 1] - v[k]) / ((k + 1) * dt - k * dt)
        return
    begin = max(low, first - reach)
    stop = min(high, last + 1 + reach)
    before = EDGE if begin == low else 0
    after = EDGE if stop == high else 0
    n = before + stop - begin + after
    x = np.empty(n)
    for k in range(before):
        x[k] = 2.0 * v[low] - v[low + before - k]
    for k in range(begin, stop):
        x[before + k - begin] = v[k]
    for k in range(after):
        x[n - after + k] = 2.0 * v[high - 1] - v[high - 2 - k]
    run_forward(c, x, n)
    run_backward(c, x, n)
    shift = before - begin
    for k in range(first, last):
        out[k] = (x[k + 1 + shift] - x[k + shift]) * per_ms


@compiled
def block_extremes(v: Floats, block: int) -> tuple[Floats, Floats]:
    """Lowest and highest potential of each block of samples.

    Parameters
    ----------
    v : ndarray, shape (n_times,)
        Membrane potential, mV.
    block : int
        Samples in a block.

    Returns
    -------
    lowest, highest : ndarray, shape (n_blocks,)
        Extremes, mV; the last block may be shorter.
    """
    n = v.size
    count = (n + block - 1) // block
    lowest = np.empty(count)
    highest = np.empty(count)
    for j in range(count):
        begin = j * block
        stop = min(n, begin + block)
        # Four running extremes break the chain of dependent comparisons.
        low0 = low1 = low2 = low3 = v[begin]
        top0 = top1 = top2 = top3 = v[begin]
        k = begin
        while k + 4 <= stop:
            low0, top0 = min(low0, v[k]), max(top0, v[k])
            low1, top1 = min(low1, v[k + 1]), max(top1, v[k + 1])
            low2, top2 = min(low2, v[k + 2]), max(top2, v[k + 2])
            low3, top3 = min(low3, v[k + 3]), max(top3, v[k + 3])
            k += 4
        while k < stop:
            low0, top0 = min(low0, v[k]), max(top0, v[k])
            k += 1
        lowest[j] = min(min(low0, low1), min(low2, low3))
        highest[j] = max(max(top0, top1), max(top2, top3))
    return lowest, highest
