"""Which stimulus of an NWB file drove a response, and which electrodes a mapping names."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import h5py

from neuroclass.errors import Option, UnitsError
from neuroclass.io.channels import ChannelMapping, pick_channel
from neuroclass.io.hdf5_safety import number_of, own_item
from neuroclass.io.nwb_series import ACQUIRED, PRESENTED, Series, is_swapped
from neuroclass.io.pairings import Pairing

_LENGTH_TOLERANCE = 0.01
_START_TOLERANCE_S = 0.01


@dataclass(frozen=True)
class Pair:
    """A response and the current that drove it.

    Attributes
    ----------
    number : int
        The sweep's number.
    response : Series
        Its response.
    stimulus : Series or None
        Its stimulus, if it is known.
    rivals : tuple of Series
        Stimuli between which the file does not decide; then there is no stimulus.
    borrowed : bool
        Whether the stimulus is another electrode's, the only one that fits.
    """

    number: int
    response: Series
    stimulus: Series | None = None
    rivals: tuple[Series, ...] = ()
    borrowed: bool = False


def paired(
    number: int, response: Series, candidates: Sequence[Series], taken: Iterable[str], wanted: str | None
) -> Pair:
    """Pair a response with its stimulus.

    Its own electrode's comes first. Else it is the only current that lasts as long and starts when the response does,
    on an electrode without a response of its own; of several, none.

    Parameters
    ----------
    number : int
        The sweep's number.
    response : Series
        The response.
    candidates : sequence of Series
        Currents that were injected during its sweep.
    taken : iterable of str
        Electrodes with a response of their own in the sweep.
    wanted : str or None
        Electrode whose currents the user chose.

    Returns
    -------
    Pair
    """
    if wanted is not None:
        chosen = [s for s in candidates if s.electrode == wanted]
        return Pair(number, response, chosen[0] if len(chosen) == 1 else None)
    own = [s for s in candidates if s.electrode == response.electrode]
    if len(own) == 1:
        return Pair(number, response, own[0])
    free = own or [s for s in candidates if s.electrode not in set(taken)]
    if len(free) == 1 and not (free[0].electrode and response.electrode):
        return Pair(number, response, free[0])
    fitting = tuple(s for s in free if _fits(response, s))
    if len(fitting) == 1:
        return Pair(number, response, fitting[0], borrowed=not own)
    return Pair(number, response, rivals=fitting)


def _fits(response: Series, stimulus: Series) -> bool:
    """Whether a stimulus lasts as long as a response and starts when it does."""
    (start, duration), (own_start, own_duration) = _times(stimulus), _times(response)
    if not abs(duration - own_duration) <= _LENGTH_TOLERANCE * own_duration:
        return False
    return not (start and own_start) or abs(start - own_start) <= _START_TOLERANCE_S


def _times(series: Series) -> tuple[float, float]:
    """Start and duration, s; the start is 0 where the file does not tell, the duration NaN."""
    data, start = own_item(series.group, "data"), own_item(series.group, "starting_time")
    n = data.shape[0] if isinstance(data, h5py.Dataset) and data.shape else 0
    if isinstance(start, h5py.Dataset):
        rate = number_of(start.attrs.get("rate"))
        return number_of(start, 0.0), n / rate if rate > 0 else float("nan")
    stamps = own_item(series.group, "timestamps")
    if not isinstance(stamps, h5py.Dataset) or stamps.shape is None or stamps.shape[0] < 2:
        return 0.0, float("nan")
    first, last = float(stamps[0]), float(stamps[-1])
    return first, (last - first) * n / (stamps.shape[0] - 1)


def electrodes_of(series: Iterable[Series]) -> list[str]:
    """Names of the electrodes of some series, sorted."""
    return sorted({s.electrode for s in series})


def chosen_electrodes(
    responses: Sequence[Series], stimuli: Sequence[Series], mapping: ChannelMapping
) -> tuple[list[Series], str | None]:
    """Responses of the electrode that a mapping names, and the electrode of the currents it names.

    Raises
    ------
    UnitsError
        The file has no such electrode.
    """
    kept, wanted = list(responses), None
    if is_swapped(mapping):
        return kept, None
    names = electrodes_of(responses)
    if mapping.response is not None and (mapping.response != ACQUIRED or ACQUIRED in names):
        electrode = names[pick_channel(names, mapping.response, "response")]
        kept = [s for s in responses if s.electrode == electrode]
    if mapping.stimulus is not None:
        names = electrodes_of(stimuli)
        wanted = names[pick_channel(names, mapping.stimulus, "stimulus")]
    return kept, wanted


def decided(pairs: Iterable[Pair], name: str, mapping: ChannelMapping) -> Iterator[Pair]:
    """The pairs, with both series exchanged where the mapping says so.

    Raises
    ------
    UnitsError
        No response of the file has a current, and several fit.
    """
    found = list(pairs)
    undecided = [pair for pair in found if pair.rivals]
    if undecided and not any(pair.stimulus for pair in found):
        raise UnitsError(_which(undecided[0], name))
    for pair in found:
        if not is_swapped(mapping):
            yield pair
        elif pair.stimulus is not None:
            yield replace(pair, response=replace(pair.stimulus, kind=pair.response.kind), stimulus=pair.response)


def _which(pair: Pair, name: str) -> str:
    currents = ", ".join(f"{s.name} of electrode {s.electrode or '(no name)'}" for s in pair.rivals)
    return (
        f"{name} holds {len(pair.rivals)} currents that fit its response {pair.response.name} of electrode "
        f"{pair.response.electrode or '(no name)'} in time and length: {currents}. Expected one: choose the electrode "
        "whose current was injected into this cell."
    )


def warnings_of(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """What a reader should say about how stimuli were found."""
    said = []
    by_electrodes: dict[tuple[str, str], list[int]] = {}
    for pair in pairs:
        if pair.borrowed and pair.stimulus is not None:
            by_electrodes.setdefault((pair.response.electrode, pair.stimulus.electrode), []).append(pair.number)
    for (response, stimulus), numbers in by_electrodes.items():
        said.append(
            f"{_sweeps(numbers)}: the response is on electrode {response} and the current on electrode {stimulus}, the "
            "only one that fits in time and length; it is used."
        )
    undecided = [pair for pair in pairs if pair.rivals]
    if undecided:
        electrodes = ", ".join(dict.fromkeys(s.electrode or s.name for s in undecided[0].rivals))
        said.append(
            f"{_sweeps([pair.number for pair in undecided])}: several currents fit ({electrodes}), so none is used. "
            "Choose the electrode of the current."
        )
    return tuple(said)


def _sweeps(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:8])) + (", …" if len(numbers) > 8 else "")
    return f"Sweep {shown}" if len(numbers) == 1 else f"Sweeps {shown}"


def pairings_of_clamped(responses: Sequence[Series]) -> list[Pairing]:
    """The reading of a file that declares all its series as voltage clamp, if it has any."""
    return [Pairing({"response": ACQUIRED}, "what the file declares to be voltage clamp")] if responses else []


def pairings_of_nwb(responses: Sequence[Series], stimuli: Sequence[Series]) -> list[Pairing]:
    """Other readings of a file: each electrode's currents, then responses for stimuli and the reverse."""
    named = [name for name in electrodes_of(stimuli) if name]
    found = [Pairing({"stimulus": name}, current=f"that of electrode {name}") for name in named]
    if responses and stimuli:
        places: dict[str, Option] = {"response": PRESENTED, "stimulus": ACQUIRED}
        found.append(Pairing(places, "what the file calls stimulus", "what it calls response", command=False))
    return found
