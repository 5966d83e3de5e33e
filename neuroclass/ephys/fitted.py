"""The fits behind the long-square features, for drawing on the traces they were measured on.

The sweeps are those recorded in `CellFeatures`; no choice is made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.ephys.cell_features import CellFeatures, sweep_of
from neuroclass.ephys.measures import respond, rest_before
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.settings import SpikeSettings
from neuroclass.ephys.subthreshold import (
    BASELINE_S,
    PEAK_WIDTH_S,
    deflection,
    fit_window,
    mean_between,
    time_constant,
)
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.features import Stimulus
from neuroclass.types.arrays import Floats


@dataclass(frozen=True, eq=False)
class TauFit:
    """One exponential fit.

    Attributes
    ----------
    sweep : int
        Number of the sweep.
    t_s, v_mv : ndarray, shape (n_times,)
        The fitted curve, s and mV.
    tau_ms : float
        Its time constant, ms.
    """

    sweep: int
    t_s: Floats
    v_mv: Floats
    tau_ms: float


@dataclass(frozen=True)
class Sag:
    """The three levels that define the sag.

    Attributes
    ----------
    sweep : int
        Number of the sweep.
    baseline, peak, steady : tuple of float
        Start (s), end (s) and mean potential (mV) of each stretch.
    value : float
        (peak − steady) / (peak − baseline).
    """

    sweep: int
    baseline: tuple[float, float, float]
    peak: tuple[float, float, float]
    steady: tuple[float, float, float]
    value: float


@dataclass(frozen=True, eq=False)
class Line:
    """Points and their least-squares line.

    Attributes
    ----------
    sweeps : tuple of int
        Sweep of each point.
    x, y : ndarray, shape (n_points,)
        The points.
    slope, intercept : float
        The line; NaN if there is none.
    """

    sweeps: tuple[int, ...]
    x: Floats
    y: Floats
    slope: float
    intercept: float


def _squares(recording: Recording, features: CellFeatures, name: str) -> list[tuple[Sweep, Epoch]]:
    """The sweeps a feature was measured on, with their long squares."""
    if name not in features.provenance:
        return []
    wanted = features.provenance[name].sweeps
    found = [e for e in features.epochs if e.stimulus is Stimulus.LONG_SQUARE and e.usable]
    first = {e.sweep_number: e for e in reversed(found)}
    return [(sweep_of(recording, number), first[number]) for number in wanted if number in first]


def tau_fits(recording: Recording, features: CellFeatures) -> tuple[TauFit, ...]:
    """The exponential fits whose mean is ``tau``.

    Parameters
    ----------
    recording : Recording
        The sweeps.
    features : CellFeatures
        Output of `extract_features`.

    Returns
    -------
    tuple of TauFit
        Empty if tau was not measured.
    """
    fits = []
    for sweep, epoch in _squares(recording, features, "tau"):
        where = (
            sweep.v_mv,
            sweep.rate_hz,
            epoch.start_s,
            epoch.end_s,
            rest_before(sweep, epoch, features.activity[sweep.number]),
        )
        tau_ms = time_constant(*where)
        first, stop = fit_window(*where)
        if not np.isfinite(tau_ms) or first == stop:
            continue
        t = np.arange(first, stop) / sweep.rate_hz
        decay = np.exp(-(t - t[0]) * 1e3 / tau_ms)
        size, end = np.polyfit(decay, sweep.v_mv[first:stop], 1)
        fits.append(TauFit(sweep.number, t, end + size * decay, tau_ms))
    return tuple(fits)


def sag_levels(recording: Recording, features: CellFeatures) -> Sag | None:
    """The levels whose ratio is ``sag``; None if it was not measured. See `tau_fits`."""
    for sweep, epoch in _squares(recording, features, "sag"):
        lowest = deflection(sweep.v_mv, sweep.rate_hz, epoch.start_s, epoch.end_s) / sweep.rate_hz
        spans = (
            (epoch.start_s - epoch.baseline_s, epoch.start_s),
            (lowest - PEAK_WIDTH_S / 2, lowest + PEAK_WIDTH_S / 2),
            (epoch.end_s - BASELINE_S, epoch.end_s),
        )
        levels = [mean_between(sweep.v_mv, sweep.rate_hz, *span) for span in spans]
        levels[0] = rest_before(sweep, epoch, features.activity[sweep.number])
        rest, peak, steady = ((*span, level) for span, level in zip(spans, levels, strict=True))
        return Sag(sweep.number, rest, peak, steady, (levels[1] - levels[2]) / (levels[1] - levels[0]))
    return None


def voltage_current(recording: Recording, features: CellFeatures) -> Line | None:
    """Lowest potential (mV) against the current there (pA), with slope ``ri``; None if not measured.

    The slope is in mV/pA, a thousandth of the input resistance in MOhm.
    """
    pairs = _squares(recording, features, "ri")
    if not pairs:
        return None
    x, y = [], []
    for sweep, epoch in pairs:
        k = deflection(sweep.v_mv, sweep.rate_hz, epoch.start_s, epoch.end_s)
        current = epoch.amplitude_pa if sweep.recorded_current else float(sweep.i_pa[k]) - epoch.holding_pa
        x.append(current)
        y.append(float(sweep.v_mv[k]))
    numbers = [sweep.number for sweep, _ in pairs]
    if len(x) == 1 or np.ptp(x) < 1e-9:
        x.append(0.0)
        y.append(float(np.mean([rest_before(sweep, epoch, features.activity[sweep.number]) for sweep, epoch in pairs])))
        numbers.append(numbers[0])
    return _line(numbers, x, y)


def lowest_point(recording: Recording, features: CellFeatures, number: int) -> tuple[float, float]:
    """Time (s) and potential (mV) of the lowest point of a sweep's long square; NaN if it has none."""
    for sweep, epoch in _squares(recording, features, "ri"):
        if sweep.number == number:
            k = deflection(sweep.v_mv, sweep.rate_hz, epoch.start_s, epoch.end_s)
            return k / sweep.rate_hz, float(sweep.v_mv[k])
    return float("nan"), float("nan")


def rest_levels(recording: Recording, features: CellFeatures) -> list[tuple[int, float, float, float]]:
    """Sweep, start (s), end (s) and mean potential (mV) of the baselines whose mean is ``vrest``."""
    pairs = _squares(recording, features, "vrest")
    return [
        (s.number, e.start_s - min(e.baseline_s, BASELINE_S), e.start_s, rest_before(s, e, features.activity[s.number]))
        for s, e in pairs
    ]


def rate_current(
    recording: Recording, features: CellFeatures, settings: SpikeSettings = SpikeSettings()
) -> Line | None:
    """Firing rate (Hz) against amplitude (pA) of every whole long square.

    Parameters
    ----------
    recording, features
        See `tau_fits`.
    settings : SpikeSettings
        The settings the features were measured with.

    Returns
    -------
    Line or None
        None without a long square; the line is that of ``f_i_curve_slope``, NaN if it was not measured.
    """
    squares = [e for e in features.epochs if e.stimulus is Stimulus.LONG_SQUARE and e.usable]
    if not squares:
        return None
    activity = features.activity
    found = [
        respond(sweep_of(recording, e.sweep_number), e, settings, activity[e.sweep_number]).n_spikes / e.duration_s
        for e in squares
    ]
    place = features.provenance.get("f_i_curve_slope")
    fitted = set(place.sweeps) if place else set()
    numbers = [e.sweep_number for e in squares]
    x, y = np.array([e.amplitude_pa for e in squares]), np.array(found)
    used = np.array([number in fitted for number in numbers])
    if not used.any():
        return Line(tuple(numbers), x, y, float("nan"), float("nan"))
    slope, intercept = np.polyfit(x[used], y[used], 1)
    return Line(tuple(numbers), x, y, float(slope), float(intercept))


def _line(numbers: Sequence[int], x: Sequence[float], y: Sequence[float]) -> Line:
    slope, intercept = np.polyfit(x, y, 1)
    return Line(tuple(numbers), np.array(x), np.array(y), float(slope), float(intercept))
