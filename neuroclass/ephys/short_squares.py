"""Features of short squares, whose own charging of the membrane must be told from a spike's rise.

References
----------
.. [1] Allen Institute for Brain Science, AllenSDK 2.16, ``allensdk.ephys.ephys_features``
   (``estimate_adjusted_detection_parameters``).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neuroclass.ephys.activity import LATEST_S, square_edges
from neuroclass.ephys.measures import Measured, Provenance, Response, first_spikes, last_time
from neuroclass.ephys.settings import SpikeSettings
from neuroclass.ephys.spikes import Spikes, detect_spikes, filtered_derivative
from neuroclass.features import Stimulus, features_of

SHORT_SHARE = 0.1  # minimum share of the mean upstroke at a short square's threshold
NOT_BACK = "the potential is not back at the spike's threshold before the next stimulus or the sweep's end"
_WINDOW_S = 1e-3  # after the onset, in which AllenSDK takes the fastest rise for the membrane's charging
_CHARGED_S = 1.5e-4  # after the onset, in which an electrode's artefact ends
_REGENERATIVE = 1.5  # times the membrane's own charging, from which a rise is a spike's


def short_square_features(responses: Sequence[Response], settings: SpikeSettings) -> Measured:
    """Mean first spike over the short squares at the most common spiking amplitude."""
    out = Measured()
    names = features_of(Stimulus.SHORT_SQUARE)
    if not responses:
        out.lack(names, "no short square in the file")
        return out
    spiking = [r for r in _detected(responses, settings) if _evoked(r)]
    if not spiking:
        out.lack(names, "no spike in any short square")
        return out
    counts = Counter(_amplitude_key(r) for r in spiking)
    commonest = min(counts, key=lambda amplitude: (-counts[amplitude], amplitude))
    chosen = [r for r in spiking if _amplitude_key(r) == commonest]
    for name in names:
        if name == "threshold_i_short_square":
            amplitude = float(np.mean([r.epoch.amplitude_pa for r in chosen]))
            numbers = tuple(r.sweep.number for r in chosen)
            out.put(name, amplitude, Provenance(numbers, note="amplitude of the square"), "")
        else:
            first_spikes(out, name, chosen, NOT_BACK)
    return out


def _amplitude_key(response: Response) -> float:
    """Amplitude, pA, rounded so that repeats of a square share a key."""
    amplitude = response.epoch.amplitude_pa
    return float(round(amplitude / 10) * 10) if response.sweep.recorded_current else float(round(amplitude, 1))


def _evoked(response: Response) -> bool:
    """Whether the first spike after a square's onset begins soon enough to be its own."""
    times = response.spikes.time_s("threshold")[response.first_spike :]
    return bool(times.size and times[0] <= response.epoch.end_s + LATEST_S)


def _detected(responses: Sequence[Response], settings: SpikeSettings) -> list[Response]:
    """Responses with their spikes: by AllenSDK's rules [1]_, or by `_early_spikes` where the spike rises too soon."""
    early = {r.place: spikes for r in responses if (spikes := _early_spikes(r, settings)) is not None}
    ordinary = _adjusted([r for r in responses if r.place not in early], settings)
    return [*ordinary, *(replace(r, spikes=early[r.place]) for r in responses if r.place in early)]


def _adjusted(responses: Sequence[Response], settings: SpikeSettings) -> list[Response]:
    """Detect spikes with rules adjusted to how fast the square moves the potential in its first millisecond."""
    if not responses:
        return []
    highest, after, slopes = [], [], []
    for r in responses:
        dv = filtered_derivative(r.sweep.v_mv, r.sweep.rate_hz, settings)
        begin = round(r.epoch.start_s * r.sweep.rate_hz)
        stop = min(dv.size - 1, begin + max(1, round(_WINDOW_S * r.sweep.rate_hz)))
        highest.append(float(dv[begin:stop].max()) if stop > begin else settings.dv_cutoff)
        after.append(float(dv[stop]))
    cutoff = 1.1 * float(np.median(highest))
    if cutoff <= 0:
        cutoff = settings.dv_cutoff
    first = replace(settings, dv_cutoff=cutoff)
    for r in responses:
        slopes.extend(_pulse_spikes(r, first).slope["upstroke"].tolist())
    share = 1.2 * float(np.median(after)) / float(np.mean(slopes)) if slopes else SHORT_SHARE
    rules = replace(first, threshold_share=min(0.99, max(share, SHORT_SHARE)))
    return [replace(r, spikes=_pulse_spikes(r, rules)) for r in responses]


def _early_spikes(response: Response, settings: SpikeSettings) -> Spikes | None:
    """Spikes by a cutoff from the slowest charging before the first rise; None unless that begins within 1 ms.

    Such a spike raises AllenSDK's cutoff above itself. Under a constant current a passive membrane only slows down, so
    a rise that speeds up is a spike's.
    """
    sweep, epoch = response.sweep, response.epoch
    rate = sweep.rate_hz
    peaks = response.activity.spikes.indexes["peak"]
    settled = round(epoch.start_s * rate) + max(2, int(np.ceil(_CHARGED_S * rate)))
    peaks = peaks[(peaks > settled) & (peaks <= round((epoch.end_s + LATEST_S) * rate))]
    if not peaks.size:
        return None
    dv = filtered_derivative(sweep.v_mv, rate, settings)
    upstroke = settled + int(np.argmax(dv[settled : int(peaks[0]) + 1]))
    slowest = settled + int(np.argmin(dv[settled : upstroke + 1]))
    charging = max(float(dv[slowest]), 0.0)
    within = dv[slowest : min(upstroke, round((epoch.start_s + _WINDOW_S) * rate)) + 1]
    if not within.size or within.max() < max(_REGENERATIVE * charging, settings.dv_cutoff):
        return None
    share = min(0.99, max(1.2 * charging / float(dv[upstroke]), SHORT_SHARE))
    rules = replace(settings, dv_cutoff=max(settings.dv_cutoff, 1.1 * charging), threshold_share=share)
    return _pulse_spikes(response, rules, slowest / rate)


def _pulse_spikes(response: Response, settings: SpikeSettings, start_s: float | None = None) -> Spikes:
    """Spikes from the rest before a short square, or from a given time, to the end of the response."""
    sweep, epoch = response.sweep, response.epoch
    start = max(0.0, epoch.start_s - epoch.baseline_s) if start_s is None else start_s
    end = last_time(sweep, epoch.response_end_s)
    current = sweep.i_pa - epoch.holding_pa
    return detect_spikes(sweep.v_mv, current, sweep.rate_hz, start, end, settings, square_edges([epoch]))
