"""Units and channels of recordings: conversion to mV and pA, and a user-supplied mapping."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.errors import SettingsError, UnitsError
from neuroclass.types.arrays import Floats

_PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_PREFIX_WORD = {"milli": "m", "micro": "u", "nano": "n", "pico": "p", "femto": "f"}
_BASE_WORD = {"volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A"}


@dataclass(frozen=True)
class ChannelMapping:
    """Channels of response and stimulus, for files whose header cannot be trusted.

    Attributes
    ----------
    response, stimulus : str or None
        Name or number of a channel; None keeps the reader's own choice.
    response_unit, stimulus_unit : str or None
        Unit of the stored values, such as "mV" or "nA"; None keeps the header's.
    series : str or None
        Labels or numbers of the series that are read from a HEKA bundle, separated by commas; None reads all.
    """

    response: str | None = None
    stimulus: str | None = None
    response_unit: str | None = None
    stimulus_unit: str | None = None
    series: str | None = None

    def __post_init__(self) -> None:
        """Reject units of the wrong kind."""
        for unit, kind, example in ((self.response_unit, "V", "mV"), (self.stimulus_unit, "A", "pA")):
            if unit is not None and unit_kind(unit) != kind:
                raise SettingsError(f"The unit {unit!r} is not known here; expected one such as {example}.")


def parse_unit(text: str) -> tuple[float, str]:
    """Split a unit into its factor to SI and its base.

    Parameters
    ----------
    text : str
        Such as "mV", "pA", "volts" or "picoamperes".

    Returns
    -------
    factor : float
        SI value of one such unit; NaN for any other kind of unit.
    base : str
        "V", "A" or "".
    """
    word = text.strip().replace("µ", "u").replace("μ", "u").rstrip("\0")
    lower = word.lower()
    for long, short in _PREFIX_WORD.items():
        if lower.startswith(long) and lower[len(long) :] in _BASE_WORD:
            return _PREFIX[short], _BASE_WORD[lower[len(long) :]]
    if lower in _BASE_WORD:
        return 1.0, _BASE_WORD[lower]
    if word and word[-1] in "VA" and word[:-1] in _PREFIX:
        return _PREFIX[word[:-1]], word[-1]
    return float("nan"), ""


def unit_kind(text: str) -> str:
    """Kind of a unit: "V", "A" or ""."""
    return parse_unit(text)[1]


def to_mv(values: Floats, unit: str) -> Floats:
    """Convert potentials, shape (n_times,), to mV; raises UnitsError where `unit` is not one of potential."""
    return _convert(values, unit, "V", 1e-3)


def to_pa(values: Floats, unit: str) -> Floats:
    """Convert currents, shape (n_times,), to pA; raises UnitsError where `unit` is not one of current."""
    return _convert(values, unit, "A", 1e-12)


def _convert(values: Floats, unit: str, base: str, target: float) -> Floats:
    factor, kind = parse_unit(unit)
    if kind != base:
        what, example, option = (
            ("response", "mV", "--response-unit") if base == "V" else ("stimulus", "pA", "--stimulus-unit")
        )
        raise UnitsError(
            f"The {what} has the unit {unit!r}; expected one such as {example}. "
            f"If you know the unit of the stored values, say so with {option}."
        )
    scale = factor / target
    return values if abs(scale - 1) < 1e-12 else values * _exact(scale)


def _exact(scale: float) -> float:
    """The power of ten nearest a ratio of units, without rounding error."""
    return float(f"1e{round(np.log10(scale))}")


def pick_channel(names: Sequence[str], wanted: str, what: str) -> int:
    """Index of a channel given by name or number.

    Raises
    ------
    UnitsError
        There is no such channel, or several have the name.
    """
    matches = [k for k, name in enumerate(names) if name.strip() == wanted.strip()]
    if not matches:
        matches = [k for k, name in enumerate(names) if name.strip().lower() == wanted.strip().lower()]
    if len(matches) == 1:
        return matches[0]
    if not matches and wanted.strip().isdigit() and int(wanted) < len(names):
        return int(wanted)
    listed = ", ".join(f"{k}: {name}" for k, name in enumerate(names)) or "none"
    raise UnitsError(f"The {what} channel {wanted!r} is not one channel of this file, which has {listed}.")
