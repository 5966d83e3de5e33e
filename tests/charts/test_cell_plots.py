"""Figures of one cell: units on the axes, what was fitted told from what was not, nothing lost."""

import numpy as np
import pytest

from neuroclass.charts import cell_gallery, traces
from neuroclass.charts import cell_plots as plots

T = np.arange(-2.0, 4.0, 0.02)
WAVE = plots.Waveform("this cell", T, -60 + 90 * np.exp(-(T**2)), np.full(T.size, 2.0))
SWEEP = traces.Trace("sweep 3", np.linspace(-70, 30, 5000), np.r_[np.zeros(2500), np.ones(2500)], 50_000.0, 50.0)


def test_only_fitted_points_are_filled_and_the_line_spans_them() -> None:
    x, y = np.array([0.0, 50.0, 100.0]), np.array([0.0, 10.0, 20.0])
    fig = plots.line_through(
        x, y, (plots.AMPLITUDE, plots.RATE), line=(0.2, 0.0), fitted=[False, True, True], sweeps=[4, 5, 6], legend="s"
    )
    fitted, rest, line = fig.data
    assert (list(fitted.x), list(rest.x)) == ([50.0, 100.0], [0.0])
    assert fitted.customdata[:, 0].tolist() == [5, 6]
    assert list(line.x) == [50.0, 100.0] and list(line.y) == [10.0, 20.0]
    assert fig.layout.xaxis.title.text.endswith("(pA)") and fig.layout.yaxis.title.text.endswith("(Hz)")


def test_firing_tells_time_and_rate() -> None:
    fig = plots.firing({"+50 pA": (np.array([0.1, 0.2]), np.array([20.0, 10.0]))}, ["#123456"], simulated=True)
    assert list(fig.data[0].y) == [20.0, 10.0]
    assert fig.layout.yaxis.title.text == "Instantaneous rate (Hz)"
    assert "simulated cells" in str(fig.layout)


def test_the_class_is_drawn_as_a_waveform_or_as_levels() -> None:
    both = plots.waveforms(WAVE, WAVE)
    levels = plots.waveforms(WAVE, None, {"threshold": -45.0})
    assert len(both.data) == 4 and not both.layout.shapes
    assert len(levels.data) == 2 and levels.layout.shapes[0].y0 == -45.0
    assert not plots.waveforms(None).data


def test_phase_plane_and_spectrum_carry_units() -> None:
    loop = plots.phase_plane({"cell": (WAVE.mean_mv, np.gradient(WAVE.mean_mv))}, {"peak": (30.0, 0.0)})
    assert loop.layout.yaxis.title.text == "dV/dt (mV/ms)"
    assert loop.data[1].x == (30.0,)
    power = plots.spectrum({"sweep 1": (np.array([1.0, 10.0]), np.array([2.0, 1.0]))}, "pA")
    assert power.layout.yaxis.title.text == "Power density (pA²/Hz)"
    assert (power.layout.xaxis.type, power.layout.yaxis.type) == ("log", "log")


def test_the_gallery_shares_the_vertical_axis_and_starts_each_window_at_0() -> None:
    panels = [cell_gallery.Panel(name, "mouse", [SWEEP], (0.02, 0.08)) for name in ("this cell", "a<b>")]
    fig = cell_gallery.gallery(panels, simulated=True)
    assert len(fig.data) == 2
    assert fig.data[1].x[0] == pytest.approx(0.0, abs=1e-4)
    assert fig.layout.yaxis2.matches == "y"
    assert "a&lt;b&gt;<br>mouse" in [a.text for a in fig.layout.annotations]


def test_many_sweeps_have_a_colour_bar_and_few_a_legend() -> None:
    many = [traces.Trace(str(k), SWEEP.v_mv, SWEEP.i_pa, 5e4, 10.0 * k) for k in range(5)]
    bars = [t for t in traces.sweeps(many).data if t.marker.colorbar.title.text == "pA"]
    assert len(bars) == 1 and (bars[0].marker.cmin, bars[0].marker.cmax) == (0.0, 40.0)
    assert not [t for t in traces.sweeps(many[:2]).data if t.marker.colorbar.title.text]


def test_a_curve_is_drawn_over_the_sweep_it_was_fitted_to() -> None:
    fig = traces.sweeps([SWEEP], curves=[traces.Curve("fit", [0.01, 0.02], [-60.0, -65.0])], select=True)
    curve = next(t for t in fig.data if t.name == "fit")
    assert (curve.yaxis, list(curve.y)) == ("y", [-60.0, -65.0])
    assert fig.layout.dragmode == "select"


def test_a_reference_cell_is_drawn_in_the_colour_of_its_class() -> None:
    from neuroclass.cell_types import COLOURS
    from neuroclass.charts.comparison import Panel, side_by_side
    from neuroclass.charts.theme import ACCENT
    from neuroclass.charts.traces import Trace

    sweep = Trace("sweep 1", np.zeros(100), np.zeros(100), 1000.0)
    window = (0.0, 0.1)
    panels = [
        Panel("This cell", "", (sweep,), window=window),
        Panel("Nearest Sst", "", (sweep,), window=window, colour=COLOURS["Sst"]),
    ]
    lines = [trace for trace in side_by_side(panels, "onset").data if trace.mode == "lines"]
    assert [line.line.color for line in lines] == [ACCENT, ACCENT, COLOURS["Sst"], COLOURS["Sst"]]
