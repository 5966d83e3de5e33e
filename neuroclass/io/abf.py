"""Axon Binary Format 1 and 2, through pyABF."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import ClampModeError, RecordingError, UnitsError
from neuroclass.io.channels import (
    Channel,
    ChannelMapping,
    names_of,
    pick_channel,
    response_mv,
    stimulus_pa,
    to_mv,
    unit_kind,
)
from neuroclass.io.plausibility import problem_of
from neuroclass.types.arrays import Floats

_FROM_EPOCHS = 1
_FROM_FILE = 2
_FOLLOWS, _RIPPLE_MV = 1.3, 10.0


@dataclass(frozen=True)
class _Channel:
    """A channel's place in the file, name and unit."""

    index: int
    name: str
    unit: str

    @property
    def kind(self) -> str:
        return unit_kind(self.unit)


@dataclass(frozen=True)
class _Pair:
    """The channels of one cell's response and stimulus."""

    response: _Channel
    recorded: _Channel | None
    command: _Channel | None


def read_abf(path: Path, name: str, mapping: ChannelMapping) -> tuple[Recording, ...]:
    """Read the current-clamp sweeps of an ABF file.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Display name.
    mapping : ChannelMapping
        Overrides the header's channels and units.

    Returns
    -------
    tuple of Recording
        One for each cell.

    Raises
    ------
    ClampModeError
        The file is voltage clamp.
    UnitsError
        The header contradicts itself about units or channels.
    RecordingError
        The file holds no sweeps.
    """
    abf, responses, commands = _opened(path)
    if not responses or not abf.sweepCount or not abf.sweepPointCount:
        raise RecordingError(f"{name} holds no sweeps; expected at least one.")
    pairs = _chosen(abf, responses, commands, name, mapping)
    read = tuple(_recording(abf, pair, name, _cell(pair, pairs, name), mapping) for pair in pairs)
    if mapping.response is None and sum(c.kind == "V" for c in responses) > 1:
        return _reassigned(abf, pairs, read, responses, mapping) or read
    return read


def abf_channels(path: Path) -> list[Channel]:
    """What a mapping of an ABF file may name: its inputs, then the outputs that command something."""
    abf, responses, commands = _opened(path)
    named = names_of([(c.name, c.unit, c in commands) for c in (*responses, *commands)])
    active = [k for k, c in enumerate(commands) if any(np.ptp(i) > 0 for i in _command_waveforms(abf, c.index))]
    return [*named[: len(responses)], *(named[len(responses) + k] for k in active)]


def _opened(path: Path) -> tuple[Any, list[_Channel], list[_Channel]]:
    """The file with its inputs and outputs."""
    import pyabf

    abf = pyabf.ABF(str(path), loadData=True)
    return abf, _channels(abf.adcNames, abf.adcUnits), _channels(abf.dacNames, abf.dacUnits)


def _channels(names: Sequence[str], units: Sequence[str]) -> list[_Channel]:
    return [_Channel(k, n.strip(" \0"), u.strip(" \0?")) for k, (n, u) in enumerate(zip(names, units, strict=False))]


def _cell(pair: _Pair, pairs: Sequence[_Pair], name: str) -> str:
    return pair.response.name if len(pairs) > 1 else Path(name).stem


def _chosen(
    abf: Any, responses: list[_Channel], commands: list[_Channel], name: str, mapping: ChannelMapping
) -> tuple[_Pair, ...]:
    """The pair that the mapping names, else those of a consistent header, else what a unit alone decides."""
    if mapping.response is not None or mapping.stimulus is not None:
        return (_mapped(responses, commands, mapping),)
    try:
        if _is_held(abf, responses, commands):
            raise _voltage_clamp(name, responses[0])
        return _paired(responses, commands, name)
    except UnitsError:
        if mapping.response_unit is None:
            raise
        return (_mapped(responses, commands, mapping),)


def _reassigned(
    abf: Any, pairs: tuple[_Pair, ...], read: tuple[Recording, ...], responses: list[_Channel], mapping: ChannelMapping
) -> tuple[Recording, ...]:
    """The one potential that is a neuron's, under the one command that varies; empty if the pairs are right.

    For a file whose command has the number of another input, such as one that records the stimulus in V.
    """
    driven = [k for k, one in enumerate(read) if any(np.ptp(s.i_pa) > 0 for s in one.sweeps)]
    if len(driven) != 1 or not problem_of(read[driven[0]]):
        return ()
    owner = pairs[driven[0]]
    others = [c for c in responses if c.kind == "V" and c is not owner.response]
    found = []
    for response in others:
        moved = _Pair(response, owner.recorded, owner.command)
        recording = _recording(abf, moved, read[0].source, Path(read[0].source).stem, mapping)
        if not problem_of(recording):
            found.append(recording)
    if len(found) != 1:
        return ()
    source = (owner.command or owner.recorded or owner.response).name
    said = (
        f"The potential is read from the one channel that looks like a membrane potential, under the command "
        f"{source}; {owner.response.name} in {owner.response.unit} is not a neuron's."
    )
    return (replace(found[0], warnings=(*found[0].warnings, said)),)


def _mapped(responses: list[_Channel], commands: list[_Channel], mapping: ChannelMapping) -> _Pair:
    """The pair that a mapping names; what it leaves open is chosen by unit."""
    if mapping.response is not None:
        response = responses[pick_channel([c.name for c in responses], mapping.response, "response")]
    else:
        response = next((c for c in responses if c.kind == "V"), responses[0])
    if mapping.stimulus is None:
        others = [c for c in responses if c.kind == "A" and c is not response]
        command = next((c for c in commands[response.index : response.index + 1] if c.kind == "A"), None)
        return _Pair(response, others[0] if others and command is None else None, command)
    names = [c.name for c in responses] + [c.name for c in commands]
    chosen = pick_channel(names, mapping.stimulus, "stimulus")
    if chosen < len(responses):
        return _Pair(response, responses[chosen], None)
    return _Pair(response, None, commands[chosen - len(responses)])


def _paired(responses: list[_Channel], commands: list[_Channel], name: str) -> tuple[_Pair, ...]:
    """Pair each potential with the command of the same number, if the header is consistent."""
    volts = [c for c in responses if c.kind == "V"]
    amps = [c for c in responses if c.kind == "A"]
    first = commands[responses[0].index] if responses[0].index < len(commands) else None
    if not volts:
        if amps and first is not None and first.kind == "A":
            raise UnitsError(_contradiction(responses, commands, name))
        if amps:
            raise _voltage_clamp(name, amps[0])
        raise UnitsError(_contradiction(responses, commands, name))
    if responses[0].kind == "A" and first is not None and first.kind == "V":
        raise UnitsError(_contradiction(responses, commands, name))
    pairs: list[_Pair] = []
    for response in volts:
        own = commands[response.index] if response.index < len(commands) else None
        command = own if own is not None and own.kind == "A" else None
        recorded = amps[0] if len(volts) == 1 and amps else None
        if command is not None or recorded is not None:
            pairs.append(_Pair(response, recorded, command))
    if not pairs:
        raise UnitsError(_contradiction(responses, commands, name))
    return tuple(pairs)


def _voltage_clamp(name: str, current: _Channel) -> ClampModeError:
    return ClampModeError(
        f"{name} is voltage clamp: it records {current.name} in {current.unit}. "
        "Expected current clamp, a potential in mV recorded while current is injected."
    )


def _is_held(abf: Any, responses: list[_Channel], commands: list[_Channel]) -> bool:
    """Whether a file that records a current first and commands a potential records that potential too.

    In voltage clamp the recorded potential follows the command and moves no further.
    """
    volts = [c for c in responses if c.kind == "V"]
    if not (volts and commands and responses[0].kind == "A" and commands[0].kind == "V"):
        return False
    waveforms = _command_waveforms(abf, 0)
    commanded = to_mv(np.concatenate(waveforms or [np.zeros(1)]), commands[0].unit)
    recorded = to_mv(abf.data[volts[0].index].astype(np.float64), volts[0].unit)
    low, high = np.percentile(recorded, (0.05, 99.95))
    return bool(high - low <= _FOLLOWS * np.ptp(commanded) + _RIPPLE_MV)


def _contradiction(responses: list[_Channel], commands: list[_Channel], name: str) -> str:
    kinds = {c.kind for c in (*responses, *commands)}
    found = "contradicts itself" if kinds >= {"V", "A"} else "names no " + ("current" if "V" in kinds else "potential")
    driven = [c for c in commands[: max(2, len(responses))] if c.unit]
    return (
        f"The header of {name} {found}: it records {_listed(responses)} and commands {_listed(driven) or 'nothing'}. "
        "Expected a potential recorded while a current is commanded."
    )


def _listed(channels: Sequence[_Channel]) -> str:
    return ", ".join(f"{c.name or f'channel {c.index}'} in {c.unit or 'no unit'}" for c in channels)


def _recording(abf: Any, pair: _Pair, name: str, cell: str, mapping: ChannelMapping) -> Recording:
    source = pair.recorded if pair.command is None else pair.command
    stimulus_unit = source.unit if source else "pA"
    warnings: list[str] = []
    sweeps_i, recorded = _stimuli(abf, pair, warnings)
    if recorded and pair.recorded is not None:
        stimulus_unit = pair.recorded.unit
    sweeps = []
    apart = _apart_s(abf)
    for number, (begin, stop) in enumerate(_bounds(abf)):
        v = response_mv(abf.data[pair.response.index, begin:stop].astype(np.float64), pair.response.unit, mapping)
        i = stimulus_pa(_fit(sweeps_i[number], v.size), stimulus_unit, mapping)
        sweeps.append(
            Sweep(
                number,
                v,
                i,
                float(abf.dataRate),
                stimulus_name=abf.protocol,
                recorded_current=recorded,
                began_s=None if apart is None else number * apart,
            )
        )
    comment = {"protocol": str(abf.protocol), "version": str(abf.abfVersionString)}
    return Recording(name, cell, tuple(sweeps), tuple(warnings), comment, f"ABF {_version(abf)}")


def _apart_s(abf: Any) -> float | None:
    """Time from the start of one sweep to that of the next, s; None where the file does not tell."""
    section = getattr(abf, "_protocolSection", None)  # of ABF 2 only
    apart = float(getattr(section, "fEpisodeStartToStart", 0.0) or 0.0)
    return apart if np.isfinite(apart) and apart > 0 else None


def _bounds(abf: Any) -> list[tuple[int, int]]:
    """First sample and first after it of each sweep."""
    lengths = getattr(getattr(abf, "_synchArraySection", None), "lLength", None)
    total = abf.data.shape[1]
    if lengths and len(lengths) == abf.sweepCount and len(set(lengths)) > 1:
        edges = np.concatenate(([0], np.cumsum([n // abf.channelCount for n in lengths])))
    else:
        edges = np.arange(abf.sweepCount + 1) * abf.sweepPointCount
    return [(int(a), int(min(b, total))) for a, b in pairwise(edges) if min(b, total) > a]


def _stimuli(abf: Any, pair: _Pair, warnings: list[str]) -> tuple[list[Floats], bool]:
    """Each sweep's current in its stored unit, and whether it was recorded rather than commanded."""
    bounds = _bounds(abf)
    commanded: list[Floats] = []
    if pair.command is not None:
        commanded = _command_waveforms(abf, pair.command.index, len(bounds))
        if not commanded:
            warnings.append("The command waveform lies in another file or is of a kind that is not known here.")
    varies = any(np.ptp(i) > 0 for i in commanded) or len({float(i[0]) for i in commanded if i.size}) > 1
    if varies or (commanded and pair.recorded is None):
        return commanded, False
    if pair.recorded is not None:
        channel = pair.recorded.index
        return [abf.data[channel, a:b].astype(np.float64) for a, b in bounds], True
    return [np.full(b - a, np.nan) for a, b in bounds], False


def _version(abf: Any) -> int:
    return int(abf.abfVersion["major"])


def _command_waveforms(abf: Any, channel: int, count: int | None = None) -> list[Floats]:
    """Command waveforms of one output from the header's epoch table, one per sweep; empty if it has none.

    A waveform file named in the header is never opened: the name may point anywhere.
    """
    import pyabf.waveform

    count = abf.sweepCount if count is None else count
    section = abf._headerV1 if _version(abf) == 1 else abf._dacSection
    enabled, source = list(section.nWaveformEnable), list(section.nWaveformSource)
    if channel >= len(enabled) or channel >= len(abf.holdingCommand):
        return []
    if enabled[channel] and source[channel] == _FROM_FILE:
        return []
    if not enabled[channel] or source[channel] != _FROM_EPOCHS:
        return [np.full(abf.sweepPointCount, float(abf.holdingCommand[channel])) for _ in range(count)]
    table = pyabf.waveform.EpochTable(abf, channel).epochWaveformsBySweep
    return [np.asarray(table[k].getWaveform(), dtype=np.float64) for k in range(min(count, len(table)))]


def _fit(i: Floats, n: int) -> Floats:
    """Cut a waveform, or extend it by its last value, to a sweep's length."""
    if i.size >= n:
        return i[:n]
    return np.concatenate([i, np.full(n - i.size, i[-1] if i.size else np.nan)])
