"""The 41 electrophysiological features: names, units and definitions, declared once.

The names, their order and their stored units are those of the table published with
arXiv:2306.00528. Axis titles, table headers, docstrings and the upload template are made from here.

References
----------
.. [1] Allen Institute for Brain Science, Allen Cell Types Database, technical white paper
   "Electrophysiology", 2017.
.. [2] Ophir, Shefi, Lindenbaum, "Neuronal Cell Type Classification using Deep Learning",
   arXiv:2306.00528, 2023.
"""

from dataclasses import dataclass
from enum import StrEnum


class Stimulus(StrEnum):
    """The stimulus a feature is measured under."""

    NOISE = "noise"
    LONG_SQUARE = "long_square"
    RAMP = "ramp"
    SHORT_SQUARE = "short_square"
    NONE = "none"

    @property
    def label(self) -> str:
        """The stimulus' name in prose."""
        return "test pulse and seal" if self is Stimulus.NONE else self.value.replace("_", " ")


USUAL_ORDER = (Stimulus.LONG_SQUARE, Stimulus.SHORT_SQUARE, Stimulus.RAMP, Stimulus.NOISE, Stimulus.NONE)
"""As people read them: the stimuli that most laboratories use come first."""


class FeatureSource(StrEnum):
    """How a feature's value is obtained."""

    SWEEPS = "sweeps"
    PERSON = "person"


@dataclass(frozen=True)
class FeatureSpec:
    """One of the 41 features.

    Attributes
    ----------
    name : str
        Column name in the published table.
    label : str
        Short name for axes and headers.
    unit : str
        Unit of the stored value; empty for a ratio.
    stimulus : Stimulus
        The stimulus whose sweeps it is measured in.
    definition : str
        How it is measured, in one sentence.
    source : FeatureSource
        Whether it is measured on sweeps or entered by hand.
    display_unit : str
        Unit for display if it differs from `unit`; else empty.
    display_factor : float
        Factor from stored to displayed values.
    """

    name: str
    label: str
    unit: str
    stimulus: Stimulus
    definition: str
    source: FeatureSource = FeatureSource.SWEEPS
    display_unit: str = ""
    display_factor: float = 1.0

    @property
    def shown_unit(self) -> str:
        """Unit in which the value is displayed."""
        return self.display_unit or self.unit

    @property
    def named(self) -> str:
        """The feature in prose, in lists and on axes: what it is called, with the stimulus where it has one."""
        return self.called if self.stimulus is Stimulus.NONE else f"{self.called} ({self.stimulus.label})"

    @property
    def called(self) -> str:
        """What the field calls it: the current at threshold on long squares is the rheobase."""
        return "Rheobase" if self.name == "threshold_i_long_square" else self.label

    @property
    def title(self) -> str:
        """Axis title: what it is called, stimulus and display unit."""
        unit = self.shown_unit or ("" if "ratio" in self.label.lower() else "ratio")
        where = "" if self.stimulus is Stimulus.NONE else self.stimulus.label
        told = ", ".join(filter(None, (where, unit)))
        return f"{self.called} ({told})" if told else self.called


_NOISE = "mean over the spikes of the first noise sweep with more than 10 spikes"
_LONG = "first spike of the rheobase sweep, the lowest-amplitude spiking long square"
_RAMP = "first spike of each spiking ramp, mean over the ramps"
_SHORT = "first spike of each short square at the commonest spiking amplitude, mean over them"
_WHERE = {
    Stimulus.NOISE: _NOISE,
    Stimulus.LONG_SQUARE: _LONG,
    Stimulus.RAMP: _RAMP,
    Stimulus.SHORT_SQUARE: _SHORT,
}
_QUANTITY = {
    "threshold_v": ("Threshold", "mV", "membrane potential where dV/dt first exceeds 5% of the mean upstroke"),
    "threshold_i": ("Current at threshold", "pA", "injected current at the threshold sample, less the holding current"),
    "peak_v": ("Peak", "mV", "highest membrane potential of the spike"),
    "peak_i": ("Current at peak", "pA", "injected current at the peak sample"),
    "trough_v": ("Trough", "mV", "lowest membrane potential before the next threshold or the window's end"),
    "trough_i": ("Current at trough", "pA", "injected current at the trough sample"),
    "upstroke": ("Upstroke", "mV/ms", "largest dV/dt between threshold and peak"),
    "upstroke_v": ("Potential at upstroke", "mV", "membrane potential at the upstroke sample"),
    "downstroke": ("Downstroke", "mV/ms", "most negative dV/dt between peak and trough"),
    "downstroke_v": ("Potential at downstroke", "mV", "membrane potential at the downstroke sample"),
    "fast_trough_v": (
        "Fast trough",
        "mV",
        "potential where dV/dt first recovers to 1% of the downstroke",
    ),
    "fast_trough_i": ("Current at fast trough", "pA", "injected current at the fast trough sample"),
    "width": ("Width", "s", "width of the spike at half its height above the trough"),
    "upstroke_downstroke_ratio": ("Upstroke/downstroke ratio", "", "upstroke divided by the size of the downstroke"),
}


def measured_on(stimulus: Stimulus) -> str:
    """Which spikes of a stimulus the features of the spike are measured on; empty without a stimulus."""
    return _WHERE.get(stimulus, "")


def _spike(quantity: str, stimulus: Stimulus) -> FeatureSpec:
    label, unit, definition = _QUANTITY[quantity]
    name = quantity if stimulus is Stimulus.NOISE else f"{quantity}_{stimulus.value}"
    if name == "threshold_i_short_square":
        definition = "amplitude of the short square"
    shown = ("ms", 1e3) if unit == "s" else ("", 1.0)
    sentence = f"{definition[0].upper()}{definition[1:]}; {_WHERE[stimulus]}."
    return FeatureSpec(name, label, unit, stimulus, sentence, FeatureSource.SWEEPS, *shown)


_L, _R, _S = Stimulus.LONG_SQUARE, Stimulus.RAMP, Stimulus.SHORT_SQUARE

FEATURES: tuple[FeatureSpec, ...] = (
    *(_spike(quantity, Stimulus.NOISE) for quantity in _QUANTITY),
    FeatureSpec(
        "f_i_curve_slope",
        "f–I slope",
        "Hz/pA",
        _L,
        "Least-squares slope of firing rate against amplitude over the spiking long squares, at least two; those in "
        "depolarisation block are left out.",
    ),
    _spike("fast_trough_v", _L),
    _spike("fast_trough_v", _R),
    _spike("fast_trough_v", _S),
    FeatureSpec(
        "input_resistance_mohm",
        "Input resistance (test pulse)",
        "MOhm",
        Stimulus.NONE,
        "Input resistance from voltage-clamp test pulses before the sweeps; not the one of long squares.",
        FeatureSource.PERSON,
        "MΩ",
    ),
    FeatureSpec(
        "latency",
        "First-spike latency",
        "s",
        _L,
        "Time from stimulus onset to the first threshold in the hero sweep, the lowest spiking amplitude "
        "39 to 61 pA above rheobase.",
        FeatureSource.SWEEPS,
        "ms",
        1e3,
    ),
    _spike("peak_v", _L),
    _spike("peak_v", _R),
    _spike("peak_v", _S),
    FeatureSpec(
        "ri",
        "Input resistance",
        "MOhm",
        _L,
        "Slope of the least-squares line of the lowest potential against the current there, over the "
        "non-spiking long squares between −100 and 0 pA.",
        FeatureSource.SWEEPS,
        "MΩ",
    ),
    FeatureSpec(
        "sag",
        "Sag",
        "",
        _L,
        "(peak − steady state) / (peak − baseline) of the long square whose deflection ends nearest −100 mV.",
    ),
    FeatureSpec(
        "seal_gohm",
        "Seal resistance",
        "GOhm",
        Stimulus.NONE,
        "Seal resistance measured in voltage clamp before break-in.",
        FeatureSource.PERSON,
        "GΩ",
    ),
    FeatureSpec(
        "tau",
        "Membrane time constant",
        "ms",
        _L,
        "Mean time constant of single-exponential fits from 10% of the deflection to its lowest point, over the "
        "non-spiking long squares between −100 and 0 pA.",
    ),
    _spike("threshold_i", _L),
    _spike("threshold_i", _R),
    _spike("threshold_i", _S),
    _spike("threshold_v", _L),
    _spike("threshold_v", _R),
    _spike("threshold_v", _S),
    _spike("trough_v", _L),
    _spike("trough_v", _R),
    _spike("trough_v", _S),
    _spike("upstroke_downstroke_ratio", _L),
    _spike("upstroke_downstroke_ratio", _R),
    _spike("upstroke_downstroke_ratio", _S),
    FeatureSpec(
        "vm_for_sag",
        "Potential for sag",
        "mV",
        _L,
        "Lowest membrane potential of the sweep in which sag is measured.",
    ),
    FeatureSpec(
        "vrest",
        "Resting potential",
        "mV",
        _L,
        "Mean membrane potential in the 100 ms before the stimulus, over all long squares.",
    ),
)

FEATURE_NAMES: tuple[str, ...] = tuple(spec.name for spec in FEATURES)
BY_NAME: dict[str, FeatureSpec] = {spec.name: spec for spec in FEATURES}
PERSON_FEATURES: tuple[str, ...] = tuple(s.name for s in FEATURES if s.source is FeatureSource.PERSON)


def features_of(stimulus: Stimulus) -> tuple[str, ...]:
    """Names of the features measured under one stimulus, in table order."""
    return tuple(spec.name for spec in FEATURES if spec.stimulus is stimulus)


def with_unit(feature: str, value: float, digits: int = 3) -> str:
    """A feature's value in its display unit, to `digits` significant ones; an en dash if missing."""
    if value != value:
        return "–"
    spec = BY_NAME[feature]
    return f"{rounded(value * spec.display_factor, digits)} {spec.shown_unit}".strip()


def signed(value: float, decimals: int = 1) -> str:
    """A difference with its sign, a true minus."""
    return f"{value:+.{decimals}f}".replace("-", "−")


def rounded(value: float, digits: int = 3) -> str:
    """A measured number as people read it: so many significant digits, no exponent from 0.001 on, a true minus."""
    if abs(float(f"{value:.{digits}g}")) >= 1e3:
        text = f"{value:,.{max(0, digits - 4)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        text = f"{value:.{digits}g}"
    return text.replace("-", "−") if "e" not in text else text
