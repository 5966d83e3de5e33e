"""Whether a pair of traces is what a neuron and a current injected into it look like, whatever the scale."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.ephys.sweep import Sweep
from neuroclass.types.arrays import Floats, Integers

REST_MV = (-100.0, -40.0)
"""Where cortical neurons rest, generously: Allen Cell Types Database, 1st to 99th percentile −87 to −55 mV."""
RESISTANCE_MOHM = (10.0, 2000.0)
"""Input resistances of neurons, generously; the database's are 30 to 700 MOhm."""
SPIKE_MV = (40.0, 150.0)
PEAK_MV = (-30.0, 75.0)
LOWEST_MV = -220.0
CURRENT_PA = (1.0, 10_000.0)
_SPIKE_MS = (0.1, 6.0)
_BLOCK_S = 2e-3
_CORRELATED = 0.4
_LOCKED_S = 3e-3
_MOST = 40


@dataclass(frozen=True)
class Potential:
    """A channel read as a potential, in whatever scale.

    Attributes
    ----------
    rest, top, low : float
        Level at the start of sweeps, highest and lowest that lasts for three samples.
    spike_ms : float
        Median width of excursions beyond half of the way from rest to top, ms; NaN without one.
    locked : float
        Share of these excursions that begin when the current steps.
    """

    rest: float
    top: float
    low: float
    spike_ms: float
    locked: float

    def scaled(self, factor: float, offset: float = 0.0) -> "Potential":
        """The same trace times a positive factor, plus an offset."""
        rest, top, low = (x * factor + offset for x in (self.rest, self.top, self.low))
        return Potential(rest, top, low, self.spike_ms, self.locked)

    @property
    def has_spikes(self) -> bool:
        """Whether its excursions have a spike's height, peak and width."""
        return (
            SPIKE_MV[0] <= self.top - self.rest <= SPIKE_MV[1]
            and PEAK_MV[0] <= self.top <= PEAK_MV[1]
            and _SPIKE_MS[0] <= self.spike_ms <= _SPIKE_MS[1]
        )

    @property
    def is_neuronal(self) -> bool:
        """Whether it rests as a neuron does and moves no further."""
        return REST_MV[0] <= self.rest <= REST_MV[1] and self.top <= PEAK_MV[1] and self.low >= LOWEST_MV


@dataclass(frozen=True)
class Shape:
    """A pair of channels read as potential and current, in whatever scale.

    Attributes
    ----------
    potential : Potential
        The potential.
    holding : float
        Current at the start of sweeps.
    amplitude : float
        How far the current moves from there; 0 where it is unknown.
    slope : float
        Rise of the potential with the current; NaN where they are not correlated.
    current : ndarray, shape (n_blocks,)
        The current, block by block, to compare it with another channel's.
    """

    potential: Potential
    holding: float
    amplitude: float
    slope: float
    current: Floats


def shape_of(sweeps: Sequence[Sweep]) -> Shape | None:
    """Describe sweeps; None where they hold no finite samples.

    Parameters
    ----------
    sweeps : sequence of Sweep
        Sweeps of one cell, in any scale; at most 40 of them are looked at.
    """
    step = -(-len(sweeps) // _MOST)
    chosen = [s for s in sweeps[::step] if s.n_times > 20 and np.isfinite(s.v_mv).any()]
    if not chosen:
        return None
    blocks = [_blocks(s) for s in chosen]
    v, i = (np.concatenate([pair[k] for pair in blocks]) for k in (0, 1))
    known = np.isfinite(i) & np.isfinite(v)
    holding = float(np.median([np.nanmedian(_start(s.i_pa)) for s in chosen])) if known.any() else float("nan")
    amplitude = float(np.percentile(np.abs(i[known] - holding), 99.9)) if known.any() else 0.0
    return Shape(_potential(chosen), holding, amplitude, _slope(v[known], i[known]), i)


def _start(values: Floats) -> Floats:
    return values[: max(1, values.size // 10)]


def _blocks(sweep: Sweep) -> tuple[Floats, Floats]:
    """Medians of potential and current in blocks of 2 ms."""
    size = max(1, int(sweep.rate_hz * _BLOCK_S))
    n = sweep.n_times // size
    return tuple(np.median(x[: n * size].reshape(n, size), axis=1) for x in (sweep.v_mv, sweep.i_pa))


def _potential(sweeps: Sequence[Sweep]) -> Potential:
    rest = float(np.median([np.nanmedian(_start(s.v_mv)) for s in sweeps]))
    highest = [float(np.nanmax(_lasting(s.v_mv, np.minimum))) for s in sweeps]
    low = min(float(np.nanmin(_lasting(s.v_mv, np.maximum))) for s in sweeps)
    top = max(highest)
    widths, locked = [], []
    for sweep in sweeps:
        above = np.concatenate(([False], sweep.v_mv > (rest + top) / 2, [False])).astype(np.int8)
        edges = np.flatnonzero(np.diff(above))
        widths += ((edges[1::2] - edges[::2]) / sweep.rate_hz * 1e3).tolist()
        locked += _near_steps(edges[::2], sweep.i_pa, _LOCKED_S * sweep.rate_hz)
    return Potential(
        rest, top, low, float(np.median(widths)) if widths else float("nan"), float(np.mean(locked)) if locked else 0.0
    )


def _near_steps(samples: Integers, current: Floats, within: float) -> list[bool]:
    """Whether each of some samples follows a step of the current, or precedes it, by fewer samples than given."""
    steps = np.flatnonzero(np.abs(np.diff(current)) > 0.2 * np.ptp(current))
    if steps.size == 0:
        return [False] * samples.size
    after = np.searchsorted(steps, samples).clip(1, steps.size) - 1
    nearest = np.minimum(np.abs(samples - steps[after]), np.abs(samples - steps[(after + 1).clip(max=steps.size - 1)]))
    return [bool(near) for near in nearest < within]


def _lasting(values: Floats, reduce: np.ufunc) -> Floats:
    """Extremes of three samples in a row, so that one odd sample counts for nothing."""
    whole: Floats = reduce(reduce(values[:-2], values[1:-1]), values[2:])
    return whole


def _slope(v: Floats, i: Floats) -> float:
    """Slope of a line through the blocks, spikes left out; NaN where the correlation is weak."""
    if v.size < 20 or np.ptp(i) == 0:
        return float("nan")
    quiet = v <= np.percentile(v, 98)
    v, i = v[quiet], i[quiet]
    if v.size < 20 or np.ptp(i) == 0 or np.ptp(v) == 0:
        return float("nan")
    covariance = np.cov(i, v)
    correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    return float(covariance[0, 1] / covariance[0, 0]) if abs(correlation) >= _CORRELATED else float("nan")


def same_current(one: Shape, other: Shape) -> bool:
    """Whether two channels hold one current: proportional block by block, such as a command and its record."""
    if one.current.size != other.current.size:
        return False
    known = np.isfinite(one.current) & np.isfinite(other.current)
    a, b = one.current[known], other.current[known]
    return a.size > 20 and np.ptp(a) > 0 and np.ptp(b) > 0 and float(np.corrcoef(a, b)[0, 1]) > 0.9
