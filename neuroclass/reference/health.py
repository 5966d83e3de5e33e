"""Signs that a cell is no healthy cortical neuron in the reference's range, from its features.

None of the database's 1,723 cells meets a criterion except the one of the spike's height (22 cells); of 3,444 cells of
other laboratories 4% meet one. The limits lie beyond the database's extremes and where slice physiologists commonly
exclude cells, not at a quantile.

References
----------
.. [1] McCormick and Prince, "Post-natal development of electrophysiological properties of rat cerebral cortical
   pyramidal neurones", J Physiol 393, 1987 (immature cells: high input resistance, slow and small spikes).
.. [2] Allen Institute for Brain Science, Allen Cell Types Database, technical white paper "Electrophysiology", 2017.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from neuroclass.ephys.quality import Flag, Severity
from neuroclass.features import BY_NAME, with_unit
from neuroclass.reference.ranges import load_ranges, overall_ranges

NOT_HEALTHY = "not_a_healthy_cortical_neuron"
_MANY = 2  # criteria of caution that together are serious


@dataclass(frozen=True)
class Criterion:
    """A limit beyond which a feature speaks against a healthy cortical neuron.

    Attributes
    ----------
    name, feature : str
        The flag's name, and what it is measured by.
    above : bool
        Whether a value above the limit meets the criterion, or one below.
    limit, serious : float
        Where it is met, and where it alone is serious; stored unit.
    meaning : str
        What it suggests.
    """

    name: str
    feature: str
    above: bool
    limit: float
    serious: float
    meaning: str

    def beyond(self, value: float, limit: float) -> bool:
        """Whether a value lies beyond a limit."""
        return value > limit if self.above else value < limit


CRITERIA: tuple[Criterion, ...] = (
    Criterion("high_input_resistance", "ri", True, 700.0, 1000.0, "an immature or very small cell, or a poor seal"),
    Criterion("low_input_resistance", "ri", False, 20.0, 10.0, "a leak, a glial cell, or no whole cell"),
    Criterion("depolarised_rest", "vrest", True, -50.0, -40.0, "a dying or leaking cell, or an immature one"),
    Criterion("hyperpolarised_rest", "vrest", False, -95.0, -105.0, "an electrode offset, or a glial cell"),
    Criterion("slow_membrane", "tau", True, 100.0, 150.0, "an immature cell"),
    Criterion("no_overshoot", "peak_v_long_square", False, -5.0, -15.0, "a dying or immature cell, or poor access"),
    Criterion("high_threshold", "threshold_v_long_square", True, -20.0, -10.0, "a dying or immature cell"),
    Criterion("broad_spike", "width", True, 3e-3, 5e-3, "an immature cell, or poor access"),
)
LEAST_HEIGHT_MV = 40.0


def health_flags(features: Mapping[str, float], species: str = "") -> tuple[Flag, ...]:
    """Criteria that a cell meets, after a line that names them all.

    Parameters
    ----------
    features : mapping of name to float
        Measured features under the reference's conditions, stored units.
    species : str
        Whose ranges are told beside a value; both species' where it is unknown.

    Returns
    -------
    tuple of Flag
        Empty for a cell that meets none; else the verdict on the whole cell where a criterion is serious or two are
        met, and one flag a criterion.
    """
    found = [flag for one in CRITERIA if (flag := _flag(one, features, species))]
    found += _height(features)
    serious = [flag for flag in found if flag.severity is Severity.SERIOUS]
    if not serious and len(found) < _MANY:
        return tuple(found)
    named = " and ".join(flag.name.replace("_", " ") for flag in found)
    message = (
        f"By its {named} this is not a healthy cortical neuron in the reference's range: the models have seen no such "
        "cell, so its class says little."
    )
    whole = Flag(NOT_HEALTHY, None, float(len(found)), 0.0, "criteria", message, severity=Severity.SERIOUS)
    return (whole, *found)


def _flag(criterion: Criterion, features: Mapping[str, float], species: str) -> Flag | None:
    value = features.get(criterion.feature)
    if value is None or not criterion.beyond(value, criterion.limit):
        return None
    usual = (load_ranges().get(species) or overall_ranges())[criterion.feature]
    spec = BY_NAME[criterion.feature]
    factor = spec.display_factor
    message = (
        f"{spec.label} {with_unit(criterion.feature, value)}, beyond {with_unit(criterion.feature, criterion.limit)}: "
        f"{criterion.meaning}. 99% of the reference's cells lie within {usual.low * factor:.3g} to "
        f"{with_unit(criterion.feature, usual.high)}."
    )
    severity = Severity.SERIOUS if criterion.beyond(value, criterion.serious) else Severity.CAUTION
    return Flag(
        criterion.name, None, value * factor, criterion.limit * factor, spec.shown_unit, message, False, severity
    )


def _height(features: Mapping[str, float]) -> list[Flag]:
    """Height of the rheobase spike from threshold to peak."""
    peak, threshold = features.get("peak_v_long_square"), features.get("threshold_v_long_square")
    if peak is None or threshold is None or peak - threshold >= LEAST_HEIGHT_MV:
        return []
    height = peak - threshold
    message = (
        f"The rheobase spike is {height:.3g} mV high from threshold to peak, below {LEAST_HEIGHT_MV:g} mV: a dying or "
        "immature cell, poor access, or a spike that arises far from the pipette."
    )
    return [Flag("small_spike", None, height, LEAST_HEIGHT_MV, "mV", message)]
