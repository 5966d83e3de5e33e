"""A recording's sweeps with the stimuli and spikes found in them, and what is told of them in tables and marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from neuroclass.charts import traces as charts
from neuroclass.charts.theme import PALETTE
from neuroclass.ephys.cell_features import recording_epochs
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.spikes import POINTS, Spikes, detect_spikes
from neuroclass.ephys.sweep import Recording, Sweep

OTHER = "other"
_SYMBOLS = ("circle", "triangle-up", "star", "triangle-down", "square", "diamond")


@dataclass(frozen=True, eq=False)
class SweepSummary:
    """A sweep with its epochs, its main one and its spikes."""

    sweep: Sweep
    epochs: tuple[Epoch, ...]
    spikes: Spikes

    @property
    def main(self) -> Epoch | None:
        """The first epoch with a stimulus; else the first."""
        known = [epoch for epoch in self.epochs if epoch.stimulus is not None]
        return next(iter([*known, *self.epochs]), None)

    @property
    def stimulus(self) -> str:
        """Name of the main epoch's stimulus."""
        return self.main.stimulus.value if self.main and self.main.stimulus else OTHER

    @property
    def title(self) -> str:
        """Number, amplitude and spikes, for people."""
        amplitude = f", {self.main.amplitude_pa:+.0f} pA" if self.main else ""
        n_spikes = len(self.spikes)
        return f"sweep {self.sweep.number}{amplitude}, {n_spikes} spike{'' if n_spikes == 1 else 's'}"

    def trace(self) -> charts.Trace:
        """The sweep to draw."""
        amplitude = self.main.amplitude_pa if self.main else 0.0
        return charts.Trace(self.title, self.sweep.v_mv, self.sweep.i_pa, self.sweep.rate_hz, amplitude)

    def window(self) -> tuple[float, float]:
        """What to show at first, s: the epochs of the main stimulus and a little around them."""
        if self.main is None:
            return 0.0, self.sweep.duration_s
        alike = [epoch for epoch in self.epochs if epoch.stimulus is self.main.stimulus]
        start, end = alike[0].start_s, alike[-1].end_s
        margin = max(0.05, min(0.3, 0.3 * (end - start)))
        return max(0.0, start - margin), min(self.sweep.duration_s, end + margin)


@st.cache_resource(max_entries=6, show_spinner="Finding stimuli and spikes")
def describe(key: str, _recording: Recording) -> tuple[SweepSummary, ...]:  # noqa: ARG001 (the key of the cache)
    """Epochs and spikes of every sweep; `key` names the recording in the cache."""
    epochs = recording_epochs(_recording)
    return tuple(
        SweepSummary(sweep, tuple(e for e in epochs if e.sweep_number == sweep.number), _spikes(sweep))
        for sweep in _recording.sweeps
    )


def _spikes(sweep: Sweep) -> Spikes:
    filled = sweep.v_mv
    if not np.isfinite(filled).all():
        filled = pd.Series(filled).interpolate(limit_direction="both").fillna(0.0).to_numpy()
    return detect_spikes(filled, sweep.i_pa, sweep.rate_hz)


def spike_marks(described: SweepSummary, window: tuple[float, float]) -> list[charts.Mark]:
    """The six points of every spike within a window."""
    marks = []
    for point, symbol, colour in zip(POINTS, _SYMBOLS, PALETTE, strict=False):
        times = described.spikes.time_s(point)
        inside = (times >= window[0]) & (times <= window[1])
        if inside.any():
            label = point.replace("_", " ")
            values = described.spikes.v_mv[point][inside].tolist()
            marks.append(charts.Mark(label, times[inside].tolist(), values, symbol, colour))
    return marks


def spike_table(described: SweepSummary) -> pd.DataFrame:
    """What was measured at each spike of a sweep."""
    spikes = described.spikes
    columns: dict[str, Any] = {"spike": range(len(spikes))}
    for point in POINTS:
        columns[f"{point} (s)"] = spikes.time_s(point)
        columns[f"{point} (mV)"] = spikes.v_mv[point]
    columns |= {f"{name} (mV/ms)": slope for name, slope in spikes.slope.items()}
    columns["width (ms)"] = spikes.width_s * 1e3
    return pd.DataFrame(columns)


def sweep_table(described: Sequence[SweepSummary]) -> pd.DataFrame:
    """Every epoch of every sweep: its stimulus, times, amplitude and spikes."""
    rows = []
    for one in described:
        for epoch in one.epochs:
            times = one.spikes.time_s("threshold")
            rows.append(
                {
                    "sweep": one.sweep.number,
                    "stimulus": epoch.stimulus.label if epoch.stimulus else OTHER,
                    "start (s)": round(epoch.start_s, 5),
                    "end (s)": round(epoch.end_s, 5),
                    "amplitude (pA)": round(epoch.amplitude_pa, 2),
                    "holding (pA)": round(epoch.holding_pa, 2),
                    "spikes": int(((times >= epoch.start_s) & (times <= epoch.end_s)).sum()),
                    "recognised by": epoch.note,
                }
            )
    return pd.DataFrame(rows)
