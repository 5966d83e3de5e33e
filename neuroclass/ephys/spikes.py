"""Spikes of one sweep and the quantities measured at each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.ephys.filtering import derivative_filter
from neuroclass.ephys.settings import SpikeSettings
from neuroclass.ephys.spike_pass import find_spikes, time_index
from neuroclass.ephys.trace import fill, trace_of
from neuroclass.types.arrays import Floats, Integers, Mask

POINTS = ("threshold", "upstroke", "peak", "downstroke", "fast_trough", "trough")


@dataclass(frozen=True, eq=False)
class Spikes:
    """The spikes of one sweep.

    Attributes
    ----------
    indexes : dict of str to ndarray, shape (n_spikes,)
        Sample of each point of `POINTS`; -1 where it is undefined.
    v_mv, i_pa : dict of str to ndarray, shape (n_spikes,)
        Potential and current at those samples, mV and pA; NaN where undefined.
    slope : dict of str to ndarray, shape (n_spikes,)
        dV/dt at "upstroke" and "downstroke", mV/ms.
    width_s : ndarray, shape (n_spikes,)
        Width at half height, s.
    clipped : ndarray, shape (n_spikes,)
        Whether the window ends before the spike does.
    rate_hz : float
        Sampling rate, Hz.
    """

    indexes: dict[str, Integers]
    v_mv: dict[str, Floats]
    i_pa: dict[str, Floats]
    slope: dict[str, Floats]
    width_s: Floats
    clipped: Mask
    rate_hz: float

    def __len__(self) -> int:
        """Count the spikes."""
        return self.width_s.size

    def time_s(self, point: str = "threshold") -> Floats:
        """Time of a point from the sweep's start, s, shape (n_spikes,); NaN where undefined."""
        index = self.indexes[point]
        return np.where(index < 0, np.nan, index * (1.0 / self.rate_hz))

    def values(self, quantity: str) -> Floats:
        """A quantity at each spike, in its stored unit, shape (n_spikes,).

        Parameters
        ----------
        quantity : str
            A noise feature's name, such as "threshold_v", "upstroke" or "width".
        """
        if quantity == "width":
            return self.width_s
        if quantity == "upstroke_downstroke_ratio":
            return self.slope["upstroke"] / -self.slope["downstroke"]
        if quantity in self.slope:
            return self.slope[quantity]
        point, _, signal = quantity.rpartition("_")
        return self.v_mv[point] if signal == "v" else self.i_pa[point]

    def point_of(self, quantity: str) -> str:
        """Name of the point where a quantity is measured."""
        if quantity in ("width", "upstroke_downstroke_ratio"):
            return "peak"
        return quantity if quantity in POINTS else quantity.rpartition("_")[0]


def detect_spikes(
    v_mv: Floats,
    i_pa: Floats,
    rate_hz: float,
    start_s: float | None = None,
    end_s: float | None = None,
    settings: SpikeSettings = SpikeSettings(),
    edges_s: Sequence[float] = (),
) -> Spikes:
    """Find spikes and measure them by AllenSDK's rules.

    Parameters
    ----------
    v_mv : ndarray, shape (n_times,)
        Membrane potential, mV, finite.
    i_pa : ndarray, shape (n_times,)
        Injected current, pA.
    rate_hz : float
        Sampling rate, Hz.
    start_s, end_s : float, optional
        Window, s from the first sample; the whole sweep by default.
    settings : SpikeSettings
        The rules.
    edges_s : sequence of float
        Times at which the current steps, s from the first sample; the electrode's artefacts there are not taken
        for spikes. AllenSDK has no such rule.

    Returns
    -------
    Spikes
        The spikes in order of time.

    Raises
    ------
    ValueError
        The window does not lie within the sweep.
    """
    v = np.ascontiguousarray(v_mv, dtype=np.float64)
    dt = 1.0 / rate_hz
    begin = 0 if start_s is None else int(time_index(start_s, dt))
    end = v.size - 1 if end_s is None else int(time_index(end_s, dt))
    if v.size and not 0 <= begin <= end < v.size:
        raise ValueError(f"the window {start_s} to {end_s} s does not lie within {v.size * dt:g} s")
    design = derivative_filter(rate_hz, settings.filter_khz)
    if end - begin < 16 or v.size < 17:
        return _spikes(np.empty((6, 0), dtype=np.int64), np.empty(0), np.zeros(0, dtype=bool), v, i_pa, v, rate_hz)
    trace = trace_of(v, design)
    window = trace if end - begin + 1 == v.size else trace_of(v[begin : end + 1], design)
    indexes, widths, clipped = find_spikes(
        trace,
        window,
        begin,
        end,
        dt,
        settings.dv_cutoff,
        settings.threshold_share,
        settings.min_height_mv,
        settings.min_peak_mv,
        settings.max_interval_s,
        np.array([round(edge * rate_hz) - begin for edge in edges_s], dtype=np.int64),
    )
    return _spikes(indexes, widths, clipped, v, i_pa, trace.dv, rate_hz)


def warm_up() -> None:
    """Compile the spike pass, or load it from the cache, before the first sweep needs it."""
    quiet = np.zeros(1000)
    detect_spikes(quiet, quiet, 50_000.0)


def filtered_derivative(v_mv: Floats, rate_hz: float, settings: SpikeSettings = SpikeSettings()) -> Floats:
    """dV/dt of a whole sweep as the spike pass sees it, mV/ms, shape (n_times - 1,)."""
    trace = trace_of(np.ascontiguousarray(v_mv, dtype=np.float64), derivative_filter(rate_hz, settings.filter_khz))
    fill(trace, 0, trace.done.size)
    return trace.dv


def _spikes(
    indexes: Integers,
    widths: Floats,
    clipped: Mask,
    v: Floats,
    i: Floats,
    dv: Floats,
    rate_hz: float,
) -> Spikes:
    named = dict(zip(POINTS, indexes, strict=True))
    return Spikes(
        named,
        {point: _at(v, index) for point, index in named.items()},
        {point: _at(i, index) for point, index in named.items()},
        {point: _at(dv, named[point]) for point in ("upstroke", "downstroke")},
        widths,
        clipped,
        rate_hz,
    )


def _at(values: Floats, index: Integers) -> Floats:
    out = np.full(index.size, np.nan)
    known = index >= 0
    out[known] = values[index[known]]
    return out
