"""Physiological limits of the 41 features: a value outside them is no neuron's, whatever its class.

They follow from physics where it sets a bound, such as a reversal potential; elsewhere they are the extremes of 5,167
cells (the database's 1,723 and four published tables of other laboratories [1]_ [2]_ [3]_), widened at least twofold.
They are no ranges of healthy cells, and a value within them may still be a poor recording's.

References
----------
.. [1] Scala et al., "Phenotypic variation of transcriptomic cell types in mouse motor cortex", Nature 598, 2021.
.. [2] Gouwens et al., "Integrated morphoelectric and transcriptomic classification of cortical GABAergic cells", Cell
   183, 2020.
.. [3] Lee et al., "Signature morphoelectric properties of diverse GABAergic interneurons in the human neocortex",
   Science 382, 2023; Berg et al., "Human neocortical expansion involves glutamatergic neuron diversification", Nature
   598, 2021.
.. [4] Hille, "Ion Channels of Excitable Membranes", 3rd edition, 2001.
.. [5] Hamill, Marty, Neher, Sakmann, Sigworth, "Improved patch-clamp techniques", Pflügers Arch 391, 1981.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuroclass.features import BY_NAME, FEATURES, rounded, with_unit

_DIGITS = 5
"""Significant digits of a refused value, so that it is never shown as its limit."""


@dataclass(frozen=True)
class Limits:
    """Least and largest possible value of a feature, stored unit, with what sets them."""

    low: float
    high: float
    source: str


_MEASURED = "twice the extremes of 5,167 published cells"
_CURRENT = "what amplifiers inject through a patch pipette, 20 nA at most"
_SPIKE_V = Limits(-90.0, 90.0, "between potassium's and sodium's reversal potentials, with 15 mV for junction offsets")
_TROUGH_V = Limits(-120.0, 10.0, "potassium's reversal potential, −105 mV, with 15 mV for junction offsets")
_ANY_CURRENT = Limits(-20_000.0, 20_000.0, _CURRENT)
_STEP = Limits(0.0, 20_000.0, f"a depolarising square; {_CURRENT}")
_RESISTANCE = Limits(1.0, 10_000.0, "a membrane of 1 MΩ is a leak, one of 10 GΩ is the seal")
_QUANTITIES = {
    "threshold_v": Limits(-90.0, 10.0, "sodium channels open between −90 and 10 mV"),
    "peak_v": Limits(-30.0, 90.0, "a spike peaks above −30 mV, by rule, and below sodium's reversal potential, 75 mV, "
                     "with 15 mV for junction offsets"),
    "upstroke_v": _SPIKE_V,
    "downstroke_v": _SPIKE_V,
    "trough_v": _TROUGH_V,
    "fast_trough_v": _TROUGH_V,
    "threshold_i": _ANY_CURRENT,
    "peak_i": _ANY_CURRENT,
    "trough_i": _ANY_CURRENT,
    "fast_trough_i": _ANY_CURRENT,
    "upstroke": Limits(20.0, 1500.0, f"a spike rises by 20 mV/ms at least, by rule; {_MEASURED}"),
    "downstroke": Limits(-1500.0, 0.0, f"a spike falls; {_MEASURED}"),
    "width": Limits(5e-5, 0.01, "channels need 0.05 ms to open and close; spikes of 10 ms are calcium's or plateaus"),
    "upstroke_downstroke_ratio": Limits(0.1, 20.0, f"a spike rises and falls; {_MEASURED}"),
}  # fmt: skip
_NAMED = {
    "threshold_i_long_square": _STEP,
    "threshold_i_short_square": _STEP,
    "f_i_curve_slope": Limits(-10.0, 20.0, "a refractory period of 1 ms allows no more within steps of tens of pA"),
    "input_resistance_mohm": _RESISTANCE,
    "ri": _RESISTANCE,
    "seal_gohm": Limits(1e-3, 200.0, "a resistance is positive; glass seals to 200 GΩ at best"),
    "latency": Limits(-5e-4, 10.0, "a spike follows its stimulus; a filter can move it by half a millisecond"),
    "sag": Limits(-0.5, 1.0, "0 without sag, 1 for a return to the baseline; noise can make it negative"),
    "tau": Limits(0.2, 500.0, f"{_MEASURED}"),
    "vm_for_sag": Limits(-150.0, -20.0, "no published cell below −130 mV, where inward rectifiers and the seal give "
                         "way; above −20 mV no neuron rests"),
    "vrest": Limits(-120.0, -20.0, "potassium's reversal potential, −105 mV, with 15 mV for junction offsets; above "
                    "−20 mV no neuron rests"),
}  # fmt: skip


def _quantity(name: str) -> str:
    return name.removesuffix(f"_{BY_NAME[name].stimulus.value}")


LIMITS: Mapping[str, Limits] = {
    spec.name: _NAMED.get(spec.name) or _QUANTITIES[_quantity(spec.name)] for spec in FEATURES
}


def impossible(values: Mapping[str, float]) -> dict[str, str]:
    """Values outside the physiological limits.

    Parameters
    ----------
    values : mapping of name to float
        Features in stored units; NaN is not looked at.

    Returns
    -------
    dict of str to str
        Why each of them is withheld: the value, the limits and what sets them.
    """
    return {
        name: f"{with_unit(name, value, _DIGITS)} is outside what a neuron can have, {_span(name)}: "
        f"{LIMITS[name].source}"
        for name, value in values.items()
        if not np.isnan(value) and not LIMITS[name].low <= value <= LIMITS[name].high
    }


def _span(name: str) -> str:
    low, high = LIMITS[name].low, LIMITS[name].high
    factor = BY_NAME[name].display_factor
    return f"{rounded(low * factor, _DIGITS)} to {with_unit(name, high, _DIGITS)}"
