"""The shape of a stretch of current: square, ramp, noise or something else."""

from dataclasses import dataclass

import numpy as np

from neuroclass.types.arrays import Floats, Integers

_LINE_RESIDUAL = 0.03  # of a ramp's rise
_FLAT_SPREAD = 0.02  # of a square's amplitude
_PLATEAU_SHARE = 0.95  # of a stretch that must be plateaus
_MAX_LEVELS = 60
_PREDICTABLE = 2e-3  # share of variance left by local linear prediction below which a current is periodic


@dataclass(frozen=True)
class Shape:
    """The shape of a stretch of current.

    Attributes
    ----------
    kind : str
        "square", "ramp", "noise" or "other".
    amplitude_pa : float
        Level, end or mean minus the holding current, pA.
    """

    kind: str
    amplitude_pa: float


def describe(i_pa: Floats, begin: int, stop: int, noise_pa: float, holding_pa: float) -> list[tuple[int, int, Shape]]:
    """Split a stretch of current at its steps and name each part's shape.

    Parameters
    ----------
    i_pa : ndarray, shape (n_times,)
        Current, pA.
    begin, stop : int
        The stretch, samples, `stop` exclusive.
    noise_pa : float
        Standard deviation of the current's noise, pA; 0 for a commanded current.
    holding_pa : float
        Holding current, pA.

    Returns
    -------
    list of (int, int, Shape)
        First sample, first sample after, and shape of each part.
    """
    x = i_pa[begin:stop] - holding_pa
    if is_flat(x, noise_pa):
        return [(begin, stop, Shape("square", float(np.median(x))))]
    line = ramp_end(x, noise_pa)
    if line is not None:
        return [(begin, stop, Shape("ramp", line))]
    plateaus = split_plateaus(x, noise_pa)
    if plateaus:
        return [(begin + a, begin + b, Shape("square", float(np.median(x[a:b])))) for a, b in plateaus]
    tail = _flat_tail(x, noise_pa)
    if 0 < tail < x.size:
        head = ramp_end(x[:tail], noise_pa)
        if head is not None:
            return [(begin, begin + tail, Shape("ramp", head))]
    kind = "noise" if is_irregular(x, noise_pa) else "other"
    return [(begin, stop, Shape(kind, float(x.mean())))]


def is_flat(x: Floats, noise_pa: float) -> bool:
    """Whether a current stays at one level, apart from noise and brief artefacts at spikes."""
    if noise_pa == 0:
        return bool(np.ptp(x) <= 1e-3 * np.abs(x).max())
    flank = min(5, x.size // 5)
    x = x[flank : x.size - flank]
    low, high = np.percentile(x, (10, 90))
    spread = max(6 * noise_pa, _FLAT_SPREAD * abs(float(np.median(x))))
    if high - low > spread:
        return False
    third = max(1, x.size // 3)
    return abs(float(np.median(x[:third])) - float(np.median(x[-third:]))) <= max(
        2 * noise_pa, _FLAT_SPREAD * abs(float(np.median(x)))
    )


def ramp_end(x: Floats, noise_pa: float) -> float | None:
    """Last value, pA, of a straight line through a current; None if the current is not a ramp."""
    if x.size < 20:
        return None
    t = np.linspace(0.0, 1.0, x.size)
    slope, start = np.polyfit(t, x, 1)
    residual = np.abs(x - (start + slope * t))
    spread = float(np.percentile(residual, 90))
    if abs(slope) < 0.3 * float(np.percentile(np.abs(x), 95)) or abs(slope) < 10 * noise_pa:
        return None
    if spread > max(_LINE_RESIDUAL * abs(slope), 3 * noise_pa):
        return None
    return float(start + slope)


def split_plateaus(x: Floats, noise_pa: float) -> list[tuple[int, int]]:
    """First and last (exclusive) sample of each level of a stepped current; empty if it is not one."""
    edges = _noisy_edges(x, noise_pa) if noise_pa else np.flatnonzero(np.diff(x) != 0) + 1
    bounds = np.concatenate(([0], edges, [x.size]))
    lengths = np.diff(bounds)
    if lengths.size > _MAX_LEVELS * 4:
        return []
    keep = lengths >= max(2, x.size / _MAX_LEVELS)
    if lengths[keep].sum() < _PLATEAU_SHARE * x.size:
        return []
    parts = [(int(a), int(b)) for a, b, k in zip(bounds[:-1], bounds[1:], keep, strict=True) if k]
    if noise_pa and not all(is_flat(x[a:b], noise_pa) for a, b in parts):
        return []
    return parts


def _noisy_edges(x: Floats, noise_pa: float) -> Integers:
    """Samples at which a noisy current steps to a new lasting level."""
    width = 50
    if x.size < 3 * width:
        return np.empty(0, dtype=np.int64)
    sums = np.concatenate(([0.0], np.cumsum(x)))
    mean = (sums[width:] - sums[:-width]) / width
    jump = np.abs(mean[width:] - mean[:-width])
    limit = max(4 * noise_pa, 0.05 * float(np.abs(x).max()))
    edges: list[int] = []
    while jump.size and float(jump.max()) > limit and len(edges) < _MAX_LEVELS:
        k = int(jump.argmax())
        edges.append(k + width)
        jump[max(0, k - width) : k + width] = 0.0
    return np.array(sorted(edges), dtype=np.int64)


def _flat_tail(x: Floats, noise_pa: float) -> int:
    """Index from which a current stays at its last value."""
    away = np.flatnonzero(np.abs(x - x[-1]) > max(4 * noise_pa, 1e-6 * float(np.abs(x).max())))
    return int(away[-1]) + 1 if away.size else 0


def is_irregular(x: Floats, noise_pa: float) -> bool:
    """Whether a current is noise rather than a sine, a chirp or another smooth wave.

    Short stretches of a sine are predicted exactly from the two samples before; those of noise are not.
    """
    step = max(1, x.size // 2000)
    n = x.size // step
    y = x[: n * step].reshape(n, step).mean(axis=1)
    width = 40
    if n < 2 * width:
        return False
    left, total = 0.0, 0.0
    for k in range(0, n - width + 1, width):
        z = y[k : k + width]
        design = np.column_stack([z[1:-1], z[:-2], np.ones(width - 2)])
        solution = np.linalg.lstsq(design, z[2:], rcond=None)[0]
        left += float(((z[2:] - design @ solution) ** 2).sum())
        total += float(((z[2:] - z[2:].mean()) ** 2).sum())
    floor = (noise_pa**2 / step) * n * 2
    return total > 0 and left > _PREDICTABLE * total + floor
