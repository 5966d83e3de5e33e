"""Passive properties from a square's response: arrays in, value out.

References
----------
.. [1] Allen Institute for Brain Science, AllenSDK 2.16, ``allensdk.ephys.ephys_extractor``.
"""

import numpy as np
from scipy.optimize import curve_fit

from neuroclass.ephys.spike_pass import time_index
from neuroclass.ephys.sweep import FloatArray

BASELINE_S = 0.1
PEAK_WIDTH_S = 0.005
FIT_FROM = 0.1  # share of the deflection at which the exponential fit starts


def mean_between(v_mv: FloatArray, rate_hz: float, start_s: float, end_s: float) -> float:
    """Mean potential from `start_s` to before `end_s`, mV; NaN where that is no sample."""
    dt = 1.0 / rate_hz
    part = v_mv[max(0, time_index(max(start_s, 0.0), dt)) : min(v_mv.size, time_index(max(end_s, 0.0), dt))]
    return float(part.mean()) if part.size else float("nan")


def baseline(v_mv: FloatArray, rate_hz: float, start_s: float, length_s: float) -> float:
    """Mean potential in the `length_s` before `start_s`, mV; NaN below 10 ms."""
    return mean_between(v_mv, rate_hz, start_s - length_s, start_s) if length_s >= 0.01 else float("nan")


def deflection(v_mv: FloatArray, rate_hz: float, start_s: float, end_s: float) -> int:
    """Sample of the lowest potential from `start_s` to before `end_s`."""
    dt = 1.0 / rate_hz
    begin = time_index(start_s, dt)
    stop = max(begin + 1, min(v_mv.size, time_index(end_s, dt)))
    return begin + int(np.argmin(v_mv[begin:stop]))


def sag(v_mv: FloatArray, rate_hz: float, start_s: float, end_s: float, baseline_mv: float) -> float:
    """Share of the peak deflection that is gone in the last 100 ms of a hyperpolarising square.

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
        (peak - steady) / (peak - baseline).
    """
    at = deflection(v_mv, rate_hz, start_s, end_s) / rate_hz
    peak = mean_between(v_mv, rate_hz, at - PEAK_WIDTH_S / 2, at + PEAK_WIDTH_S / 2)
    steady = mean_between(v_mv, rate_hz, end_s - BASELINE_S, end_s)
    return (peak - steady) / (peak - baseline_mv)


def time_constant(v_mv: FloatArray, rate_hz: float, start_s: float, end_s: float, baseline_mv: float) -> float:
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
        Time constant, ms; NaN where no exponential fits.
    """
    lowest = deflection(v_mv, rate_hz, start_s, end_s)
    begin = time_index(start_s, 1.0 / rate_hz)
    level = FIT_FROM * (v_mv[lowest] - baseline_mv) + baseline_mv
    below = np.flatnonzero(v_mv[begin : lowest + 1] <= level)
    if not below.size or lowest - (begin + below[0]) < 10:
        return float("nan")
    first = begin + int(below[0])
    x = np.arange(lowest - first) * (1.0 / rate_hz)
    y = v_mv[first:lowest]
    guess = (float(v_mv[first] - v_mv[lowest]), 50.0, float(v_mv[lowest]))
    try:
        (_, rate, _), _ = curve_fit(_exponential, x, y, p0=guess, jac=_exponential_slopes)
    except RuntimeError:
        return float("nan")
    tau = 1e3 / rate if rate else float("nan")
    return float(tau) if 0 < tau < 1e3 * (end_s - start_s) * 10 else float("nan")


def _exponential(x: FloatArray, a: float, rate: float, end: float) -> FloatArray:
    return end + a * np.exp(-rate * x)


def _exponential_slopes(x: FloatArray, a: float, rate: float, _end: float) -> FloatArray:
    decay = np.exp(-rate * x)
    return np.column_stack([decay, -a * x * decay, np.ones_like(x)])


def line_slope(x: FloatArray, y: FloatArray) -> float:
    """Least-squares slope of `y` against `x`, both of shape (n,)."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    centred = x - x.mean()
    return float((centred * (y - y.mean())).sum() / (centred**2).sum())
