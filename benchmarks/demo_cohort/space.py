"""The parameters that are searched: their ranges, and where the search of each class begins."""

from dataclasses import dataclass

import numpy as np

from neuroclass.simulation.models import NeuronParameters
from neuroclass.types.arrays import Floats

NOISE_PER_PF = 0.02
DIGITS = 6


@dataclass(frozen=True)
class Axis:
    """Range of one parameter; a logarithmic one is drawn evenly in its logarithm."""

    name: str
    low: float
    high: float
    log: bool = True

    def at(self, share: float) -> float:
        """Value at a share of the range."""
        if self.log:
            return float(self.low * (self.high / self.low) ** share)
        return float(self.low + (self.high - self.low) * share)

    def share(self, value: float) -> float:
        """Share of the range at a value."""
        if self.log:
            return float(np.log(value / self.low) / np.log(self.high / self.low))
        return (value - self.low) / (self.high - self.low)


AXES: tuple[Axis, ...] = (
    Axis("capacitance_pf", 25, 500),
    Axis("v_rest_mv", -86, -56, log=False),
    Axis("g_leak", 0.003, 0.2),
    Axis("g_na", 3, 200),
    Axis("g_nap", 0.001, 0.5),
    Axis("g_kd", 0.05, 80),
    Axis("g_kv3", 0.05, 300),
    Axis("g_m", 0.002, 1.5),
    Axis("g_kir", 0.001, 0.3),
    Axis("g_t", 0.0005, 0.3),
    Axis("g_h", 0.0005, 0.1),
    Axis("e_na_mv", 30, 75, log=False),
    Axis("e_k_mv", -105, -72, log=False),
    Axis("vt_mv", -68, -38, log=False),
    Axis("h_shift_mv", -15, 20, log=False),
    Axis("n_shift_mv", -20, 25, log=False),
    Axis("nap_shift_mv", -10, 20, log=False),
    Axis("kv3_shift_mv", -40, 20, log=False),
    Axis("m_rate", 0.3, 6),
    Axis("h_rate", 0.2, 6),
    Axis("n_rate", 0.1, 5),
    Axis("kv3_rate", 0.1, 5),
    Axis("tau_m_ms", 50, 3000),
    Axis("noise_gain", 0.7, 2.6, log=False),
)

_REGULAR = {
    "capacitance_pf": 120,
    "v_rest_mv": -73,
    "g_leak": 0.03,
    "g_na": 40,
    "g_nap": 0.02,
    "g_kd": 5,
    "g_kv3": 0.2,
    "g_m": 0.05,
    "g_kir": 0.04,
    "g_t": 0.002,
    "g_h": 0.005,
    "e_na_mv": 50,
    "e_k_mv": -85,
    "vt_mv": -50,
    "h_shift_mv": 0,
    "n_shift_mv": 0,
    "nap_shift_mv": 3,
    "kv3_shift_mv": -10,
    "m_rate": 1.5,
    "h_rate": 1.5,
    "n_rate": 0.6,
    "kv3_rate": 1,
    "tau_m_ms": 600,
    "noise_gain": 1.5,
}
_FAST = {"g_kv3": 60, "g_kd": 1, "h_rate": 2.5, "e_na_mv": 45, "g_kir": 0.05, "g_m": 0.01}
_CHANGES: dict[str, dict[str, float]] = {
    "mouse/Glutamatergic": {},
    "mouse/Pvalb": {**_FAST, "capacitance_pf": 60, "g_leak": 0.09},
    "mouse/Sst": {"capacitance_pf": 85, "g_kv3": 25, "g_kd": 2, "g_leak": 0.04},
    "mouse/Vip": {"capacitance_pf": 55, "g_leak": 0.06},
    "mouse/Htr3a": {"capacitance_pf": 60, "g_leak": 0.07},
    "human/excitatory": {"capacitance_pf": 240},
    "human/inhibitory": {"capacitance_pf": 90, "g_kv3": 25, "g_kd": 2, "g_leak": 0.05},
}


def start(kind: str) -> Floats:
    """Where the search of a class begins, as shares of the ranges, shape (24,)."""
    values = {**_REGULAR, **_CHANGES[kind]}
    return np.array([axis.share(values[axis.name]) for axis in AXES])


def decode(shares: Floats) -> tuple[NeuronParameters, float]:
    """Neuron and noise gain at the given shares of the ranges."""
    values = {
        axis.name: float(f"{axis.at(share):.{DIGITS}g}")
        for axis, share in zip(AXES, np.clip(shares, 0, 1), strict=True)
    }
    gain = values.pop("noise_gain")
    return NeuronParameters(**values, noise_pa=round(NOISE_PER_PF * values["capacitance_pf"], 3)), gain
