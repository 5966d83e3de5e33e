"""Passive properties from a square's response: arrays in, value out.

References
----------
.. [1] Allen Institute for Brain Science, AllenSDK 2.16, ``allensdk.ephys.ephys_extractor``.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from neuroclass.ephys.compiled import compiled
from neuroclass.ephys.spike_pass import time_index
from neuroclass.types.arrays import Floats

BASELINE_S, LEAST_BASELINE_S = 0.1, 0.01
BEFORE_SPIKE_S, AFTER_SPIKE_S = 0.002, 0.020  # taken out of a baseline around a spike's threshold
PEAK_WIDTH_S = 0.005
_GRID, _GRID_SAMPLES = 40, 2000
_LONGEST_SQUARES = 10  # a fit longer than this many squares is not a time constant
FIT_FROM = 0.1  # share of the deflection at which the exponential fit starts


def mean_between(v_mv: Floats, rate_hz: float, start_s: float, end_s: float) -> float:
    """Mean potential, mV, from `start_s` to `end_s` (exclusive); NaN for an empty window."""
    dt = 1.0 / rate_hz
    part = v_mv[max(0, time_index(max(start_s, 0.0), dt)) : min(v_mv.size, time_index(max(end_s, 0.0), dt))]
    return float(part.mean()) if part.size else float("nan")


def baseline(
    v_mv: Floats, rate_hz: float, start_s: float, length_s: float, spikes_s: Floats | Sequence[float] = ()
) -> float:
    """Mean potential, mV, in the `length_s` before `start_s`, spikes left out; NaN below 10 ms.

    Parameters
    ----------
    v_mv : ndarray, shape (n_times,)
        Membrane potential, mV.
    rate_hz : float
        Sampling rate, Hz.
    start_s, length_s : float
        End and length of the baseline, s.
    spikes_s : sequence of float
        Thresholds of spikes, s; each takes 2 ms before it and 20 ms after it out of the mean.
    """
    if length_s < LEAST_BASELINE_S:
        return float("nan")
    first = max(0.0, start_s - length_s)
    near = [t for t in spikes_s if first - AFTER_SPIKE_S < t < start_s - BEFORE_SPIKE_S / 2]
    if not near:
        return mean_between(v_mv, rate_hz, first, start_s)
    dt = 1.0 / rate_hz
    begin = time_index(first, dt)
    t = np.arange(begin, min(v_mv.size, time_index(start_s, dt))) * dt
    kept = np.ones(t.size, dtype=bool)
    for spike in near:
        kept &= (t < spike - BEFORE_SPIKE_S) | (t > spike + AFTER_SPIKE_S)
    part = v_mv[begin : begin + t.size][kept]
    return float(part.mean()) if part.size * dt >= LEAST_BASELINE_S else float("nan")


def deflection(v_mv: Floats, rate_hz: float, start_s: float, end_s: float) -> int:
    """Sample of the lowest potential from `start_s` to `end_s` (exclusive)."""
    dt = 1.0 / rate_hz
    begin = time_index(start_s, dt)
    stop = max(begin + 1, min(v_mv.size, time_index(end_s, dt)))
    return begin + int(np.argmin(v_mv[begin:stop]))


def sag(v_mv: Floats, rate_hz: float, start_s: float, end_s: float, baseline_mv: float) -> float:
    """Fraction of the peak deflection that has recovered in the last 100 ms of a hyperpolarising square.

    Parameters
    ----------
    v_mv : ndarray, shape (n_times,)
        Membrane potential, mV.
    rate_hz : float
        Sampling rate, Hz.
    start_s, end_s : float
        The square, s.
    baseline_mv : float
        Potential before it, mV.

    Returns
    -------
    float
        (peak - steady) / (peak - baseline); NaN where the peak is not below the baseline.
    """
    at = deflection(v_mv, rate_hz, start_s, end_s) / rate_hz
    peak = mean_between(v_mv, rate_hz, at - PEAK_WIDTH_S / 2, at + PEAK_WIDTH_S / 2)
    steady = mean_between(v_mv, rate_hz, end_s - BASELINE_S, end_s)
    return (peak - steady) / (peak - baseline_mv) if peak < baseline_mv else float("nan")


def time_constant(v_mv: Floats, rate_hz: float, start_s: float, end_s: float, baseline_mv: float) -> float:
    """Time constant of an exponential from 10% of the deflection to its lowest point, ms.

    Parameters
    ----------
    v_mv : ndarray, shape (n_times,)
        Membrane potential, mV.
    rate_hz : float
        Sampling rate, Hz.
    start_s, end_s : float
        The square, s.
    baseline_mv : float
        Potential before it, mV.

    Returns
    -------
    float
        Time constant, ms; NaN if no exponential fits.
    """
    first, lowest = fit_window(v_mv, rate_hz, start_s, end_s, baseline_mv)
    if first == lowest:
        return float("nan")
    y = v_mv[first:lowest]
    tau = fit_exponential(y - y.mean()) / rate_hz * 1e3
    return tau if tau < _LONGEST_SQUARES * 1e3 * (end_s - start_s) else float("nan")


def fit_window(v_mv: Floats, rate_hz: float, start_s: float, end_s: float, baseline_mv: float) -> tuple[int, int]:
    """Samples that `time_constant` fits: first, and last plus one; equal if there are too few."""
    lowest = deflection(v_mv, rate_hz, start_s, end_s)
    begin = time_index(start_s, 1.0 / rate_hz)
    level = FIT_FROM * (v_mv[lowest] - baseline_mv) + baseline_mv
    below = np.flatnonzero(v_mv[begin : lowest + 1] <= level)
    if not below.size or lowest - (begin + below[0]) < 10:
        return lowest, lowest
    return begin + int(below[0]), lowest


def fit_exponential(y: Floats) -> float:
    """Time constant, in samples, of the best-fitting exponential of any amplitude and asymptote.

    Amplitude and asymptote follow from the time constant by linear least squares, so only the time constant
    is searched: on a grid with a subset of the samples, then between the best grid points with all.

    Parameters
    ----------
    y : ndarray, shape (n_times,)
        Values less their mean.

    Returns
    -------
    float
        Time constant, samples; NaN if the optimum is at either end of the search range.

    References
    ----------
    .. [1] Golub, Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares
       problems whose variables separate", SIAM J. Numer. Anal. 10, 1973.
    """
    grid = np.geomspace(2.0, 20.0 * y.size, _GRID)
    step = max(1, y.size // _GRID_SAMPLES)
    coarse = np.ascontiguousarray(y[::step] - y[::step].mean())
    misfits = [exponential_misfit(coarse, float(np.exp(-step / tau))) for tau in grid]
    best = int(np.argmin(misfits))
    if best in (0, _GRID - 1):
        return float("nan")
    span = (float(np.log(grid[best - 1])), float(np.log(grid[best + 1])))
    found = minimize_scalar(
        lambda log_tau: exponential_misfit(y, float(np.exp(-np.exp(-log_tau)))),
        bounds=span,
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x))


@compiled
def exponential_misfit(y: Floats, ratio: float) -> float:
    """Least sum of squares about ``end + size * ratio**k`` over all `end` and `size`.

    Parameters
    ----------
    y : ndarray, shape (n_times,)
        Values less their mean.
    ratio : float
        Factor from one sample to the next.
    """
    e, n = 1.0, y.size
    sum_e = sum_ee = sum_ye = sum_yy = 0.0
    for k in range(n):
        sum_e += e
        sum_ee += e * e
        sum_ye += y[k] * e
        sum_yy += y[k] * y[k]
        e *= ratio
    spread = sum_ee - sum_e * sum_e / n
    return sum_yy - sum_ye * sum_ye / spread if spread > 0.0 else sum_yy


def line_slope(x: Floats, y: Floats) -> float:
    """Least-squares slope of `y` against `x`, both of shape (n,)."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    centred = x - x.mean()
    return float((centred * (y - y.mean())).sum() / (centred**2).sum())
