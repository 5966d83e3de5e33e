"""A picture of each feature on a simulated cell: ``python docs/scripts/feature_pictures.py``."""

import re
import sys
from pathlib import Path

import plotly.graph_objects as go

import neuroclass as nc
from neuroclass.charts import cell_plots, traces
from neuroclass.charts.static_export import render
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.ephys.fitted import rate_current, voltage_current
from neuroclass.features import FEATURES, FeatureSource
from neuroclass.report.places import value_text
from neuroclass.ui.cells.passive import overlays

CELL = "simulated-mouse-sst-017"
FOLDER = Path(__file__).resolve().parent.parent / "features"
WIDTH_PX, HEIGHT_PX = 520.0, 330
_TAG, _LONG_NUMBER = re.compile(r"<[^>]*>"), re.compile(r"(\d+\.\d)\d+")


def figure(features: nc.ExtractedFeatures, name: str) -> go.Figure:
    """Draw where and how a feature was measured, by the charts of the cell page."""
    analysis = features.cell.analysis
    assert analysis is not None
    recording, measured = analysis.recording, analysis.features
    title = f"{value_text(name, measured.values[name])} (simulated)"
    if name == "f_i_curve_slope" and (line := rate_current(recording, measured)):
        used = [number in measured.provenance[name].sweeps for number in line.sweeps]
        axes = (cell_plots.AMPLITUDE, cell_plots.RATE)
        fig = cell_plots.line_through(line.x, line.y, axes, line=(line.slope, line.intercept), fitted=used)
    elif name == "ri" and (line := voltage_current(recording, measured)):
        axes = (cell_plots.CURRENT, cell_plots.LOWEST)
        fig = cell_plots.line_through(line.x, line.y, axes, line=(line.slope, line.intercept))
    elif name in ("sag", "vm_for_sag", "tau", "vrest"):
        curves, marks, window = overlays(name, recording, measured)
        numbers = measured.provenance[name].sweeps
        drawn = [_trace(features, number) for number in numbers]
        if name == "vrest":
            window = min(min(one.t) for one in curves) - 0.05, max(max(one.t) for one in curves) + 0.05
        fig = traces.sweeps(drawn, curves=curves, marks=marks, window=window).update_layout(showlegend=name == "sag")
    else:
        fig = features.plot(name).update_traces(showlegend=False, selector={"mode": "lines"})
    fig.layout.annotations = ()
    place = {"x": 0.5, "y": 1.02, "xref": "paper", "yref": "paper", "yanchor": "bottom", "showarrow": False}
    return fig.add_annotation(text=title, **place).update_layout(height=HEIGHT_PX)


def _trace(features: nc.ExtractedFeatures, number: int) -> traces.Trace:
    analysis = features.cell.analysis
    assert analysis is not None
    sweep = next(one for one in analysis.recording.sweeps if one.number == number)
    amplitude = next(e.amplitude_pa for e in analysis.features.epochs if e.sweep_number == number)
    return traces.Trace(f"sweep {number}", sweep.v_mv, sweep.i_pa, sweep.rate_hz, amplitude)


def picture(features: nc.ExtractedFeatures, name: str) -> bytes:
    """The figure as SVG, its coordinates in tenths of a point."""
    drawn = render(figure(features, name), "svg", WIDTH_PX).decode()
    return _TAG.sub(lambda tag: _LONG_NUMBER.sub(r"\1", tag[0]), drawn).encode()


def main(folder: Path = FOLDER) -> None:
    """Draw all."""
    folder.mkdir(exist_ok=True)
    features = nc.extract_features(simulate_demo_cell(CELL))
    for spec in FEATURES:
        if spec.source is FeatureSource.SWEEPS:
            (folder / f"{spec.name}.svg").write_bytes(picture(features, spec.name))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
