"""The current that PatchMaster injected, from the segments of its stimulus tree.

A level is stored in V, or in current clamp in nA: PatchMaster's amplitudes in mV are pA there. That convention is not
in HEKA's descriptions; the readers of IPFX, Myokit and load-heka-python agree on it. What the descriptions leave open
(interleaved and multiplying increments, values from parameters, template files) is not reconstructed.
"""

from dataclasses import dataclass

import numpy as np

from neuroclass.io.channels import unit_kind
from neuroclass.io.heka_tree import Node
from neuroclass.types.arrays import Floats, Integers

CURRENT_CLAMP = 2
"""``chAmplMode`` of current clamp."""
VOLTAGE_CLAMP = 1

_CONSTANT, _RAMP, _CONTINUOUS = 0, 1, 2
_CLASSES = ("constant", "ramp", "continuous", "sine wave", "square wave", "chirp")
_STORED, _FIRST_ONLY, _LAST_ONLY = 1, 2, 3
_INCREASE, _DECREASE, _ALTERNATE, _LOG = 0, 1, 4, 5
_USE_SCALE, _RELATIVE, _TEMPLATE = 1, 2, 4
_LEAST_NA = 1e-6
_MOST_SWEEPS = 100_000


class CannotReconstructError(Exception):
    """Why a stimulus cannot be reconstructed, as the end of a sentence."""


@dataclass(frozen=True)
class Stimulus:
    """A stimulus of a series and one of its channels.

    Attributes
    ----------
    record : Node
        The stimulus.
    channel : Node
        The channel that recorded the response.
    source : Node
        The channel whose segments were put out.
    """

    record: Node
    channel: Node
    source: Node

    @property
    def name(self) -> str:
        """The stimulus' name."""
        return self.record.text(4, 32)

    @property
    def mode(self) -> int:
        """``chAmplMode``: 0 any, 1 voltage clamp, 2 current clamp."""
        return self.channel.whole(25, "b")

    @property
    def unit(self) -> str:
        """Unit of the stored levels."""
        unit = self.source.text(40, 8)
        if unit != "A":
            return unit
        levels = [abs(s.real(8)) for s in self.source] + [abs(s.real(28)) for s in self.source]
        levels.append(abs(self.source.real(48)))
        return "A" if 0 < max(levels) < _LEAST_NA else "nA"


def stimulus_of(stimuli: Node | None, number: int, adc_channel: int) -> Stimulus | None:
    """The stimulus of a sweep.

    Parameters
    ----------
    stimuli : Node or None
        Root of the stimulus tree.
    number : int
        The stimulus' number, from 1.
    adc_channel : int
        Input that recorded the response.

    Returns
    -------
    Stimulus or None
        None if the file does not hold it.
    """
    if stimuli is None or not 1 <= number <= len(stimuli.children):
        return None
    record = stimuli.children[number - 1]
    channels = record.children
    if not channels:
        return None
    own = next((c for c in channels if c.whole(20, "h") == adc_channel), channels[0])
    linked = own.whole(4)
    source = channels[linked - 1] if 1 <= linked <= len(channels) else own
    return Stimulus(record, own, source if source.children else own)


def waveform(stimulus: Stimulus, sweep: int, n_times: int, interval_s: float) -> Floats:
    """Reconstruct the stored part of a sweep's stimulus.

    Parameters
    ----------
    stimulus : Stimulus
        See `stimulus_of`.
    sweep : int
        The sweep's place in its stimulus, from 0.
    n_times : int
        Samples of the response.
    interval_s : float
        Sampling interval, s.

    Returns
    -------
    ndarray, shape (n_times,)
        In the unit of `Stimulus.unit`.

    Raises
    ------
    CannotReconstructError
        It has something that the format's description leaves open, or does not fit the response.
    """
    segments, source = stimulus.source.children, stimulus.source
    flags = source.whole(76, "H")
    if not segments:
        raise CannotReconstructError("it has no segments")
    if not flags & _USE_SCALE:
        raise CannotReconstructError("its output is not scaled by the amplifier's stimulus scale")
    if flags & _TEMPLATE:
        raise CannotReconstructError("its waveform lies in another file")
    count = max(stimulus.record.whole(144), sweep + 1)
    if count > _MOST_SWEEPS:
        raise CannotReconstructError(f"it declares {count:,} sweeps")
    levels = [_level(s, sweep, count, source.real(48), bool(flags & _RELATIVE)) for s in segments]
    lengths = [_duration(s, sweep, count) for s in segments]
    edges = np.round(np.concatenate(([0.0], np.cumsum(lengths))) / interval_s)
    if not np.isfinite(edges).all() or np.diff(edges).min() < 0 or edges[-1] > 1e9:
        raise CannotReconstructError("its segments have impossible durations")
    return _joined(segments, levels, edges.astype(np.int64), source.real(48), n_times, _starts_late(stimulus))


def _joined(
    segments: list[Node], levels: list[float], edges: Integers, holding: float, n_times: int, late: bool
) -> Floats:
    """Segments one after another, as far as they were stored."""
    stored = [s.whole(5, "b") == _STORED for s in segments]
    total = int(sum(edges[k + 1] - edges[k] for k in range(len(segments)) if stored[k]))
    if total < n_times - len(segments) - 1:
        raise CannotReconstructError(f"it has {total:,} samples where {n_times:,} were recorded")
    if late and total != n_times:
        raise CannotReconstructError("recording started within it")
    parts, before = [], holding
    for k, segment in enumerate(segments):
        n = int(min(edges[k + 1] - edges[k], n_times))
        kind, whole = segment.whole(4, "b"), int(edges[k + 1] - edges[k])
        if kind == _RAMP:
            part = before + (levels[k] - before) * np.arange(1, n + 1) / max(whole, 1)
        elif kind in (_CONSTANT, _CONTINUOUS):
            part = np.full(n, levels[k])
        else:
            raise CannotReconstructError(f"it has a {_CLASSES[kind]}" if 0 <= kind < 6 else "it has an unknown segment")
        before = levels[k] if whole else before
        if stored[k]:
            parts.append(part)
    joined = np.concatenate(parts)[:n_times]
    return np.concatenate([joined, np.full(n_times - joined.size, before)])


def _starts_late(stimulus: Stimulus) -> bool:
    return stimulus.record.whole(100) > 1 or stimulus.record.real(104) > 0


def _level(segment: Node, sweep: int, count: int, holding: float, relative: bool) -> float:
    source = segment.whole(16)
    if source == 1:
        return holding
    if source:
        raise CannotReconstructError("it takes a level from a parameter")
    level = _stepped(segment.real(8), segment.real(28), segment.real(20), segment.whole(6, "b"), sweep, count)
    return level + holding if relative else level


def _duration(segment: Node, sweep: int, count: int) -> float:
    kind = segment.whole(5, "b")
    if (kind == _FIRST_ONLY and sweep > 0) or (kind == _LAST_ONLY and sweep < count - 1):
        return 0.0
    if segment.whole(44):
        raise CannotReconstructError("it takes a duration from a parameter")
    return _stepped(segment.real(36), segment.real(56), segment.real(48), segment.whole(7, "b"), sweep, count)


def _stepped(base: float, step: float, factor: float, mode: int, sweep: int, count: int) -> float:
    """A level or duration in the given sweep; see section "Increment Modes" of the PatchMaster manual."""
    if mode >= _LOG and factor not in (0.0, 1.0):
        raise CannotReconstructError("it multiplies a level or duration from sweep to sweep")
    if step == 0:
        return base
    place = {_INCREASE: sweep, _DECREASE: count - 1 - sweep}
    place[_ALTERNATE] = sweep // 2 if sweep % 2 == 0 else count - 1 - sweep // 2
    linear = mode - _LOG if mode >= _LOG else mode
    if linear not in place:
        raise CannotReconstructError("it interleaves its levels or durations")
    return base + step * place[linear]


def is_current(stimulus: Stimulus) -> bool:
    """Whether the levels are currents."""
    return unit_kind(stimulus.unit) == "A"
