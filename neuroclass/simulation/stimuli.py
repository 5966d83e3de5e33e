"""The database's stimulus set as current waveforms at 50 kHz.

References
----------
.. [1] Allen Institute for Brain Science, Allen Cell Types Database, technical white paper
   "Electrophysiology", 2017 (durations, ramp slope, noise epochs).
.. [2] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, Figure 2 (noise: pink, CV 0.2, at 0.75, 1 and
   1.5 × rheobase).
"""

from functools import lru_cache

import numpy as np

from neuroclass.simulation.models import DT_MS
from neuroclass.types.arrays import Floats

RATE_HZ = 1000.0 / DT_MS
LEAD_S = 0.5
LONG_S, SHORT_S, NOISE_S = 1.0, 0.003, 3.0
LONG_TAIL_S, SHORT_TAIL_S, NOISE_GAP_S = 0.5, 0.5, 1.0
RAMP_PA_PER_S = 25.0
NOISE_CV = 0.2
NOISE_LEVELS = (0.75, 1.0, 1.5)
NOISE_BAND_HZ = (1.0, 500.0)


def samples(seconds: float) -> int:
    """Number of samples in a span of time."""
    return round(seconds * RATE_HZ)


def square(amplitude_pa: float, duration_s: float, tail_s: float) -> Floats:
    """Square pulse after `LEAD_S` of rest, pA, shape (n_times,)."""
    current = np.zeros(samples(LEAD_S + duration_s + tail_s))
    current[samples(LEAD_S) : samples(LEAD_S + duration_s)] = amplitude_pa
    return current


def long_square(amplitude_pa: float) -> Floats:
    """Long square: 1 s."""
    return square(amplitude_pa, LONG_S, LONG_TAIL_S)


def short_square(amplitude_pa: float) -> Floats:
    """Short square: 3 ms."""
    return square(amplitude_pa, SHORT_S, SHORT_TAIL_S)


def ramp(end_pa: float) -> Floats:
    """Ramp of 25 pA/s from 0 to `end_pa`, after `LEAD_S` of rest."""
    n_rest, n_rise = samples(LEAD_S), samples(end_pa / RAMP_PA_PER_S)
    return np.concatenate([np.zeros(n_rest), RAMP_PA_PER_S * np.arange(n_rise) / RATE_HZ])


@lru_cache(maxsize=8)
def _pink(seed: int, n_times: int) -> Floats:
    """Pink noise of mean 0 and standard deviation 1, rounded to 1e-9; the same for every cell."""
    spectrum = np.fft.rfft(np.random.Generator(np.random.PCG64(seed)).standard_normal(n_times))
    frequency = np.fft.rfftfreq(n_times, 1 / RATE_HZ)
    inside = (frequency >= NOISE_BAND_HZ[0]) & (frequency <= NOISE_BAND_HZ[1])
    spectrum[~inside] = 0.0
    spectrum[inside] /= np.sqrt(frequency[inside])
    noise = np.fft.irfft(spectrum, n_times)
    frozen = np.round((noise - noise.mean()) / noise.std(), 9)
    frozen.flags.writeable = False
    return frozen


def noise(base_pa: float, variant: int, epoch_s: float = NOISE_S) -> Floats:
    """Three epochs of frozen pink noise at 0.75, 1 and 1.5 × `base_pa`, coefficient of variation 0.2.

    Parameters
    ----------
    base_pa : float
        Rheobase estimated at the rig, pA.
    variant : int
        1 or 2, one of the two frozen waveforms.
    epoch_s : float
        Duration of each epoch, s; a shorter one is cut from the whole.

    Returns
    -------
    ndarray, shape (n_times,)
        Current, pA.
    """
    n_epoch, gap = samples(epoch_s), np.zeros(samples(NOISE_GAP_S))
    parts = [np.zeros(samples(LEAD_S))]
    for number, level in enumerate(NOISE_LEVELS):
        wave = _pink(10 * variant + number, samples(NOISE_S))[:n_epoch]
        parts += [level * base_pa * (1 + NOISE_CV * wave), gap]
    return np.concatenate(parts)
