"""Spike trains, average spikes and the spectrum of a response: arrays in, arrays out.

References
----------
.. [1] Allen Institute for Brain Science, AllenSDK 2.16, ``allensdk.ephys.ephys_features`` (adaptation index).
.. [2] Welch, "The use of fast Fourier transform for the estimation of power spectra", IEEE Trans Audio 15, 1967.
"""

import numpy as np

from neuroclass.types.arrays import Floats, Integers

BEFORE_S, AFTER_S = 0.002, 0.004
SPECTRUM_HZ = 1000.0
_SEGMENT_S = 1.0
_ANALYSIS_HZ = 4000.0


def instantaneous_rate(times_s: Floats) -> tuple[Floats, Floats]:
    """Instantaneous rate of each interspike interval, at the later spike.

    Parameters
    ----------
    times_s : ndarray, shape (n_spikes,)
        Spike times, s, increasing.

    Returns
    -------
    t_s, rate_hz : ndarray, shape (n_spikes - 1,)
        Time of the later spike, s, and one over the interval, Hz.
    """
    times = np.asarray(times_s, dtype=np.float64)
    times = times[np.isfinite(times)]
    if times.size < 2:
        return np.empty(0), np.empty(0)
    return times[1:], 1.0 / np.diff(times)


def adaptation_index(times_s: Floats) -> float:
    """Mean of (next − this) / (next + this) over successive intervals [1]_; NaN below three spikes.

    Positive where intervals grow, 0 for regular firing.
    """
    intervals = np.diff(np.asarray(times_s, dtype=np.float64))
    if intervals.size < 2:
        return float("nan")
    return float(np.mean(np.diff(intervals) / (intervals[1:] + intervals[:-1])))


def average_spike(v_mv: Floats, rate_hz: float, peaks: Integers) -> tuple[Floats, Floats, Floats, int]:
    """Mean and standard deviation of the potential around spike peaks.

    Parameters
    ----------
    v_mv : ndarray, shape (n_times,)
        Membrane potential, mV.
    rate_hz : float
        Sampling rate, Hz.
    peaks : ndarray of int, shape (n_spikes,)
        Samples of the peaks; those too near the ends are left out.

    Returns
    -------
    t_ms, mean_mv, sd_mv : ndarray, shape (n,)
        From 2 ms before to 4 ms after the peak; empty without a spike.
    n_spikes : int
        Spikes averaged.
    """
    before, after = round(BEFORE_S * rate_hz), round(AFTER_S * rate_hz)
    inside = peaks[(peaks >= before) & (peaks + after < v_mv.size)]
    if not inside.size:
        return np.empty(0), np.empty(0), np.empty(0), 0
    pieces = v_mv[inside[:, None] + np.arange(-before, after + 1)]
    t_ms = np.arange(-before, after + 1) / rate_hz * 1e3
    return t_ms, pieces.mean(axis=0), pieces.std(axis=0), int(inside.size)


def power_spectrum(values: Floats, rate_hz: float) -> tuple[Floats, Floats]:
    """Power spectral density by Welch's method [2]_, 1 s segments, up to 1 kHz.

    Parameters
    ----------
    values : ndarray, shape (n_times,)
        A response or current.
    rate_hz : float
        Sampling rate, Hz.

    Returns
    -------
    frequency_hz, density : ndarray, shape (n,)
        Hz, and the square of the unit of `values` per Hz, without 0 Hz; empty below 0.2 s.
    """
    from scipy.signal import welch

    step = max(1, int(rate_hz // _ANALYSIS_HZ))
    whole = values.size // step * step
    reduced = values[:whole].reshape(-1, step).mean(axis=1)
    rate = rate_hz / step
    if reduced.size < 0.2 * rate:
        return np.empty(0), np.empty(0)
    frequency, density = welch(reduced, rate, nperseg=min(reduced.size, round(_SEGMENT_S * rate)))
    kept = (frequency > 0) & (frequency <= SPECTRUM_HZ)
    return frequency[kept], density[kept]
