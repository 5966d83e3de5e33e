"""Readings of a refused recording that are physiologically possible, each tried before it is offered."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuroclass.ephys.sweep import Recording
from neuroclass.errors import ClampModeError, NeuroClassError, Option, Proposal, RecordingError
from neuroclass.io.channels import ChannelMapping, parse_unit
from neuroclass.io.pairings import Pairing
from neuroclass.io.trace_shape import (
    CURRENT_PA,
    RESISTANCE_MOHM,
    REST_MV,
    Potential,
    Shape,
    same_current,
    shape_of,
)

ASSUMED_REST_MV = -70.0
GAINS = (2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.001)
"""Gains of patch-clamp amplifiers, and their inverses where they were applied twice."""
_UNITS_V, _UNITS_A = ("mV", "V", "uV"), ("pA", "nA", "A")
_MOST_PAIRINGS, _MOST_OFFERED = 16, 4
_HELD_MV = (-120.0, -30.0)
_UNIT, _GAIN, _OFFSET = 1, 2, 5
_MOVES_MV = 1.0
_LOCKED, _ALIKE = 0.5, 0.2
EXPORT = (
    "Record or export both, the potential in mV and the injected current in pA, for example as NWB 2 or as a table "
    'with columns such as "time (s)", "sweep 1 (mV)" and "current 1 (pA)".'
)

Read = Callable[[ChannelMapping], Sequence[Recording]]
Accept = Callable[[ChannelMapping], None]
_FAILURES = (NeuroClassError, OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError)


@dataclass(frozen=True)
class TimeLeft:
    """Processor time, s, that the search may take, and that it takes to read the file once."""

    seconds: float
    a_read: float


@dataclass(frozen=True, eq=False)
class _Reading:
    """One way to read the file, with what it looks like and how far it departs from the header."""

    pairing: Pairing
    options: Mapping[str, Option]
    departures: int
    potential: Potential
    shape: Shape
    amplitude_pa: float


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A scale of a channel: the options that give it, its cost, and its factor to the values that were looked at."""

    options: Mapping[str, Option]
    departures: int
    factor: float
    offset: float = 0.0


class _Search:
    """Reads pairings while there is time to read the file again, and remembers whether any potential was a neuron's."""

    def __init__(
        self, read: Read, accept: Accept, kept: Mapping[str, Option], time_left: TimeLeft, strict: bool
    ) -> None:
        self._read, self._accept, self._kept, self._strict = read, accept, kept, strict
        self._time_left, self._end = time_left, time.process_time() + time_left.seconds
        self.potentials: list[str] = []
        self.cut_short = False

    def _may_read(self) -> bool:
        """Whether the file can be read once more, and once again to try what comes of it."""
        self.cut_short |= time.process_time() + 2 * self._time_left.a_read > self._end
        return not self.cut_short

    def passes(self, options: Mapping[str, Option]) -> bool:
        """Whether the file is read under some options, tried as a user would."""
        if time.process_time() + self._time_left.a_read > self._end:
            self.cut_short = True
            return False
        try:
            self._accept(ChannelMapping(**options))  # type: ignore[arg-type]
        except _FAILURES:
            return False
        return True

    def readings(self, pairing: Pairing) -> Iterator[_Reading]:
        """Readings of a pairing that are physiologically possible."""
        raw = self._shape({**pairing.options, "response_unit": "mV", "stimulus_unit": "pA"})
        if raw is None or _is_another_cell(raw, pairing) or (self._strict and not _may_be_current_clamp(raw, pairing)):
            return
        header_v = self._shape({**pairing.options, "stimulus_unit": "pA"})
        header_i = self._shape({**pairing.options, "response_unit": "mV"})
        currents = list(_current_scales(raw, header_i))
        for v in _potential_scales(raw, header_v):
            potential = raw.potential.scaled(v.factor, v.offset)
            if not potential.is_neuronal or ((self._strict or v.departures >= _OFFSET) and not potential.has_spikes):
                continue
            if v.departures < _GAIN and potential.top - potential.rest > _MOVES_MV:
                self.potentials.append(pairing.potential)
            for i in currents:
                resistance, amplitude = raw.slope * v.factor / i.factor * 1e3, raw.amplitude * i.factor
                if _belong(potential, resistance, amplitude, self._strict):
                    options = {**self._kept, **pairing.options, **v.options, **i.options}
                    cost = v.departures + i.departures
                    yield _Reading(pairing, options, cost, potential, raw, amplitude)

    def _shape(self, options: Mapping[str, Option]) -> Shape | None:
        if not self._may_read():
            return None
        try:
            recordings = self._read(ChannelMapping(**{**self._kept, **options}))  # type: ignore[arg-type]
        except _FAILURES:
            return None
        shapes = [shape_of(one.sweeps) for one in sorted(recordings, key=lambda one: -len(one.sweeps))]
        return next((shape for shape in shapes if shape is not None), None)


def _is_another_cell(raw: Shape, pairing: Pairing) -> bool:
    """Whether what is taken for the current is a potential by its unit and rests as a neuron does."""
    factor, kind = parse_unit(pairing.units[1])
    return kind == "V" and not pairing.command and REST_MV[0] <= raw.holding * factor * 1e3 <= REST_MV[1]


def _may_be_current_clamp(raw: Shape, pairing: Pairing) -> bool:
    """Whether a channel has spikes in some unit that do not just follow its steps, as capacitive currents do."""
    held = pairing.command_kind == "V" and _HELD_MV[0] <= raw.holding <= _HELD_MV[1]
    if held or raw.potential.locked > _LOCKED:
        return False
    scaled = [raw.potential.scaled(parse_unit(unit)[0] * 1e3) for unit in _UNITS_V]
    return any(one.is_neuronal and one.has_spikes for one in scaled)


def _belong(potential: Potential, resistance: float, amplitude: float, strict: bool) -> bool:
    """Whether a current is of a possible size and moves the potential as a neuron's resistance does."""
    if not CURRENT_PA[0] <= amplitude <= CURRENT_PA[1]:
        return False
    if np.isfinite(resistance):
        return bool(RESISTANCE_MOHM[0] <= resistance <= RESISTANCE_MOHM[1])
    return potential.has_spikes and not strict


def _potential_scales(raw: Shape, header: Shape | None) -> Iterator[_Scaled]:
    """Scales of the potential, those that depart least from the header first."""
    factor = _ratio(header.potential, raw.potential) if header is not None else 0.0
    shift = header.potential.rest - raw.potential.rest * factor if header is not None and factor else 0.0
    bases = [_Scaled({}, 0, factor, shift)] if factor else []
    bases += [
        _Scaled({"response_unit": unit}, _UNIT, parse_unit(unit)[0] * 1e3)
        for unit in _UNITS_V
        if not np.isclose(parse_unit(unit)[0] * 1e3, factor, rtol=1e-3) or shift
    ]
    yield from bases
    for base in bases:
        for gain in GAINS:
            yield _Scaled(
                {**base.options, "response_gain": gain}, base.departures + _GAIN, base.factor / gain, base.offset / gain
            )
    for base in bases:
        rest = raw.potential.rest * base.factor + base.offset
        offset = float(round(ASSUMED_REST_MV - rest))
        yield _Scaled(
            {**base.options, "response_offset": offset}, base.departures + _OFFSET, base.factor, base.offset + offset
        )


def _ratio(header: Potential, raw: Potential) -> float:
    span = raw.top - raw.low
    return (header.top - header.low) / span if span > 0 else 0.0


def _current_scales(raw: Shape, header: Shape | None) -> Iterator[_Scaled]:
    """Scales of the current, those that depart least from the header first."""
    factor = header.amplitude / raw.amplitude if header is not None and raw.amplitude > 0 else 0.0
    bases = [_Scaled({}, 0, factor)] if factor else []
    bases += [
        _Scaled({"stimulus_unit": unit}, _UNIT, parse_unit(unit)[0] * 1e12)
        for unit in _UNITS_A
        if not np.isclose(parse_unit(unit)[0] * 1e12, factor, rtol=1e-3)
    ]
    yield from bases
    for base in bases[:1]:
        for gain in GAINS:
            yield _Scaled({**base.options, "stimulus_gain": gain}, base.departures + _GAIN, base.factor / gain)


def with_proposals(
    error: RecordingError,
    mapping: ChannelMapping,
    pairings: Sequence[Pairing],
    read: Read,
    accept: Accept,
    time_left: TimeLeft,
) -> RecordingError:
    """A refusal with the readings that are possible, or with what the file lacks.

    Of all readings in which the potential rests and moves as a neuron's and the current moves it as a neuron's
    resistance does, those are kept that depart least from the header, and of these, those that `accept` lets pass.

    Parameters
    ----------
    error : RecordingError
        Why the file was refused.
    mapping : ChannelMapping
        What the user said about the file.
    pairings : sequence of Pairing
        Channels to try, besides those that the reader takes by itself.
    read : callable
        Reads the file under a mapping, whatever the values.
    accept : callable
        Reads it as a user would who follows the proposal; raises if it is refused.
    time_left : TimeLeft
        What the search may take; a refusal without proposals is better than none in time.

    Returns
    -------
    RecordingError
        Of the same type.
    """
    strict = isinstance(error, ClampModeError)
    kept = {k: v for k, v in mapping.options().items() if not k.startswith(("response", "stimulus"))}
    search = _Search(read, accept, kept, time_left, strict)
    found = [one for pairing in [Pairing(), *pairings][:_MOST_PAIRINGS] for one in search.readings(pairing)]
    proposals = [_proposal(one) for one in _fewest_departures(found) if search.passes(one.options)]
    if proposals:
        return type(error)(error.found, proposals)
    if strict or error.advised or search.cut_short:
        return error
    scaled = [one.options for one in found if set(one.options) == {*kept, "stimulus_gain"}]
    gains = [options["stimulus_gain"] for options in scaled if search.passes(options)]
    if gains:
        return type(error)(f"{error.found} {_undecided(gains)}", words="--stimulus-gain GAIN")
    return type(error)(f"{error.found} {_lack(search.potentials)} {EXPORT}")


def _fewest_departures(found: Sequence[_Reading]) -> list[_Reading]:
    """The readings that depart least from the header, one for each pair of potential and current."""
    least = min((one.departures for one in found), default=0)
    kept: list[_Reading] = []
    for one in sorted((r for r in found if r.departures == least), key=lambda r: not r.pairing.command):
        twins = [
            other
            for other in kept
            if other.potential == one.potential
            and same_current(other.shape, one.shape)
            and abs(other.amplitude_pa / one.amplitude_pa - 1) < _ALIKE
            and _scale(other) == _scale(one)
        ]
        if not twins:
            kept.append(one)
    scales = {_scale(one) for one in kept}
    undecided = len(scales) > 1 and any("gain" in name for one in kept for name in one.options)
    return [] if undecided or len(kept) > _MOST_OFFERED else kept


def _scale(reading: _Reading) -> tuple[tuple[str, Option], ...]:
    return tuple((k, v) for k, v in reading.options.items() if k.endswith(("_gain", "_offset", "_unit")))


def _proposal(one: _Reading) -> Proposal:
    potential = _words(one.pairing.potential, one.pairing.units[0], one.options, "response", "mV")
    current = _words(one.pairing.current, one.pairing.units[1], one.options, "stimulus", "pA")
    start = f"the sweeps then start at {one.potential.rest:.0f} mV"
    reading = f"potential {potential}; current {current}; {start}"
    if not one.options:
        reading = f"potential and current as the file itself has them, without what was entered; {start}"
    assumed = f"that the cell rests at {ASSUMED_REST_MV:g} mV, which the file does not tell"
    return Proposal(reading, one.options, assumed if "response_offset" in one.options else "")


def _words(source: str, header: str, options: Mapping[str, Option], what: str, unit: str) -> str:
    stored = options.get(f"{what}_unit")
    words = source or ("the stored values" if stored else "as in the file")
    if stored:
        words += f" in {stored} instead of {header}" if header else f" in {stored}"
    elif header:
        words += f" in {header}"
    gain, offset = options.get(f"{what}_gain"), options.get(f"{what}_offset")
    words += f", divided by {gain:g}" if gain else ""
    return words + (f", shifted by {offset:+g} {unit}" if offset else "")


def _undecided(gains: Sequence[Option]) -> str:
    shown = ", ".join(f"{gain:g}" for gain in sorted(set(map(float, gains))))
    return (
        f"The current can be read divided by a gain of {shown}; only the amplifier's settings tell which. Enter it as "
        "the gain of the current."
    )


def _lack(potentials: Sequence[str]) -> str:
    if potentials:
        shown = " and ".join(dict.fromkeys(filter(None, potentials)))
        where = f" ({shown})" if shown else ""
        return f"It holds what looks like a membrane potential{where}, but no injected current that moves it."
    return "No channel looks like a neuron's membrane potential, in any unit and with any usual gain."


def noted(recordings: Sequence[Recording], mapping: ChannelMapping) -> tuple[Recording, ...]:
    """Recordings with a warning about each gain and offset that was entered."""
    return tuple(replace(one, warnings=(*mapping.notes(), *one.warnings)) for one in recordings)
