"""How much a low sampling rate biases spike features.

The shifts were measured on simulated spikes of 0.3 and 0.6 ms width against the same spikes at
200 kHz, as means over six places of the samples relative to the peak.
"""

import numpy as np

ENOUGH_HZ = 40_000.0
# Rate, Hz: width too large by, %; peak too low by, mV; upstroke off by, %; each at 0.3 and at 0.6 ms.
_SHIFTS = {
    10_000.0: ((47.5, 21.2), (7.9, 2.9), (-19.0, -5.3)),
    12_500.0: ((26.8, 16.8), (5.9, 2.2), (-6.8, -1.8)),
    20_000.0: ((20.2, 8.8), (2.9, 1.0), (7.5, 1.7)),
    25_000.0: ((15.8, 6.9), (2.2, 0.7), (9.9, 1.8)),
    30_000.0: ((12.9, 5.6), (1.7, 0.5), (6.7, 1.5)),
}


def rate_warning(rate_hz: float) -> str:
    """Describe the effect of a sampling rate on spike features; empty if negligible.

    Parameters
    ----------
    rate_hz : float
        Sampling rate, Hz.
    """
    if rate_hz >= ENOUGH_HZ:
        return ""
    known = min(_SHIFTS, key=lambda rate: abs(np.log(rate / rate_hz)))
    width, peak, upstroke = _SHIFTS[known]
    least = " at least" if rate_hz < min(_SHIFTS) else ""
    filtered = "" if rate_hz > 20_000 else " and too low for the 10 kHz filter before dV/dt"
    return (
        f"Sampled at {rate_hz / 1e3:g} kHz, less than the database's 50 to 200 kHz{filtered}: for spikes of 0.3 and "
        f"0.6 ms at {known / 1e3:g} kHz, widths come out{least} {width[0]:g} and {width[1]:g}% too large, "
        f"peaks {peak[0]:g} and {peak[1]:g} mV too low, upstrokes {upstroke[0]:+g} and {upstroke[1]:+g}% off."
    )
