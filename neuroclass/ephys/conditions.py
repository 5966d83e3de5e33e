"""Recording conditions, and the correction of a cell's features to those of the reference.

The Allen Cell Types Database records at 34 °C and stores potentials that are not corrected for its liquid
junction potential of −14 mV: AllenSDK's models add 14 mV to a simulated potential before they compare it [1]_.
So a stored potential of the database is the true one plus 14 mV, and

* corrected potentials (true ones) get +14 mV;
* uncorrected ones get 14 mV − L, where L is the lab's own junction potential, mV, counted positive as for
  gluconate in the pipette (true = stored − L).

Temperature acts as factors Q10^((34 − T)/10), applied only where that is asked for: the models allow for another
temperature themselves, and on labelled mouse cells recorded at 25 °C (Scala et al. 2021) the factors lower the accuracy
(.734 to .704 of 605 cells). The Q10 are round numbers in the range of the sources, not
fitted to these cells, so the correction is coarse and every corrected verdict says so: 2 for rates of the
spike (channel kinetics 2.3 [2]_, spikes themselves less: "modestly affected" [3]_), 1.3 for conductances
(open channels 1.2 to 1.5 [4]_; input resistance rises on cooling [3]_), 1.4 for the time constant and the
latency, which mix both. Potentials are left as they are: threshold does not move between 22 and 35 °C [3]_.

References
----------
.. [1] AllenSDK, ``allensdk.model.biophysical.utils``; Allen Institute, technical white paper
   "Electrophysiology", 2017.
.. [2] Mainen and Sejnowski, "Influence of dendritic structure on firing pattern in model neocortical
   neurons", Nature 382, 1996.
.. [3] Lee, Callaway, Foehring, "Effects of temperature on calcium transients and Ca2+-dependent
   afterhyperpolarizations in neocortical pyramidal neurons", J Neurophysiol 93, 2005.
.. [4] Hille, "Ion Channels of Excitable Membranes", 3rd edition, 2001.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neuroclass.errors import SettingsError
from neuroclass.features import BY_NAME

REFERENCE_C = 34.0
REFERENCE_JUNCTION_MV = 14.0
COLDEST_C, WARMEST_C = 15.0, 42.0
LEAST_CHANGE_C = 1.0
FAR_C = 6.0
MOST_JUNCTION_MV = 30.0
PREPARATIONS: Mapping[str, str] = {"acute": "Acute slice", "culture": "Slice culture"}
Q10_SPIKE, Q10_MEMBRANE, Q10_CONDUCTANCE = 2.0, 1.4, 1.3
_FASTER = ("upstroke", "downstroke")
_SHORTER = {"width": Q10_SPIKE, "tau": Q10_MEMBRANE, "latency": Q10_MEMBRANE}


@dataclass(frozen=True)
class Conditions:
    """How the cells were recorded, as far as known.

    Attributes
    ----------
    temperature_c : float or None
        Temperature of the bath, °C.
    junction_mv : float or None
        The lab's liquid junction potential, mV, positive as for gluconate in the pipette (usually 8 to 16).
    junction_corrected : bool or None
        Whether it was subtracted from the stored potentials; None if unknown.
    age, region : str
        Recorded only; not used in computations.
    correct_temperature : bool
        Whether features are brought to 34 °C by the Q10 factors.
    preparation : str
        One of `PREPARATIONS`, or empty. No model uses it; verdicts say so.

    Raises
    ------
    SettingsError
        For a temperature outside 15 to 42 °C, a junction potential beyond ±30 mV, or another preparation.
    """

    temperature_c: float | None = None
    junction_mv: float | None = None
    junction_corrected: bool | None = None
    age: str = ""
    region: str = ""
    correct_temperature: bool = False
    preparation: str = ""

    def __post_init__(self) -> None:
        t, junction = self.temperature_c, self.junction_mv
        if t is not None and not COLDEST_C <= t <= WARMEST_C:
            raise SettingsError(
                f"A recording temperature of {t:g} °C was given; expected {COLDEST_C:g} to {WARMEST_C:g} °C."
            )
        if junction is not None and not abs(junction) <= MOST_JUNCTION_MV:
            raise SettingsError(
                f"A junction potential of {junction:g} mV was given; expected −{MOST_JUNCTION_MV:g} to "
                f"{MOST_JUNCTION_MV:g} mV, positive for gluconate in the pipette."
            )

        if self.preparation and self.preparation not in PREPARATIONS:
            raise SettingsError(
                f"The preparation {self.preparation!r} was given; expected {' or '.join(PREPARATIONS)}, or none."
            )

    @property
    def offset_mv(self) -> float:
        """Offset added to the stored potentials, mV."""
        if self.junction_corrected:
            return REFERENCE_JUNCTION_MV
        if self.junction_mv is None:
            return 0.0
        return REFERENCE_JUNCTION_MV - self.junction_mv

    @property
    def warming_c(self) -> float:
        """By how much features are brought to a higher temperature, °C; 0 where not asked for or within 1 °C."""
        if self.temperature_c is None or not self.correct_temperature:
            return 0.0
        away = REFERENCE_C - self.temperature_c
        return away if abs(away) >= LEAST_CHANGE_C else 0.0

    def to_json(self) -> dict[str, Any]:
        """The given conditions and the corrections that follow; empty if none were given."""
        nothing = vars(Conditions())
        said = {key: value for key, value in vars(self).items() if value != nothing[key]}
        if not said:
            return {}
        return {**said, "added_to_potentials_mv": self.offset_mv, "corrected_by_c": self.warming_c}


@dataclass(frozen=True)
class Corrected:
    """Features corrected to the reference's conditions.

    Attributes
    ----------
    features : mapping of name to float
        Stored units.
    measured : mapping of name to float
        The uncorrected values of the features that changed.
    notes : tuple of str
        Human-readable description of the corrections.
    """

    features: Mapping[str, float]
    measured: Mapping[str, float]
    notes: tuple[str, ...]


def q10_factor(feature: str, warming_c: float) -> float:
    """Factor that corrects a feature's value to a temperature `warming_c` higher.

    Parameters
    ----------
    feature : str
        Name of the feature.
    warming_c : float
        °C; negative for a colder reference.

    Returns
    -------
    float
        1 for features without a temperature correction.
    """
    tenths = warming_c / 10
    unit = BY_NAME[feature].unit
    if feature in _FASTER:
        return Q10_SPIKE**tenths
    if feature in _SHORTER:
        return float(_SHORTER[feature] ** -tenths)
    if unit == "MOhm":
        return Q10_CONDUCTANCE**-tenths
    return Q10_CONDUCTANCE**tenths if unit == "pA" else 1.0


def to_reference(features: Mapping[str, float], conditions: Conditions) -> Corrected:
    """Correct features to 34 °C and to potentials uncorrected for a junction potential of 14 mV.

    Parameters
    ----------
    features : mapping of name to float
        As measured, stored units.
    conditions : Conditions
        How the cell was recorded; unknown conditions change nothing.

    Returns
    -------
    Corrected
    """
    offset, warming = conditions.offset_mv, conditions.warming_c
    changed = {
        name: value * q10_factor(name, warming) + (offset if BY_NAME[name].unit == "mV" else 0.0)
        for name, value in features.items()
    }
    notes = []
    if offset:
        why = "the potentials are corrected" if conditions.junction_corrected else "another junction potential"
        notes.append(
            f"{offset:+.1f} mV was added to every potential ({why}): the database's are not corrected for its own "
            f"{REFERENCE_JUNCTION_MV:g} mV."
        )
    if warming:
        far = " So far from it, take the result with caution." if abs(warming) > FAR_C else ""
        notes.append(
            f"Recorded at {conditions.temperature_c:g} °C: times, slopes, resistances and currents were brought to "
            f"{REFERENCE_C:g} °C with Q10 of {Q10_SPIKE:g} (spike), {Q10_MEMBRANE:g} (time constant, latency) and "
            f"{Q10_CONDUCTANCE:g} (resistance, current), assumed values.{far}"
        )
    elif conditions.temperature_c is not None and abs(REFERENCE_C - conditions.temperature_c) >= LEAST_CHANGE_C:
        notes.append(
            f"Recorded at {conditions.temperature_c:g} °C, not at the database's {REFERENCE_C:g} °C: no value is "
            "changed for it, since the models allow for another temperature."
        )
    if conditions.preparation:
        notes.append(
            f"{PREPARATIONS[conditions.preparation]}: no value is changed for it and no model uses it. How often "
            "held-out human cells of either preparation are recognised is on Performance, Human subclass."
        )
    moved = {name: value for name, value in features.items() if changed[name] != value}
    return Corrected(changed, moved, tuple(notes))
