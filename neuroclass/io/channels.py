"""Units and channels of recordings: conversion to mV and pA, and a user-supplied mapping."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from neuroclass.errors import Option, SettingsError, UnitsError
from neuroclass.types.arrays import Floats

_PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_PREFIX_WORD = {"milli": "m", "micro": "u", "nano": "n", "pico": "p", "femto": "f"}
_BASE_WORD = {"volt": "V", "volts": "V", "amp": "A", "amps": "A", "ampere": "A", "amperes": "A"}


@dataclass(frozen=True)
class ChannelMapping:
    """Channels, units, gain and offset of response and stimulus, for files whose header cannot be trusted.

    A potential is the stored value in its unit, divided by its gain, plus its offset; a current likewise.

    Attributes
    ----------
    response, stimulus : str or None
        Name or number of a channel, in NWB the name of an electrode; None keeps the reader's own choice.
    response_unit, stimulus_unit : str or None
        Unit of the stored values, such as "mV" or "nA"; None keeps the header's.
    series : str or None
        Labels or numbers of the series that are read from a HEKA bundle, separated by commas; None reads all.
    response_gain, stimulus_gain : float or None
        Gain that the stored values still contain and are divided by, such as an amplifier's that was not telegraphed.
    response_offset, stimulus_offset : float or None
        Added after the gain, mV and pA.
    """

    response: str | None = None
    stimulus: str | None = None
    response_unit: str | None = None
    stimulus_unit: str | None = None
    series: str | None = None
    response_gain: float | None = None
    response_offset: float | None = None
    stimulus_gain: float | None = None
    stimulus_offset: float | None = None

    def __post_init__(self) -> None:
        """Reject units of the wrong kind, and gains and offsets that leave nothing to read."""
        for unit, kind, example in ((self.response_unit, "V", "mV"), (self.stimulus_unit, "A", "pA")):
            if unit is not None and unit_kind(unit) != kind:
                raise SettingsError(f"The unit {unit!r} is not known here; expected one such as {example}.")
        for gain in (self.response_gain, self.stimulus_gain):
            if gain is not None and not (np.isfinite(gain) and gain != 0):
                raise SettingsError(f"A gain of {gain:g} cannot be divided by; expected a number such as 20.")
        for offset, unit in ((self.response_offset, "mV"), (self.stimulus_offset, "pA")):
            if offset is not None and not np.isfinite(offset):
                raise SettingsError(f"An offset of {offset:g} is no number; expected one in {unit}, such as -67.")

    def options(self) -> dict[str, Option]:
        """The fields that say something."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}

    def notes(self) -> tuple[str, ...]:
        """What the mapping does to the values beyond units, in words, for a recording's warnings."""
        said = []
        for what, gain, offset, unit in (
            ("potential", self.response_gain, self.response_offset, "mV"),
            ("current", self.stimulus_gain, self.stimulus_offset, "pA"),
        ):
            divided = f"divided by {gain:g}" if gain not in (None, 1.0) else ""
            moved = f"shifted by {offset:+g} {unit}" if offset else ""
            if divided or moved:
                how = " and ".join(filter(None, (divided, moved)))
                said.append(f"The {what} is {how}, as entered; features in {unit} rest on that.")
        return tuple(said)


@dataclass(frozen=True)
class Channel:
    """A channel that a file offers, under the name that `ChannelMapping` takes.

    Attributes
    ----------
    name : str
        Name or number.
    unit : str
        Unit in the header.
    commanded : bool
        Whether it was sent to the amplifier rather than recorded.
    """

    name: str
    unit: str
    commanded: bool = False

    @property
    def kind(self) -> str:
        """Kind of its unit: "V", "A" or ""."""
        return unit_kind(self.unit)


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


def to_mv(values: Floats, unit: str, gain: float | None = None, offset_mv: float | None = None) -> Floats:
    """Convert potentials to mV.

    Parameters
    ----------
    values : ndarray, shape (n_times,)
        Stored values.
    unit : str
        Their unit.
    gain, offset_mv : float, optional
        See `ChannelMapping`.

    Returns
    -------
    ndarray, shape (n_times,)

    Raises
    ------
    UnitsError
        The unit is not one of potential.
    """
    return _corrected(_convert(values, unit, "V", 1e-3), gain, offset_mv)


def to_pa(values: Floats, unit: str, gain: float | None = None, offset_pa: float | None = None) -> Floats:
    """Convert currents to pA; see `to_mv`."""
    return _corrected(_convert(values, unit, "A", 1e-12), gain, offset_pa)


def response_mv(values: Floats, unit: str, mapping: ChannelMapping) -> Floats:
    """Potentials, mV, shape (n_times,), from values in the header's unit, as a mapping has them."""
    return to_mv(values, mapping.response_unit or unit, mapping.response_gain, mapping.response_offset)


def stimulus_pa(values: Floats, unit: str, mapping: ChannelMapping) -> Floats:
    """Currents, pA, shape (n_times,), from values in the header's unit, as a mapping has them."""
    return to_pa(values, mapping.stimulus_unit or unit, mapping.stimulus_gain, mapping.stimulus_offset)


def _corrected(values: Floats, gain: float | None, offset: float | None) -> Floats:
    if gain not in (None, 1.0):
        values = values / gain
    return values + offset if offset else values


def _convert(values: Floats, unit: str, base: str, target: float) -> Floats:
    factor, kind = parse_unit(unit)
    if kind != base:
        what, example = ("potential", "mV") if base == "V" else ("current", "pA")
        raise UnitsError(f"The {what} has the unit {unit!r}; expected one such as {example}.")
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


def names_of(channels: Sequence[tuple[str, str, bool]]) -> list[Channel]:
    """Channels under names that `pick_channel` understands: their own where it is unambiguous, else their number.

    Parameters
    ----------
    channels : sequence of (str, str, bool)
        Name, unit, and whether it was commanded, in the file's order.
    """
    plain = [name.strip().lower() for name, _, _ in channels]
    return [
        Channel(name.strip() if name.strip() and plain.count(name.strip().lower()) == 1 else str(k), unit, commanded)
        for k, (name, unit, commanded) in enumerate(channels)
    ]
