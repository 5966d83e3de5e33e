"""The ways in which laboratories differ: directions of the transformed features, and how far laboratories go.

A shift moves a cell along a fixed direction of the transformed features: one junction-potential offset moves all
voltages alike, cold recordings widen spikes and slow their slopes, and so on. In standardised units the direction is
divided by the scaler's scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Floats


def _direction(**weights: float) -> Floats:
    """Weights of features whose name starts with a key; the longest key decides."""
    result = np.zeros(len(FEATURE_NAMES))
    for key in sorted(weights, key=len):
        result[[name.startswith(key) for name in FEATURE_NAMES]] = weights[key]
    return result


_VOLTAGES = np.array([spec.unit == "mV" for spec in FEATURES], dtype=np.float64)
_SPIKE_VOLTAGES = _VOLTAGES * np.array([name not in ("vrest", "vm_for_sag") for name in FEATURE_NAMES])
_CURRENTS = np.array([spec.unit == "pA" for spec in FEATURES], dtype=np.float64)
_COLD = _direction(
    width=1.0, upstroke=-1.0, upstroke_v=0.0, upstroke_downstroke_ratio=0.0, downstroke=-1.0, downstroke_v=0.0
) + _direction(tau=0.7, latency=0.5, ri=0.3, input_resistance=0.3)
_RESISTANCE = _direction(ri=1.0, input_resistance=1.0, tau=0.3, f_i_curve_slope=0.5) - _CURRENTS


@dataclass(frozen=True)
class LabShift:
    """One way in which laboratories differ.

    Attributes
    ----------
    name, unit : str
        What is shifted, and the unit of its size; ``ln`` for the natural logarithm of a factor.
    direction : ndarray, shape (41,)
        Change of the transformed features for a size of 1.
    sd : float
        Standard deviation of the size among laboratories.
    """

    name: str
    unit: str
    direction: Floats
    sd: float


LAB_SHIFTS: tuple[LabShift, ...] = (
    LabShift("voltage offset", "mV", _VOLTAGES, 8.0),
    LabShift("temperature", "ln", _COLD, 0.23),
    LabShift("resistance", "ln", _RESISTANCE, 0.35),
    LabShift("rheobase step", "ln", _direction(threshold_i_long_square=1.0), 0.1),
    LabShift("spike height", "mV", _direction(peak_v=-1.0, upstroke_v=-0.6, downstroke_v=-0.6), 10.0),
    LabShift("bridge", "mV", _SPIKE_VOLTAGES, 2.5),
)
DIRECTIONS: Mapping[str, Floats] = {shift.name: shift.direction for shift in LAB_SHIFTS}


def standardised_shifts(preprocessor: Preprocessor) -> Floats:
    """Each shift of one standard deviation among laboratories, in standardised features, shape (6, 41)."""
    return np.stack([shift.sd * shift.direction / preprocessor.scale for shift in LAB_SHIFTS])


def lab_covariance(preprocessor: Preprocessor) -> Floats:
    """K, the covariance of laboratories' offsets in standardised features, shape (41, 41)."""
    shifts = standardised_shifts(preprocessor)
    return np.asarray(shifts.T @ shifts)
