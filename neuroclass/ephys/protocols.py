"""Recognise a sweep's stimuli from its current.

A sweep's current is compared with its holding level; each stretch away from it becomes one epoch or,
where it steps between levels, several. The stimulus name in the file settles only what
the shape leaves open.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import median_filter

from neuroclass.ephys.settings import ProtocolSettings
from neuroclass.ephys.sweep import Sweep
from neuroclass.ephys.waveform import Shape, describe
from neuroclass.features import Stimulus
from neuroclass.types.arrays import Floats

_ANALYSIS_HZ = 10_000.0  # a measured current is reduced to about this rate before it is segmented
_LASTING = 100  # reduced samples from which a small excursion of a noisy current counts
_MANY, _CROSSING = 10, 50  # with more runs than the first, gaps of fewer reduced samples than the second are noise's
TEST_PULSE = "test pulse"


@dataclass(frozen=True)
class Epoch:
    """One stimulus within one sweep.

    Attributes
    ----------
    sweep_number : int
        The sweep's number in its file.
    index : int
        Index among the sweep's epochs, from 0.
    stimulus : Stimulus or None
        The recognised stimulus; None if it is not one of those behind the 41 features.
    start_s, end_s : float
        First sample of the epoch and first after it, s.
    amplitude_pa : float
        Level of a square, last value of a ramp or mean of noise, less the holding current, pA.
    holding_pa : float
        Current before the epoch, pA.
    from_rest : bool
        Whether the current was at the holding level before.
    truncated : bool
        Whether the sweep ends within the epoch.
    baseline_s : float
        Length of the usable baseline before the epoch, s.
    response_end_s : float
        Start of the next epoch, or the sweep's end, s.
    note : str
        Why it was recognised as such.
    kind : str
        The current's shape: "square", "ramp", "noise" or "other".
    """

    sweep_number: int
    index: int
    stimulus: Stimulus | None
    start_s: float
    end_s: float
    amplitude_pa: float
    holding_pa: float
    from_rest: bool = True
    truncated: bool = False
    baseline_s: float = 0.0
    response_end_s: float = 0.0
    note: str = ""
    kind: str = ""

    @property
    def duration_s(self) -> float:
        """Duration, s."""
        return self.end_s - self.start_s

    @property
    def usable(self) -> bool:
        """Whether features can be measured on it: whole, and a long square or ramp starts from rest."""
        if self.stimulus in (Stimulus.LONG_SQUARE, Stimulus.RAMP):
            return self.from_rest and not self.truncated
        return self.stimulus is not None and not self.truncated


@dataclass(frozen=True, eq=False)
class _Current:
    """A current prepared for segmentation: downsampled and smoothed if it was measured with noise."""

    values: Floats
    step: int
    noise_pa: float
    holding_pa: float
    tolerance_pa: float


def find_epochs(sweep: Sweep, settings: ProtocolSettings = ProtocolSettings()) -> tuple[Epoch, ...]:
    """Recognise the stimuli of one sweep from its current.

    Parameters
    ----------
    sweep : Sweep
        A current-clamp sweep.
    settings : ProtocolSettings
        Limits between the stimuli.

    Returns
    -------
    tuple of Epoch
        In order of time; empty if the current is unknown or never leaves its holding level.
    """
    if not sweep.current_known or sweep.duration_s < 0.01:
        return ()
    current = _prepare(sweep, settings)
    pieces: list[tuple[int, int, Shape]] = []
    for begin, stop in _active_runs(current):
        pieces.extend(describe(current.values, begin, stop, current.noise_pa, current.holding_pa))
    rate = sweep.rate_hz / current.step
    epochs: list[Epoch] = []
    settled_s = 0.0
    for begin, stop, shape in pieces:
        start_s, end_s = _edges(sweep, current, begin, stop)
        gap_s = start_s - settled_s
        stimulus, note = _name(shape, end_s - start_s, sweep.stimulus_name, settings)
        epochs.append(
            Epoch(
                sweep.number,
                len(epochs),
                stimulus,
                start_s,
                end_s,
                shape.amplitude_pa,
                current.holding_pa,
                from_rest=gap_s >= settings.rest_s or (not epochs and gap_s >= 0.005),
                truncated=stop >= current.values.size and shape.kind != "ramp",
                baseline_s=max(0.0, min(0.1, gap_s if not epochs else gap_s - 0.02)),
                note=note,
                kind=shape.kind,
            )
        )
        settled_s = stop / rate
    ends = [*(epoch.start_s for epoch in epochs[1:]), sweep.duration_s]
    bounded = tuple(replace(e, response_end_s=end) for e, end in zip(epochs, ends, strict=False))
    return _mark_test_pulses(bounded, settings)


def _prepare(sweep: Sweep, settings: ProtocolSettings) -> _Current:
    i = sweep.i_pa
    noise = _noise_sd(i, sweep.rate_hz)
    if noise <= 1e-6 * max(1.0, float(np.ptp(i))):
        holding = _holding(i, sweep.rate_hz)
        return _Current(i, 1, 0.0, holding, settings.min_amplitude_pa)
    step = max(1, round(sweep.rate_hz / _ANALYSIS_HZ))
    n = i.size // step
    reduced = np.median(i[: n * step].reshape(n, step), axis=1)
    smooth = median_filter(reduced, size=9, mode="nearest")
    noise = _noise_sd(smooth, sweep.rate_hz / step, window_s=0.02)
    tolerance = max(settings.min_amplitude_pa, settings.noise_factor * noise)
    return _Current(smooth, step, noise, _holding(smooth, sweep.rate_hz / step), tolerance)


def _noise_sd(i: Floats, rate_hz: float, window_s: float = 0.005) -> float:
    """Standard deviation of the current in its quieter stretches, pA."""
    width = max(8, int(window_s * rate_hz))
    n = i.size // width
    if n < 2:
        return float(i.std())
    return float(np.percentile(i[: n * width].reshape(n, width).std(axis=1), 20))


def _holding(i: Floats, rate_hz: float) -> float:
    """Holding current, pA: the level at the sweep's start, or at its end if it starts within a stimulus."""
    width = max(4, int(0.004 * rate_hz))
    first, last = i[:width], i[-width:]
    level = float(np.median(first))
    if np.ptp(first) <= max(0.5, 0.02 * float(np.ptp(i))) + 8 * _noise_sd(i, rate_hz, 0.002):
        return level
    return float(np.median(last))


def _active_runs(current: _Current) -> list[tuple[int, int]]:
    """Stretches away from the holding level, merged where a noisy current merely crosses it."""
    away = np.abs(current.values - current.holding_pa) > current.tolerance_pa
    edges = np.flatnonzero(np.diff(np.concatenate(([False], away, [False])).astype(np.int8)))
    runs = [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    joined: list[tuple[int, int]] = []
    bridged = _CROSSING if len(runs) > _MANY else _MANY
    for begin, stop in runs:
        if joined and _passes_through(current, joined[-1][1], begin, bridged):
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((begin, stop))
    if current.noise_pa > 0:
        return [(a, b) for a, b in joined if b - a >= _LASTING or _stands_out(current, a, b)]
    return joined


def _stands_out(current: _Current, begin: int, stop: int) -> bool:
    """Whether a brief excursion of a noisy current clearly exceeds the noise."""
    size = abs(float(np.median(current.values[begin:stop])) - current.holding_pa)
    return stop - begin >= 4 and size > 4 * current.tolerance_pa


def _passes_through(current: _Current, begin: int, stop: int, bridged: int) -> bool:
    gap = current.values[begin:stop]
    if current.noise_pa > 0:
        return stop - begin < bridged or abs(float(np.median(gap)) - current.holding_pa) > 0.5 * current.tolerance_pa
    return bool((gap == current.holding_pa).mean() < 0.5)


def _edges(sweep: Sweep, current: _Current, begin: int, stop: int) -> tuple[float, float]:
    """Start and end of an epoch, s, exact to the sample even if the current was downsampled."""
    rate = sweep.rate_hz
    if current.step == 1 and current.noise_pa == 0:
        first = begin
        while first > 1 and 0 < abs(current.values[first - 1] - current.holding_pa) <= current.tolerance_pa:
            first -= 1
        return first * (1.0 / rate), stop * (1.0 / rate)
    return _refine(sweep, current, begin) * (1.0 / rate), _refine(sweep, current, stop) * (1.0 / rate)


def _refine(sweep: Sweep, current: _Current, edge: int) -> int:
    """The sample near an edge where the current crosses the midpoint between its two sides."""
    values, step = current.values, current.step
    if edge <= 0 or edge >= values.size:
        return min(edge * step, sweep.n_times)
    before, after = float(values[max(0, edge - 6)]), float(values[min(values.size - 1, edge + 6)])
    low, high = max(0, (edge - 6) * step), min(sweep.n_times, (edge + 6) * step)
    half = 0.5 * (before + after)
    side = sweep.i_pa[low:high] > half if after > before else sweep.i_pa[low:high] < half
    crossed = np.flatnonzero(side)
    return low + int(crossed[0]) if crossed.size and before != after else edge * step


def _name(shape: Shape, duration_s: float, name: str, settings: ProtocolSettings) -> tuple[Stimulus | None, str]:
    """The stimulus for a shape, with the reason."""
    lower = name.lower()
    if shape.kind == "ramp":
        if duration_s >= settings.ramp_min_s:
            return Stimulus.RAMP, "the current rises or falls in a line"
        return None, f"a ramp of {duration_s * 1e3:.3g} ms is too short"
    if shape.kind == "noise":
        if duration_s >= settings.noise_min_s:
            return Stimulus.NOISE, "the current is irregular"
        return None, f"an irregular current of {duration_s * 1e3:.3g} ms is too short for noise"
    if shape.kind != "square":
        return None, "the current is neither square, ramp nor noise"
    if duration_s >= settings.long_min_s:
        return Stimulus.LONG_SQUARE, f"one level for {settings.long_min_s * 1e3:g} ms or longer"
    if duration_s <= settings.short_max_s:
        if shape.amplitude_pa > 0:
            return Stimulus.SHORT_SQUARE, f"one level for {settings.short_max_s * 1e3:g} ms or less"
        return None, "a short hyperpolarising square is a test pulse"
    for word, stimulus in (("short", Stimulus.SHORT_SQUARE), ("long", Stimulus.LONG_SQUARE)):
        if word in lower:
            return stimulus, f"one level, called {word} by its name"
    return None, f"a square of {duration_s * 1e3:.3g} ms is neither short nor long"


def _mark_test_pulses(epochs: tuple[Epoch, ...], settings: ProtocolSettings) -> tuple[Epoch, ...]:
    """Mark a brief square before a sweep's stimulus as a test pulse."""
    out = []
    for k, epoch in enumerate(epochs):
        later = [e for e in epochs[k + 1 :] if e.stimulus is not None]
        brief = epoch.duration_s < settings.long_min_s
        main = any(
            e.stimulus is not Stimulus.SHORT_SQUARE or abs(e.amplitude_pa) > 2 * abs(epoch.amplitude_pa) for e in later
        )
        adjoins = any(e.start_s - epoch.end_s < 0.002 for e in epochs[k + 1 : k + 2])
        if brief and main and not adjoins and epoch.stimulus in (None, Stimulus.SHORT_SQUARE):
            out.append(replace(epoch, stimulus=None, note=TEST_PULSE))
        else:
            out.append(epoch)
    return tuple(out)
