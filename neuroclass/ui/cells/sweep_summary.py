"""Sweeps with their stimuli and spikes, as traces, marks and tables to show."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from neuroclass.charts import traces as charts
from neuroclass.charts.theme import PALETTE
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.spikes import POINTS
from neuroclass.ephys.sweep_summary import OTHER, SweepSummary

_SYMBOLS = ("circle", "triangle-up", "star", "triangle-down", "square", "diamond")


def trace_of(summary: SweepSummary) -> charts.Trace:
    """The sweep to draw."""
    sweep = summary.sweep
    amplitude = summary.main.amplitude_pa if summary.main else 0.0
    return charts.Trace(summary.title, sweep.v_mv, sweep.i_pa, sweep.rate_hz, amplitude)


def spike_marks(summary: SweepSummary, window: tuple[float, float]) -> list[charts.Mark]:
    """The six points of every spike within a window."""
    marks = []
    for point, symbol, colour in zip(POINTS, _SYMBOLS, PALETTE, strict=False):
        times = summary.spikes.time_s(point)
        inside = (times >= window[0]) & (times <= window[1])
        if inside.any():
            label = point.replace("_", " ")
            values = summary.spikes.v_mv[point][inside].tolist()
            marks.append(charts.Mark(label, times[inside].tolist(), values, symbol, colour))
    return marks


def spike_table(summary: SweepSummary) -> pd.DataFrame:
    """Measurements at each spike of a sweep."""
    spikes = summary.spikes
    columns: dict[str, Any] = {"spike": range(len(spikes))}
    for point in POINTS:
        columns[f"{point} (s)"] = spikes.time_s(point)
        columns[f"{point} (mV)"] = spikes.v_mv[point]
    columns |= {f"{name} (mV/ms)": slope for name, slope in spikes.slope.items()}
    columns["width (ms)"] = spikes.width_s * 1e3
    return pd.DataFrame(columns)


def sweep_table(summaries: Sequence[SweepSummary]) -> pd.DataFrame:
    """Every sweep: what was recognised and why, and each epoch with its times, amplitude and spikes."""
    rows = []
    for one in summaries:
        whole = {"sweep": one.sweep.number, "recognised": one.recognised, "spikes in the sweep": len(one.spikes)}
        rows += [{**whole, **_epoch(one, epoch)} for epoch in one.epochs] or [whole]
    return pd.DataFrame(rows)


def _epoch(one: SweepSummary, epoch: Epoch) -> dict[str, Any]:
    return {
        "stimulus": epoch.stimulus.label if epoch.stimulus else OTHER,
        "start (s)": round(epoch.start_s, 5),
        "end (s)": round(epoch.end_s, 5),
        "amplitude (pA)": round(epoch.amplitude_pa, 2),
        "holding (pA)": round(epoch.holding_pa, 2),
        "with holding (pA)": round(epoch.amplitude_pa + epoch.holding_pa, 2),
        "spikes": int(one.activity.within(epoch).sum()),
        "recognised by": epoch.note,
    }
