"""Signals of a file that says of each only its name, unit and sampling rate: which are potentials, and of what current.

Signals of one channel are its sweeps, in order. A potential's current is the one in the same place among the currents,
or the only one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import ClampModeError, RecordingError, UnitsError
from neuroclass.io.channels import ChannelMapping, names_of, pick_channel, response_mv, stimulus_pa, unit_kind
from neuroclass.io.plausibility import problem_of
from neuroclass.types.arrays import Floats

NO_CURRENT = (
    "The file does not hold the injected current, or does not say which of its channels it is. Where it is a channel, "
    "name the channel and its unit; else save the potential and the current in one file."
)
_EXPORTED = re.compile(r"(?P<stem>.*[A-Za-z])_\d+_\d+_\d+_(?P<trace>\d+)(?P<label>(_.*)?)")
_RATE_TOLERANCE = 1e-6
_ROUNDING = 0.5
_LEAD = 200
_LISTED = 20


@dataclass(frozen=True, eq=False)
class Signal:
    """A sampled signal.

    Attributes
    ----------
    name : str
        Its name, or its channel's.
    unit : str
        Unit of the samples; empty if the file does not say.
    rate_hz : float
        Sampling rate, Hz.
    values : ndarray, shape (n_times,)
        The samples.
    """

    name: str
    unit: str
    rate_hz: float
    values: Floats


def same_name(signal: Signal) -> str:
    """Channel of a signal in files where each has its channel's name."""
    return signal.name


def numbered(signal: Signal) -> str:
    """Channel of a signal in files where a number at the end of its name is the sweep's, such as ``Vm_12``.

    PatchMaster exports traces with the numbers of group, series, sweep and trace: ``Trace_1_2_12_1``.
    """
    exported = _EXPORTED.fullmatch(signal.name)
    if exported:
        return f"{exported['stem']}_{exported['trace']}{exported['label']}"
    return re.sub(r"[\s_.-]*\d+$", "", signal.name) or signal.name


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key by which ``Vm_2`` comes before ``Vm_12``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def sweeps_of(
    signals: Sequence[Signal],
    source: str,
    mapping: ChannelMapping,
    channel_of: Callable[[Signal], str] = same_name,
    first: int = 0,
) -> list[Sweep]:
    """Pair potentials with currents.

    Parameters
    ----------
    signals : sequence of Signal
        Of one segment of a file, or of a file without segments.
    source : str
        Display name of the file.
    mapping : ChannelMapping
        Channels and units that override the file's.
    channel_of : callable
        The channel to which a signal belongs.
    first : int
        Number of the first sweep.

    Returns
    -------
    list of Sweep
        Sweeps without a current have all NaN there.

    Raises
    ------
    ClampModeError
        There are currents only.
    UnitsError
        There is no potential, or there are several channels of potentials or of currents.
    RecordingError
        Potentials and currents do not fit each other.
    """
    channels: dict[str, list[Signal]] = {}
    for signal in signals:
        channels.setdefault(channel_of(signal), []).append(signal)
    try:
        responses, said = _responses(channels, source, mapping)
        stimuli = _stimuli(channels, responses, source, mapping)
    except (ClampModeError, UnitsError) as error:
        error.channels = tuple(names_of([(name, some[0].unit, False) for name, some in channels.items()]))
        raise
    if len(stimuli) not in (0, 1, len(responses)):
        raise RecordingError(
            f"{source} has {len(responses)} potentials and {len(stimuli)} currents; expected one current for each, or "
            "one for all."
        )
    found = []
    for k, response in enumerate(responses):
        stimulus = stimuli[k if len(stimuli) > 1 else 0] if stimuli else None
        sweep = _sweep(first + k, response, stimulus, source, mapping)
        found.append(replace(sweep, notes=(said,)) if said and first + k == 0 else sweep)
    return found


def _responses(channels: dict[str, list[Signal]], source: str, mapping: ChannelMapping) -> tuple[list[Signal], str]:
    """The signals of the potential, and what to say about the choice."""
    if mapping.response is not None:
        return _picked(channels, mapping.response, "response"), ""
    volts = {name: some for name, some in channels.items() if unit_kind(some[0].unit) == "V"}
    if len(volts) == 1:
        return next(iter(volts.values())), ""
    fitting = [name for name, some in volts.items() if _looks_like_potential(some, source, mapping)]
    if len(fitting) == 1:
        others = ", ".join(name for name in volts if name != fitting[0])
        said = f"the potential is read from {fitting[0]}, which looks like a membrane potential; {others} does not"
        return volts[fitting[0]], said
    listed = describe(channels)
    if not volts and all(unit_kind(some[0].unit) == "A" for some in channels.values()):
        raise ClampModeError(f"{source} is voltage clamp: it records {listed}. Expected current clamp.")
    raise UnitsError(f"{source} records {listed}; expected one potential.")


def _looks_like_potential(signals: list[Signal], source: str, mapping: ChannelMapping) -> bool:
    potentials = [response_mv(one.values, one.unit, mapping) for one in signals]
    unknown = [np.full(v.size, np.nan) for v in potentials]
    sweeps = [Sweep(k, v, unknown[k], signals[k].rate_hz) for k, v in enumerate(potentials)]
    return not problem_of(Recording(source, signals[0].name, tuple(sweeps)))


def _stimuli(
    channels: dict[str, list[Signal]], responses: list[Signal], source: str, mapping: ChannelMapping
) -> list[Signal]:
    if mapping.stimulus is not None:
        return _picked(channels, mapping.stimulus, "stimulus")
    amps = {name: some for name, some in channels.items() if unit_kind(some[0].unit) == "A"}
    amps = {name: some for name, some in amps.items() if some[0] not in responses}
    if len(amps) > 1:
        raise UnitsError(f"{source} records {describe(amps)}; expected one current.")
    return next(iter(amps.values()), [])


def _picked(channels: dict[str, list[Signal]], wanted: str, what: str) -> list[Signal]:
    """Signals of a channel given by name or number, or the one signal of that name."""
    exact = [s for some in channels.values() for s in some if s.name == wanted]
    return exact or channels[list(channels)[pick_channel(list(channels), wanted, what)]]


def describe(channels: dict[str, list[Signal]]) -> str:
    """Channels with their units, for a message."""
    listed = [f"{name} in {some[0].unit or 'no unit'}" for name, some in list(channels.items())[:_LISTED]]
    return ", ".join(listed) + (" …" if len(channels) > _LISTED else "")


def _sweep(number: int, response: Signal, stimulus: Signal | None, source: str, mapping: ChannelMapping) -> Sweep:
    v = response_mv(response.values, response.unit, mapping)
    if stimulus is None:
        return Sweep(number, v, np.full(v.size, np.nan), response.rate_hz)
    if stimulus.values.size != v.size or abs(stimulus.rate_hz / response.rate_hz - 1) > _RATE_TOLERANCE:
        raise RecordingError(
            f"Response and stimulus of {source} are sampled differently ({response.name}: {v.size:,} samples at "
            f"{response.rate_hz:g} Hz, {stimulus.name}: {stimulus.values.size:,} at {stimulus.rate_hz:g} Hz); expected "
            "the same samples. Save them so."
        )
    i = stimulus_pa(stimulus.values, stimulus.unit, mapping)
    return Sweep(number, v, i, response.rate_hz, recorded_current=measured(i))


def rate_of_times(times_s: Floats, where: str) -> float:
    """Sampling rate of times that may have been rounded when they were written.

    Parameters
    ----------
    times_s : ndarray, shape (n_times,)
        Times, s.
    where : str
        What holds them, for the message.

    Returns
    -------
    float
        Hz.

    Raises
    ------
    RecordingError
        They do not rise in equal steps, but for less than half a step.
    """
    step = float((times_s[-1] - times_s[0]) / (times_s.size - 1))
    drift = times_s - times_s[0] - step * np.arange(times_s.size)
    within = max(_ROUNDING * step, 1e-7)
    if not np.isfinite(step) or step <= 0 or np.abs(np.diff(drift)).max() > within or np.abs(drift).max() > within:
        raise RecordingError(f"{where} does not rise in equal steps; expected a fixed sampling rate.")
    rate = 1.0 / step
    return float(round(rate)) if abs(rate - round(rate)) < 1e-4 * rate else rate


def measured(i_pa: Floats) -> bool:
    """Whether a current has noise, as one that was measured rather than commanded; shape (n_times,)."""
    return bool(np.count_nonzero(np.diff(i_pa[:_LEAD])) > _LEAD // 2)
