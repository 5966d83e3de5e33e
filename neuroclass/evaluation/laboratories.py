"""Simulated laboratories: held-out cells as a different rig would have measured them, in stored units.

Shifts act on stored values, independently of how training cells are moved: all potentials by one
offset; spike widths, time constants and latencies by a factor, and slopes by its inverse; resistances by
a factor and currents by its inverse; rheobase rounded up to a coarser step; whole stimuli missing.
"""

from dataclasses import dataclass, replace

import numpy as np

from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus
from neuroclass.types.arrays import Floats

_UNITS = np.array([spec.unit for spec in FEATURES])
_VOLTAGES = _UNITS == "mV"
_SLOPES = np.isin(FEATURE_NAMES, ("upstroke", "downstroke"))
_RHEOBASE = FEATURE_NAMES.index("threshold_i_long_square")
_STIMULI = np.array([spec.stimulus.value for spec in FEATURES])
PROTOCOL_STIMULI = (Stimulus.NOISE, Stimulus.LONG_SQUARE, Stimulus.RAMP, Stimulus.SHORT_SQUARE)


@dataclass(frozen=True)
class Laboratory:
    """How a laboratory's values differ from the database's.

    Attributes
    ----------
    name : str
        For people.
    offset_mv : float
        Added to every potential.
    slowing : float
        Factor on spike width; its square root on time constant and latency; its inverse on slopes.
    resistance : float
        Factor on resistances, its inverse on currents.
    step_pa : float
        Step of the long squares, to which rheobase is rounded up; 0 for none.
    hidden : tuple of Stimulus
        Stimuli that were not recorded.
    """

    name: str
    offset_mv: float = 0.0
    slowing: float = 1.0
    resistance: float = 1.0
    step_pa: float = 0.0
    hidden: tuple[Stimulus, ...] = ()

    def measure(self, x: Floats) -> Floats:
        """The cells' features as this laboratory measures them, shape (n_cells, 41), NaN where missing."""
        result = np.array(x, dtype=np.float64)
        result[:, _VOLTAGES] += self.offset_mv
        for name, power in (("width", 1.0), ("tau", 0.5), ("latency", 0.5)):
            result[:, FEATURE_NAMES.index(name)] *= self.slowing**power
        result[:, _SLOPES] /= self.slowing
        result[:, _UNITS == "MOhm"] *= self.resistance
        result[:, _UNITS == "pA"] /= self.resistance
        if self.step_pa:
            result[:, _RHEOBASE] = np.ceil(result[:, _RHEOBASE] / self.step_pa) * self.step_pa
        result[:, np.isin(_STIMULI, [stimulus.value for stimulus in self.hidden])] = np.nan
        return result


HOME = Laboratory("as recorded")


def shifted_laboratories() -> tuple[Laboratory, ...]:
    """Laboratories that differ in one way by several sizes, then in all."""
    one_way = [
        *(Laboratory(f"potentials {mv:+d} mV", offset_mv=mv) for mv in (-15, -10, -5, 5, 10, 15)),
        *(Laboratory(f"spikes {f:g} times as broad", slowing=f) for f in (0.8, 1.25, 1.5, 2.0)),
        *(Laboratory(f"resistances times {f:g}", resistance=f) for f in (0.7, 0.85, 1.2, 1.4)),
        *(Laboratory(f"steps of {pa} pA", step_pa=pa) for pa in (20, 50, 100)),
    ]
    away = Laboratory("25 °C, other junction convention, coarser steps", -10.0, 1.7, 1.15, 25.0)
    unheard = (Stimulus.NOISE, Stimulus.RAMP, Stimulus.SHORT_SQUARE, Stimulus.NONE)
    return (
        HOME,
        *one_way,
        away,
        Laboratory("long squares only", hidden=unheard),
        replace(away, name=f"{away.name}, long squares only", hidden=unheard),
    )


def stimulus_combinations() -> tuple[Laboratory, ...]:
    """Every combination of recorded stimuli, with and without the features entered by hand."""
    result = []
    for code in range(1, 2 ** len(PROTOCOL_STIMULI)):
        missing = tuple(s for bit, s in enumerate(PROTOCOL_STIMULI) if not code >> bit & 1)
        for entered in (True, False):
            hidden = missing if entered else (*missing, Stimulus.NONE)
            kept = [s.value for s in (*PROTOCOL_STIMULI, Stimulus.NONE) if s not in hidden]
            result.append(Laboratory("+".join(kept), hidden=hidden))
    return tuple(result)
