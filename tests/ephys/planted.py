"""Sweeps with known answers: an exponential membrane with sag, and spikes of a known shape pasted in."""

from dataclasses import dataclass, replace

import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.types.arrays import Floats

START_S = 0.5


@dataclass(frozen=True)
class Cell:
    """A membrane whose answers are known."""

    vrest_mv: float = -70.0
    ri_mohm: float = 150.0
    tau_ms: float = 15.0
    sag: float = 0.15
    sag_tau_ms: float = 120.0
    rheobase_pa: float = 90.0
    gain_hz_per_pa: float = 0.2
    latency_s: float = 0.040
    threshold_mv: float = -40.0
    peak_mv: float = 35.0
    trough_mv: float = -58.0
    rate_hz: float = 50_000.0

    def time(self, duration_s: float) -> Floats:
        return np.arange(round(duration_s * self.rate_hz)) / self.rate_hz

    def passive(self, i_pa: Floats) -> Floats:
        """Response to a current, with the sag of an exponential that builds up after the deflection."""
        v = np.full(i_pa.size, self.vrest_mv)
        edges = np.flatnonzero(np.diff(i_pa)) + 1
        t = np.arange(i_pa.size) / self.rate_hz * 1e3
        for k in edges:
            x = t[k:] - t[k]
            step = self.ri_mohm * (i_pa[k] - i_pa[k - 1]) * 1e-3
            fast = step * (1 - np.exp(-x / self.tau_ms))
            v[k:] += fast * (1 - (self.sag if step else 0) * (1 - np.exp(-np.maximum(0, x - 100) / self.sag_tau_ms)))
        return v

    def spike(self) -> Floats:
        """One spike from threshold to the return to rest, mV: a raised cosine up and two exponentials down."""
        t = np.arange(round(0.030 * self.rate_hz)) / self.rate_hz * 1e3
        rise, height = 0.4, self.peak_mv - self.threshold_mv
        up = self.threshold_mv + height * 0.5 * (1 - np.cos(np.pi * np.minimum(t, rise) / rise))
        x = np.maximum(0, t - rise)
        down = self.trough_mv + (self.peak_mv - self.trough_mv) * np.exp(-x / 0.35)
        return np.where(t < rise, up, down)

    def paste(self, v: Floats, at_s: float) -> None:
        """Put a spike with its threshold at a time, led in by a rise from the potential before."""
        lead, k = round(0.003 * self.rate_hz), round(at_s * self.rate_hz)
        shape = self.spike()[: v.size - k]
        v[k - lead : k] = np.linspace(v[k - lead], self.threshold_mv, lead, endpoint=False)
        back = np.clip((np.arange(shape.size) / self.rate_hz - 0.008) / 0.020, 0, 1)
        v[k : k + shape.size] = shape * (1 - back) + v[k : k + shape.size] * back


def square(cell: Cell, amplitude_pa: float, duration_s: float = 1.0, total_s: float = 2.0) -> Floats:
    i = np.zeros(round(total_s * cell.rate_hz))
    i[round(START_S * cell.rate_hz) : round((START_S + duration_s) * cell.rate_hz)] = amplitude_pa
    return i


def long_square(cell: Cell, number: int, amplitude_pa: float) -> Sweep:
    i = square(cell, amplitude_pa)
    v = cell.passive(np.minimum(i, 40.0))
    above = amplitude_pa - cell.rheobase_pa
    if above >= 0:
        n = 1 + round(above * cell.gain_hz_per_pa)
        for k in range(n):
            cell.paste(v, START_S + cell.latency_s + k * 0.9 / n)
    return Sweep(number, v, i, cell.rate_hz, stimulus_name="Long Square")


def short_square(cell: Cell, number: int, amplitude_pa: float, spikes: bool) -> Sweep:
    i = square(cell, amplitude_pa, 0.003, 1.0)
    v = cell.passive(np.minimum(i, 300.0))
    if spikes:
        cell.paste(v, START_S + 0.006)
    return Sweep(number, v, i, cell.rate_hz, stimulus_name="Short Square")


def ramp(cell: Cell, number: int, at_s: float) -> Sweep:
    i = np.concatenate([np.zeros(round(START_S * cell.rate_hz)), 25.0 * cell.time(2.0)])
    v = np.full(i.size, cell.vrest_mv) + i * 0.2
    cell.paste(v, at_s)
    return Sweep(number, v, i, cell.rate_hz, stimulus_name="Ramp")


def noise(cell: Cell, number: int, n_spikes: int) -> Sweep:
    rng = np.random.default_rng(number)
    i = np.zeros(round(4.0 * cell.rate_hz))
    width = round(0.002 * cell.rate_hz)
    begin, stop = round(0.5 * cell.rate_hz), round(3.5 * cell.rate_hz)
    raw = np.convolve(rng.normal(size=stop - begin + width - 1), np.ones(width) / np.sqrt(width), "valid")
    i[begin:stop] = 80 + 16 * raw
    v = np.full(i.size, cell.vrest_mv) + 0.1 * i
    for k in range(n_spikes):
        cell.paste(v, 0.6 + k * 2.8 / n_spikes)
    return Sweep(number, v, i, cell.rate_hz, stimulus_name="Noise 1")


LONG_PA = (-110.0, -90.0, -70.0, -50.0, -30.0, 30.0, 90.0, 110.0, 140.0, 170.0)


FEW_PA = (-90.0, -50.0, 90.0, 140.0)


def recording(cell: Cell, long_pa: tuple[float, ...] = LONG_PA) -> Recording:
    """All four stimuli of one cell."""
    sweeps = [long_square(cell, k, a) for k, a in enumerate(long_pa)]
    n = len(sweeps)
    sweeps += [short_square(cell, n + k, a, a >= 500) for k, a in enumerate((480.0, 500.0, 500.0, 520.0))]
    sweeps += [ramp(cell, n + 4, 1.7), ramp(cell, n + 5, 1.9), noise(cell, n + 6, 8), noise(cell, n + 7, 15)]
    return Recording("planted", "planted", tuple(sweeps))


def small(rate_hz: float = 25_000.0) -> Recording:
    """One or two sweeps of each stimulus, for files that are slow to write."""
    whole = recording(Cell(rate_hz=rate_hz), FEW_PA)
    kept = [s for k, s in enumerate(whole.sweeps) if k in (0, 1, 2, 3, 5, 8, 11)]
    return replace(whole, sweeps=tuple(replace(s, number=k) for k, s in enumerate(kept)))
