"""A response in little: a line without axes, as SVG that takes the room it has."""

from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclass.charts.theme import ACCENT
from neuroclass.charts.traces import envelope
from neuroclass.types.arrays import Floats

if TYPE_CHECKING:
    from neuroclass.classification.analysis import RecordingAnalysis

WIDTH, HEIGHT = 300, 56
TOP_MV, LOW_MV = 50.0, -90.0
_POINTS = 600
_AROUND_S = 0.1
_KEPT_POINTS = 400


def svg(v_mv: Floats, fraction: Floats | None = None, stroke_px: float = 1.4) -> str:
    """Draw a response.

    Parameters
    ----------
    v_mv : ndarray, shape (n_times,)
        The response, mV; thinned to its minima and maxima where it is long.
    fraction : ndarray, shape (n_times,), optional
        Place of each sample from left to right, 0 to 1; evenly spaced without.
    stroke_px : float
        Width of the line.

    Returns
    -------
    str
    """
    index, kept = envelope(v_mv, _POINTS)
    place = index / max(1, len(v_mv)) if fraction is None else fraction[index]
    x, y = WIDTH * place, HEIGHT * (TOP_MV - np.clip(kept, LOW_MV, TOP_MV)) / (TOP_MV - LOW_MV)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{HEIGHT}' viewBox='0 0 {WIDTH} {HEIGHT}'>"
        f"<polyline points='{line}' fill='none' stroke='{ACCENT}' stroke-width='{stroke_px}'/></svg>"
    )


def kept(analysis: "RecordingAnalysis") -> dict[str, Any] | None:
    """A recording's most telling response, thinned, as JSON: what `of_kept` draws; None without an evoked spike.

    Returns
    -------
    dict or None
        ``sweep`` (number), ``amplitude_pa``, ``mv`` (whole millivolts), ``at`` (each sample's place, 0 to 1).
    """
    telling = analysis.telling_square
    if telling is None:
        return None
    one, epoch = telling
    rate = one.sweep.rate_hz
    first = max(0, round((epoch.start_s - _AROUND_S) * rate))
    part = one.sweep.v_mv[first : round((epoch.end_s + _AROUND_S) * rate)]
    index, v = envelope(part, _KEPT_POINTS)
    return {
        "sweep": int(one.sweep.number),
        "amplitude_pa": round(float(epoch.amplitude_pa), 1),
        "mv": np.nan_to_num(v).round().astype(int).tolist(),
        "at": (index / max(1, len(part))).round(4).tolist(),
    }


def of_kept(found: dict[str, Any]) -> str:
    """The drawing of what `kept` gave."""
    return svg(np.asarray(found["mv"], dtype=np.float64), np.asarray(found["at"], dtype=np.float64))
