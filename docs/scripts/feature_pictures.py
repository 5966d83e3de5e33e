"""A figure of each feature on a simulated cell: ``python docs/scripts/feature_pictures.py``."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

import neuroclass as nc
from neuroclass.charts import cell_plots, traces
from neuroclass.charts.comparison import Panel, side_by_side
from neuroclass.charts.static_export import render
from neuroclass.charts.theme import PALETTE
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.ephys.fitted import rate_current, voltage_current
from neuroclass.features import FEATURES, FeatureSource
from neuroclass.report.places import aligned_on, panel_of, traced, value_text
from neuroclass.ui.cells.passive import overlays
from neuroclass.ui.methods.pictures import FOLDER, HEIGHT_PX, drawn_with, partner_of

CELL = "simulated-mouse-sst-017"
MOST_POINTS, DECIMALS = 300, 3
WIDTH_PX = 520.0
_LINE = "least-squares line"
_TAG, _LONG_NUMBER = re.compile(r"<[^>]*>"), re.compile(r"(\d+\.\d)\d+")


def figure(analysis: RecordingAnalysis, name: str) -> go.Figure:
    """Draw where and how a feature was measured; a potential and the current at the same sample in one figure."""
    recording, measured = analysis.recording, analysis.features
    if name == "f_i_curve_slope" and (line := rate_current(recording, measured)):
        used = [number in measured.provenance[name].sweeps for number in line.sweeps]
        axes = (cell_plots.AMPLITUDE, cell_plots.RATE)
        fig = cell_plots.line_through(
            line.x, line.y, axes, line=(line.slope, line.intercept), fitted=used, legend=_LINE
        )
    elif name == "ri" and (line := voltage_current(recording, measured)):
        axes = (cell_plots.CURRENT, cell_plots.LOWEST)
        fig = cell_plots.line_through(line.x, line.y, axes, line=(line.slope, line.intercept), legend=_LINE)
    elif name in ("sag", "vm_for_sag", "tau", "vrest"):
        curves, marks, window = overlays(name, recording, measured)
        drawn = [_trace(analysis, number) for number in measured.provenance[name].sweeps]
        if name == "vrest":
            window = min(min(one.t) for one in curves) - 0.05, max(max(one.t) for one in curves) + 0.05
        fig = traces.sweeps(drawn, curves=curves, marks=marks, window=window)
        fig.update_layout(showlegend=name == "sag")
    else:
        fig = _spikes(analysis, name)
    fig.layout.annotations = ()
    values = {one: float(measured.values[one]) for one in drawn_with(name)}
    return fig.update_layout(
        height=HEIGHT_PX, margin={"t": 44 if fig.layout.showlegend else 28}, meta={"cell": CELL, "values": values}
    )


def _spikes(analysis: RecordingAnalysis, name: str) -> go.Figure:
    """The spikes that a feature is measured on, their currents less the holding current."""
    panel = panel_of(traced(CELL, analysis, simulated=True), name)
    assert panel is not None
    holding = {epoch.sweep_number: epoch.holding_pa for epoch in analysis.features.epochs}
    level = {f"sweep {number},": held for number, held in holding.items()}
    kept = tuple(
        replace(one, i_pa=one.i_pa - next(held for key, held in level.items() if one.name.startswith(key)))
        for one in panel.traces
    )
    fig = side_by_side([replace(panel, traces=kept)], aligned_on(name), HEIGHT_PX)
    if partner_of(name):
        times, currents = zip(*_currents(replace(panel, traces=kept)), strict=True)
        marker = {"symbol": "diamond", "size": 9, "color": PALETTE[4], "line": {"width": 1, "color": "white"}}
        fig.add_scatter(x=times, y=currents, mode="markers", marker=marker, name="current there", row=2, col=1)
        fig.update_layout(yaxis_domain=[0.46, 1.0], yaxis2_domain=[0.0, 0.4])
    return fig.update_yaxes(title_text="Stimulus less<br>holding (pA)", row=2)


def _currents(panel: Panel) -> Iterator[tuple[float, float]]:
    """Time, ms, and current of each marked sample, read off the sweep that passes through its potential."""
    for mark in panel.marks:
        for t, v in zip(mark.t, mark.v, strict=True):
            places = [(one, round((t - one.start_s) * one.rate_hz)) for one in panel.traces]
            nearest, k = min(places, key=lambda place: abs(place[0].v_mv[place[1]] - v))
            yield 1e3 * t, float(nearest.i_pa[k])


def _trace(analysis: RecordingAnalysis, number: int) -> traces.Trace:
    sweep = next(one for one in analysis.recording.sweeps if one.number == number)
    epoch = next(e for e in analysis.features.epochs if e.sweep_number == number)
    return traces.Trace(f"sweep {number}", sweep.v_mv, sweep.i_pa - epoch.holding_pa, sweep.rate_hz, epoch.amplitude_pa)


def written(fig: go.Figure) -> str:
    """A figure as JSON, with as many points and digits as a page shows."""
    for one in fig.data:
        x, y = (np.asarray(values, dtype=float) for values in (one.x, one.y))
        index = traces.envelope(y, MOST_POINTS)[0] if len(y) > MOST_POINTS else np.arange(len(y))
        one.x, one.y = x[index].round(DECIMALS + 1).tolist(), y[index].round(DECIMALS - 1).tolist()
    fig.layout.template = None
    return json.dumps(fig.to_plotly_json(), separators=(",", ":"))


def picture(fig: go.Figure, name: str) -> bytes:
    """The figure as SVG for the documentation, its coordinates in tenths of a point."""
    title = f"{value_text(name, fig.layout.meta['values'][name])} (simulated)"
    place = {"x": 0.5, "y": 1.02, "xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False}
    drawn = render(go.Figure(fig).add_annotation(text=title, **place), "svg", WIDTH_PX).decode()
    return _TAG.sub(lambda tag: _LONG_NUMBER.sub(r"\1", tag[0]), drawn).encode()


def main(folder: Path = FOLDER) -> None:
    """Draw all, for the documentation (SVG) and for the Methods page (JSON)."""
    folder.mkdir(exist_ok=True)
    analysis = nc.extract_features(simulate_demo_cell(CELL)).cell.analysis
    assert analysis is not None
    for name in (spec.name for spec in FEATURES if spec.source is FeatureSource.SWEEPS):
        fig = figure(analysis, name)
        (folder / f"{name}.svg").write_bytes(picture(fig, name))
        if name == drawn_with(name)[0]:
            (folder / f"{name}.json").write_text(written(fig), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
