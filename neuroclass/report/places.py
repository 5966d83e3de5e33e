"""Locate the samples a feature was measured on, as a panel to draw beside other cells."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuroclass.charts import cell_plots as plots
from neuroclass.charts.comparison import MOST_TRACES, Panel, Points, aligned
from neuroclass.charts.theme import PALETTE
from neuroclass.charts.traces import Mark, Trace
from neuroclass.classification.analysis import RecordingAnalysis
from neuroclass.ephys.activity import without_gaps
from neuroclass.ephys.cell_features import CellFeatures
from neuroclass.ephys.fitted import rate_current, voltage_current
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.spikes import Spikes, detect_spikes
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.features import BY_NAME, Stimulus, features_of, with_unit

SPIKE, ONSET = "the spike's peak", "stimulus onset"
_QUANTITIES = frozenset(features_of(Stimulus.NOISE))
_SPIKE_WINDOW, _SHORT_SQUARE_WINDOW = (-0.004, 0.010), (-0.012, 0.010)
"""Around a spike's peak, s; a short square is over before the spike that it evokes."""
_SYMBOLS = {"threshold": "circle", "peak": "star", "trough": "square", "fast_trough": "triangle-down"}


def quantity_of(feature: str) -> str | None:
    """The spike quantity behind a feature, such as ``width``; None for features not measured on spikes."""
    stimulus = BY_NAME[feature].stimulus.value
    quantity = feature.removesuffix(f"_{stimulus}")
    return quantity if quantity in _QUANTITIES else None


def aligned_on(feature: str) -> str:
    """The event that a feature's panels are aligned on."""
    return ONSET if quantity_of(feature) is None else SPIKE


@dataclass(frozen=True, eq=False)
class Traced:
    """A cell's sweeps and where in them each feature was measured.

    Attributes
    ----------
    title : str
        Display name of the cell.
    recording : Recording
        The sweeps.
    epochs : tuple of Epoch
        Their stimuli.
    places : mapping of feature name to sequence of int
        Numbers of the sweeps each was measured on.
    values : mapping of feature name to float
        Measured values, stored units.
    simulated : bool
        Whether the cell is simulated.
    features : CellFeatures, optional
        The measurement, for the lines that features are slopes of.
    """

    title: str
    recording: Recording
    epochs: tuple[Epoch, ...]
    places: Mapping[str, Sequence[int]]
    values: Mapping[str, float]
    simulated: bool = False
    features: CellFeatures | None = None


def traced(title: str, analysis: RecordingAnalysis, simulated: bool = False) -> Traced:
    """Combine a recording with its measured features."""
    features = analysis.features
    places = {name: place.sweeps for name, place in features.provenance.items() if place.sweeps}
    return Traced(title, analysis.recording, features.epochs, places, features.values, simulated, features)


def value_text(feature: str, value: float) -> str:
    """A feature's label and value in its display unit."""
    return f"{BY_NAME[feature].label}: {with_unit(feature, value)}"


def panel_of(cell: Traced, feature: str) -> Panel | None:
    """Draw where a feature was measured in a recording.

    Parameters
    ----------
    cell : Traced
        The recording.
    feature : str
        Name of the feature.

    Returns
    -------
    Panel or None
        At most eight sweeps, or spikes of a noise sweep; None if the feature was not measured on a sweep.
    """
    numbers = cell.places.get(feature)
    if not numbers:
        return None
    sweeps = {sweep.number: sweep for sweep in cell.recording.sweeps}
    stimulus = BY_NAME[feature].stimulus
    found = [
        e for e in cell.epochs if e.sweep_number in numbers and e.stimulus is stimulus and e.sweep_number in sweeps
    ]
    if stimulus is not Stimulus.NOISE:
        found = list({epoch.sweep_number: epoch for epoch in reversed(found)}.values())
    pairs = [(sweeps[e.sweep_number], e) for e in sorted(found, key=lambda e: (e.sweep_number, e.start_s))]
    if not pairs:
        return None
    subtitle = value_text(feature, cell.values[feature]) if feature in cell.values else ""
    quantity = quantity_of(feature)
    spikes = [s for pair in pairs for s in _spikes(*pair, quantity, stimulus is Stimulus.NOISE)] if quantity else []
    if not spikes:
        drawn = _from_onset(pairs, feature, cell.title, subtitle, cell.simulated)
        return replace(drawn, points=line_of(cell, feature))
    shown = [spikes[k] for k in np.unique(np.linspace(0, len(spikes) - 1, min(MOST_TRACES, len(spikes))).astype(int))]
    marks = tuple(_mark(shown, point) for point in shown[0].points)
    window = _SHORT_SQUARE_WINDOW if stimulus is Stimulus.SHORT_SQUARE else _SPIKE_WINDOW
    return Panel(cell.title, subtitle, tuple(spike.trace for spike in shown), marks, window, cell.simulated)


def line_of(cell: Traced, feature: str) -> Points | None:
    """The points and the line that a feature is the slope of; None for other features, and where none was fitted."""
    if cell.features is None:
        return None
    if feature == "f_i_curve_slope":
        line, axes = rate_current(cell.recording, cell.features), (plots.AMPLITUDE, plots.RATE)
    elif feature == "ri":
        line, axes = voltage_current(cell.recording, cell.features), (plots.CURRENT, plots.LOWEST)
    else:
        return None
    if line is None or not np.isfinite(line.slope):
        return None
    numbers = np.array(line.sweeps)
    fitted = np.isin(numbers, list(cell.places.get(feature, ())))
    return Points(line.x, line.y, numbers, fitted, (line.slope, line.intercept), axes) if fitted.any() else None


def from_onset(cell: Traced, number: int, stimulus: Stimulus) -> Trace | None:
    """A sweep on a time axis with 0 where its stimulus begins; None where the cell has no such sweep."""
    sweep = next((one for one in cell.recording.sweeps if one.number == number), None)
    epoch = next((one for one in cell.epochs if one.sweep_number == number and one.stimulus is stimulus), None)
    return None if sweep is None or epoch is None else aligned(_trace(sweep, epoch), epoch.start_s)


def compare(cells: Sequence[Traced], feature: str) -> list[Panel]:
    """Panels for the cells on whose sweeps a feature was measured, in order."""
    panels = [panel_of(cell, feature) for cell in cells]
    return [panel for panel in panels if panel is not None]


def _from_onset(
    pairs: Sequence[tuple[Sweep, Epoch]], feature: str, title: str, subtitle: str, simulated: bool
) -> Panel:
    chosen = pairs[:: max(1, -(-len(pairs) // MOST_TRACES))]
    traces = tuple(aligned(_trace(sweep, epoch), epoch.start_s) for sweep, epoch in chosen)
    if feature == "latency":
        latency_s, threshold_mv = _latency(chosen[0])
        marks = () if threshold_mv is None else (Mark("threshold", [latency_s], [threshold_mv], "circle", PALETTE[1]),)
        return Panel(title, subtitle, traces, marks, (-0.02, 0.05 + latency_s), simulated)
    if feature == "vrest":
        return Panel(title, subtitle, traces, (), (-0.12, 0.05), simulated)
    return Panel(title, subtitle, traces, (), (-0.1, 1.2 * chosen[0][1].duration_s), simulated)


def _latency(pair: tuple[Sweep, Epoch]) -> tuple[float, float | None]:
    """Time from the stimulus' onset to the first threshold, s, and its potential; its duration, None without one."""
    sweep, epoch = pair
    found = _detect(sweep, epoch)
    times = found.time_s("threshold")
    if not times.size:
        return epoch.duration_s, None
    return float(times[0] - epoch.start_s), float(found.v_mv["threshold"][0])


def _trace(sweep: Sweep, epoch: Epoch) -> Trace:
    name = f"sweep {sweep.number}, {epoch.amplitude_pa:+.0f} pA"
    return Trace(name, sweep.v_mv, sweep.i_pa, sweep.rate_hz, epoch.amplitude_pa)


def _detect(sweep: Sweep, epoch: Epoch) -> Spikes:
    last = (sweep.n_times - 1) / sweep.rate_hz
    end = min(last, epoch.response_end_s) if epoch.response_end_s > epoch.end_s else last
    return detect_spikes(without_gaps(sweep.v_mv), sweep.i_pa, sweep.rate_hz, epoch.start_s, end)


@dataclass(frozen=True)
class _Spike:
    trace: Trace
    points: dict[str, tuple[float, float]]


def _spikes(sweep: Sweep, epoch: Epoch, quantity: str, every: bool) -> Iterator[_Spike]:
    """Spikes that a feature is measured on, each on a time axis with 0 at its peak."""
    found = _detect(sweep, epoch)
    peaks = found.time_s("peak")
    names = {"width": ("peak", "trough"), "upstroke_downstroke_ratio": ("upstroke", "downstroke")}.get(
        quantity, (found.point_of(quantity),)
    )
    for k in range(len(found) if every else min(1, len(found))):
        if not np.isfinite(peaks[k]):
            continue
        points = {name: (float(found.time_s(name)[k] - peaks[k]), float(found.v_mv[name][k])) for name in names}
        yield _Spike(aligned(_trace(sweep, epoch), float(peaks[k])), points)


def _mark(spikes: Sequence[_Spike], point: str) -> Mark:
    places = [spike.points[point] for spike in spikes if np.isfinite(spike.points[point][0])]
    inside = [(t, v) for t, v in places if _SPIKE_WINDOW[0] <= t <= _SPIKE_WINDOW[1]]
    symbol = _SYMBOLS.get(point, "diamond")
    return Mark(point.replace("_", " "), [t for t, _ in inside], [v for _, v in inside], symbol, PALETTE[1])
