"""The strongest reason that can be drawn, on the sweep and by the fit that it was measured with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go

from neuroclass.charts import deciding as charts
from neuroclass.charts.comparison import Points
from neuroclass.charts.theme import PALETTE
from neuroclass.charts.traces import Curve, Trace, crop
from neuroclass.classification.result import Reason
from neuroclass.ephys.cell_features import CellFeatures
from neuroclass.ephys.fitted import rest_levels, tau_fits
from neuroclass.ephys.sweep import Recording
from neuroclass.features import BY_NAME, Stimulus, with_unit
from neuroclass.report.deciding import Deciding, deciding, whole
from neuroclass.report.places import SPIKE, Traced, aligned_on, from_onset
from neuroclass.ui.cells import passive
from neuroclass.ui.evidence.case import Case

_FAST_HZ, _SHOWN_S = 40.0, (-0.05, 0.3)
"""Rate from which only the beginning of a response is drawn, and the stretch from the stimulus' onset that is."""


@dataclass(frozen=True, eq=False)
class ShownReason:
    """A reason, its figure, and the figure in words."""

    reason: Reason
    figure: go.Figure
    words: str


def shown(case: Case, reasons: Sequence[Reason], listed: int, height: int) -> ShownReason | None:
    """The first of some reasons that can be drawn, strongest first; None where none can.

    Parameters
    ----------
    case : Case
        The verdict and its recording.
    reasons : sequence of Reason
        Largest contribution first.
    listed : int
        How many of them stand beside the figure; a later one is numbered in its title.
    height : int
        Height of the figure, px.
    """
    traced, analysis = case.traced, case.analysis
    found = None if traced is None else deciding(traced, reasons)
    if traced is None or analysis is None or found is None:
        return None
    feature, rank = found.reason.feature, reasons.index(found.reason) + 1
    title = found.panel.subtitle if rank <= listed else f"{found.panel.subtitle} (reason\u00a0{rank})"
    points = found.panel.points
    if points is not None and (drawn := _beside_line(traced, feature, points, title, height)) is not None:
        return ShownReason(found.reason, drawn, f"A sweep, and beside it the line whose slope is it: {title}")
    found, curves, own = _with_fit(traced, analysis.recording, analysis.features, found)
    event = aligned_on(feature)
    drawn = charts.decisive_spike(
        found.sweep,
        found.panel,
        found.zero_s,
        f"{title}{own}",
        height=height,
        aligned_on="peak" if event == SPIKE else "onset",
        curves=curves,
        in_current=event == SPIKE and BY_NAME[feature].unit == "pA",
    )
    return ShownReason(found.reason, drawn, f"A sweep, and beside it where it was measured: {title}{own}")


def _beside_line(traced: Traced, feature: str, points: Points, title: str, height: int) -> go.Figure | None:
    """The line beside the sweep whose point is farthest from rest."""
    y, fitted = points.y, points.fitted
    farthest = np.where(fitted, np.abs(y - (y[fitted].max() if feature == "ri" else 0.0)), -1.0)
    number = int(points.sweeps[int(farthest.argmax())])
    trace = from_onset(traced, number, Stimulus.LONG_SQUARE)
    if trace is None:
        return None
    firing = feature == "f_i_curve_slope" and float(y[points.sweeps == number].max()) > _FAST_HZ
    sweep = _beginning(trace) if firing else whole(trace)
    return charts.decisive_line(sweep, points, number, title, height, traced.simulated)


def _beginning(trace: Trace) -> Trace:
    """The beginning of a response whose spikes cannot be told apart where all of it is drawn."""
    sweep = whole(trace)
    onset = -trace.start_s
    part = crop(sweep, onset + _SHOWN_S[0], onset + _SHOWN_S[1])
    return replace(part, name=f"{sweep.name}, first {1e3 * _SHOWN_S[1]:.0f} ms")


def _with_fit(
    traced: Traced, recording: Recording, features: CellFeatures, found: Deciding
) -> tuple[Deciding, list[Curve], str]:
    """A passive feature's sweep with its fit or levels over it, and what that sweep alone gives; others as they are."""
    feature, own = found.reason.feature, ""
    span: tuple[float, float] | None
    if feature == "tau" and (fits := tau_fits(recording, features)):
        fit = max(fits, key=lambda one: float(np.ptp(one.v_mv)))
        number, curves, span = fit.sweep, passive.tau_curves([fit]), passive.tau_window([fit])
        own = _of_mean(feature, fit.tau_ms / BY_NAME[feature].display_factor, len(fits))
    elif feature == "vrest" and (levels := rest_levels(recording, features)):
        number, start, end, level = min(levels, key=lambda one: abs(one[-1] - found.reason.value))
        curves, span = [Curve("rest", [start, end], [level, level], PALETTE[1])], None
        own = _of_mean(feature, level, len(levels))
    else:
        number = traced.places[feature][0]
        curves, _, span = passive.overlays(feature, recording, features)
    trace = from_onset(traced, number, BY_NAME[feature].stimulus) if curves else None
    if trace is None:
        return found, [], ""
    zero = -trace.start_s
    window = (span[0] - zero, span[1] - zero) if span else found.panel.window
    shifted = [replace(curve, t=[t - zero for t in curve.t]) for curve in curves]
    panel = replace(found.panel, traces=(trace,), window=window)
    return replace(found, sweep=whole(trace), panel=panel, zero_s=zero), shifted, own


def _of_mean(feature: str, value: float, n: int) -> str:
    """What the drawn sweep gives, where the feature is a mean over several."""
    return f", mean of {n}; here {with_unit(feature, value)}" if n > 1 else ""
