"""A cell's responses to long squares as its features describe them, for cells whose sweeps are not at hand."""

from collections.abc import Mapping

import numpy as np

from neuroclass.cohort.class_shape import schematic_spike
from neuroclass.types.arrays import Floats

BEFORE_MS, AFTER_MS = 30.0, 220.0
SAG_AFTER, SAG_MS = 4.0, 60.0
"""When the sag begins, in time constants, and how fast it is; the features do not hold either."""
_POINTS = 160
Course = tuple[Floats, Floats]


def square_responses(values: Mapping[str, float], landmarks: Mapping[str, tuple[float, float]]) -> list[Course]:
    r"""Draw the hyperpolarising long square in which sag is measured, and one 50 pA above rheobase to its first spike.

    Parameters
    ----------
    values : mapping of str to float
        Features, stored units: ``vrest``, ``tau``, ``sag``, ``vm_for_sag``, ``latency`` and the potentials of the
        first spike on a long square.
    landmarks : mapping of str to (v_mv, dvdt)
        The spike under noise, of which long squares have only the potentials; see `median_landmarks`.

    Returns
    -------
    list of (t_ms, v_mv)
        Time from the stimulus' onset, ms, and potential, mV, of each response that enough is known of.

    Notes
    -----
    The membrane charges with the time constant :math:`\tau`, :math:`1 - e^{-t/\tau}`: down to ``vm_for_sag``, from
    where it comes back by the sag ratio, and up to the threshold, which it reaches at the first-spike latency.
    """
    known = {name: float(value) for name, value in values.items() if np.isfinite(value)}
    tau, rest = known.get("tau", 0.0), known.get("vrest")
    if rest is None or tau <= 0:
        return []
    found = [_sagging(known, rest, tau), _spiking(known, landmarks, rest, tau)]
    return [course for course in found if course is not None]


def _charge(t: Floats, tau: float) -> Floats:
    return 1 - np.exp(-np.maximum(t, 0.0) / tau)


def _sagging(known: Mapping[str, float], rest: float, tau: float) -> Course | None:
    low, sag = known.get("vm_for_sag"), known.get("sag")
    if low is None or sag is None or low >= rest:
        return None
    t = np.linspace(-BEFORE_MS, AFTER_MS, _POINTS)
    back = -sag * (low - rest) * _charge(t - SAG_AFTER * tau, SAG_MS)
    return t, rest + (low - rest) * _charge(t, tau) + back


def _spiking(
    known: Mapping[str, float], landmarks: Mapping[str, tuple[float, float]], rest: float, tau: float
) -> Course | None:
    latency = 1e3 * known.get("latency", 0.0)
    spike = schematic_spike(_on_square(known, landmarks))
    if spike is None or latency <= 0 or spike[1][0] <= rest:
        return None
    t = np.linspace(-BEFORE_MS, latency, _POINTS)
    rise = rest + (spike[1][0] - rest) * _charge(t, tau) / _charge(np.array([latency]), tau)
    return np.concatenate([t, latency + spike[0][1:]]), np.concatenate([rise, spike[1][1:]])


def _on_square(
    known: Mapping[str, float], landmarks: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """The landmarks moved to the potentials of a spike on a long square; empty where these are not known."""
    names = {"threshold": "threshold_v_long_square", "peak": "peak_v_long_square",
             "fast trough": "fast_trough_v_long_square"}  # fmt: skip
    if not set(landmarks) >= {*names, "upstroke", "downstroke"} or not set(names.values()) <= set(known):
        return {}
    v = {name: landmarks[name][0] for name in landmarks}
    own = {name: known[feature] for name, feature in names.items()}
    up = (v["upstroke"] - v["threshold"]) / (v["peak"] - v["threshold"])
    down = (v["downstroke"] - v["fast trough"]) / (v["peak"] - v["fast trough"])
    own["upstroke"] = own["threshold"] + up * (own["peak"] - own["threshold"])
    own["downstroke"] = own["fast trough"] + down * (own["peak"] - own["fast trough"])
    return {name: (potential, landmarks[name][1]) for name, potential in own.items()}
