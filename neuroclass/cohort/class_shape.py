"""A class' typical spike: averaged over simulated cells, or built from median features."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from neuroclass.cohort.demo import simulate_demo_squares
from neuroclass.ephys.firing import average_spike
from neuroclass.ephys.spikes import detect_spikes
from neuroclass.ephys.sweep import Sweep
from neuroclass.features import FEATURE_NAMES
from neuroclass.types.arrays import Floats

ABOVE_RHEOBASE_PA = 50.0
FARTHEST = 5.0  # interquartile ranges; beyond, a value counts no more
LASTING_SHARE = 2 / 3
THRESHOLD_SHARE, FAST_TROUGH_SHARE = 0.05, 0.01  # of upstroke and downstroke, by the features' definitions
LANDMARKS = ("threshold", "upstroke", "peak", "downstroke", "fast trough")
SCHEMATIC_POINTS = 40
LEVELS = {
    "threshold": "threshold_v_long_square",
    "peak": "peak_v_long_square",
    "fast trough": "fast_trough_v_long_square",
    "trough": "trough_v_long_square",
}


def typical_cells(mates: pd.DataFrame) -> list[str]:
    """Ids of cells, those nearest to the class' medians first; all features in units of their interquartile range."""
    values = mates[list(FEATURE_NAMES)]
    spread = (values.quantile(0.75) - values.quantile(0.25)).replace(0.0, np.nan)
    away = ((values - values.median()) / spread).abs().clip(upper=FARTHEST).mean(axis=1)
    return [str(name) for name in mates.loc[away.sort_values(kind="stable").index, "id"]]


def typical_sweep(mates: pd.DataFrame) -> Sweep:
    """A long square of about twice rheobase of the most typical demo cell that fires to its end, not in block."""
    rheobase = mates.set_index("id")["threshold_i_long_square"].fillna(ABOVE_RHEOBASE_PA)
    sweeps = (simulate_demo_squares(one, float(rheobase[one])).sweeps[-1] for one in typical_cells(mates))
    return next(sweep for sweep in sweeps if _fires_to_its_end(sweep))


def _fires_to_its_end(sweep: Sweep) -> bool:
    peaks = detect_spikes(sweep.v_mv, sweep.i_pa, sweep.rate_hz).indexes["peak"]
    driven = np.flatnonzero(sweep.i_pa > sweep.i_pa.max() / 2)
    return bool(len(peaks) and peaks[-1] > driven[0] + LASTING_SHARE * driven.size)


def simulated_class_spike(cell_ids: Iterable[str]) -> tuple[Floats, Floats, Floats, int]:
    """Average the first spike 50 pA above rheobase over demo cells.

    Parameters
    ----------
    cell_ids : iterable of str
        Demo cells.

    Returns
    -------
    t_ms, mean_mv, sd_mv : ndarray, shape (n,)
        Time from the peak, ms; mean and standard deviation over cells, mV; empty without a spike.
    n_cells : int
        Cells averaged.
    """
    t = np.empty(0)
    shapes = []
    for cell_id in cell_ids:
        sweep = simulate_demo_squares(cell_id, ABOVE_RHEOBASE_PA).sweeps[-1]
        peaks = detect_spikes(sweep.v_mv, sweep.i_pa, sweep.rate_hz).indexes["peak"][:1]
        times, mean, _, n_spikes = average_spike(sweep.v_mv, sweep.rate_hz, peaks)
        if n_spikes:
            t = times
            shapes.append(mean)
    if not shapes:
        return t, t, t, 0
    return t, np.mean(shapes, axis=0), np.std(shapes, axis=0), len(shapes)


def median_levels(mates: pd.DataFrame) -> dict[str, float]:
    """Median potentials, mV, of the first spike on the rheobase sweep; missing ones are left out."""
    found = {name: float(mates[column].median()) for name, column in LEVELS.items()}
    return {name: level for name, level in found.items() if np.isfinite(level)}


def median_landmarks(mates: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Landmarks of the median spike under noise in the plane of potential (mV) and dV/dt (mV/ms)."""
    middle = mates[
        ["threshold_v", "upstroke_v", "upstroke", "peak_v", "downstroke_v", "downstroke", "fast_trough_v"]
    ].median()
    found = {
        "threshold": (middle["threshold_v"], THRESHOLD_SHARE * middle["upstroke"]),
        "upstroke": (middle["upstroke_v"], middle["upstroke"]),
        "peak": (middle["peak_v"], 0.0),
        "downstroke": (middle["downstroke_v"], middle["downstroke"]),
        "fast trough": (middle["fast_trough_v"], FAST_TROUGH_SHARE * middle["downstroke"]),
    }
    return {name: (float(v), float(s)) for name, (v, s) in found.items() if np.isfinite(v) and np.isfinite(s)}


def schematic_spike(landmarks: Mapping[str, tuple[float, float]]) -> tuple[Floats, Floats] | None:
    r"""A spike's time course through its landmarks, each part a quarter of an ellipse in the phase plane.

    Parameters
    ----------
    landmarks : mapping of name to (v_mv, dvdt)
        As `median_landmarks` gives them.

    Returns
    -------
    t_ms, v_mv : ndarray
        Time from the threshold, ms, and potential, mV; None where a landmark lacks or they are out of order.

    Notes
    -----
    On such a quarter, from a steepest slope :math:`s` to none over a potential :math:`D`, the potential is a quarter
    of a sine of :math:`\pi D / 2 s` ms.
    """
    if not set(LANDMARKS) <= set(landmarks):
        return None
    start, up, peak, down, end = (landmarks[name][0] for name in LANDMARKS)
    rise, fall = landmarks["upstroke"][1], -landmarks["downstroke"][1]
    if not start < up < peak > down > end or rise <= 0 or fall <= 0:
        return None
    angle = np.linspace(0, np.pi / 2, SCHEMATIC_POINTS)
    parts = (  # to a steepest slope as the cosine's fall, from it as the sine's rise
        ((up - start) / rise, start + (up - start) * (1 - np.cos(angle))),
        ((peak - up) / rise, up + (peak - up) * np.sin(angle)),
        ((peak - down) / fall, peak - (peak - down) * (1 - np.cos(angle))),
        ((down - end) / fall, down - (down - end) * np.sin(angle)),
    )
    t, v = [np.zeros(1)], [np.array([start])]
    for scale, potential in parts:
        t.append(t[-1][-1] + scale * angle[1:])
        v.append(potential[1:])
    return np.concatenate(t), np.concatenate(v)
