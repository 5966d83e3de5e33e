"""Common to NWB 1 and NWB 2: series of samples with unit and rate, and sweeps made of two series."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import h5py
import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import SIMULATED_KEYWORD, SIMULATED_WARNING, Recording, Sweep
from neuroclass.errors import ClampModeError, RecordingError, UnsafeFileError
from neuroclass.io.channels import ChannelMapping, response_mv, stimulus_pa, to_mv, to_pa, unit_kind
from neuroclass.io.hdf5_safety import number_of, own_item, read_samples, text_of
from neuroclass.types.arrays import Floats

ACQUIRED, PRESENTED = "acquisition", "stimulus"
"""The two places of series, as channel names, for a file that exchanges them or declares the wrong clamp mode."""
RATE_TOLERANCE = 1e-3
MAX_RATE_HZ = 2e6
_START = 200  # leading samples of a current; if most differ from the one before, it was measured


@dataclass(frozen=True, eq=False)
class Series:
    """One stored series.

    Attributes
    ----------
    group : h5py.Group
        Group in the file.
    kind : str
        Its neurodata type, such as "CurrentClampSeries".
    sweep : int or None
        Its sweep number.
    electrode : str
        Name of its electrode.
    stimulus_name : str
        Name of its stimulus.
    """

    group: h5py.Group
    kind: str
    sweep: int | None
    electrode: str
    stimulus_name: str

    @property
    def name(self) -> str:
        """The series' name in its file."""
        return str(self.group.name).rsplit("/", 1)[-1]


@dataclass
class Budget:
    """Counts the bytes read from one file."""

    limits: ReadLimits
    used: int = field(default=0)

    def take(self, n_samples: int, name: str) -> None:
        """Count samples about to be read; raises RecordingError beyond the limit."""
        self.used += 8 * n_samples
        if self.used > self.limits.bytes:
            raise RecordingError(
                f"The sweeps up to {name} hold more than {self.limits.bytes // 1_000_000} MB of samples; "
                "save fewer sweeps to a file."
            )


def read_values(series: Series, budget: Budget, fallback_unit: str) -> tuple[Floats, str]:
    """Converted values of a series, shape (n_times,), with their unit."""
    data = own_item(series.group, "data")
    if not isinstance(data, h5py.Dataset):
        raise RecordingError(f"{series.name} has no data; export it again with its samples.")
    budget.take(int(data.size or 0), series.name)
    values = read_samples(data, budget.limits)
    conversion = number_of(data.attrs.get("conversion"), 1.0)
    offset = number_of(data.attrs.get("offset"), 0.0)
    if not np.isfinite(conversion) or conversion == 0:
        conversion = 1.0
    if conversion != 1.0 or (np.isfinite(offset) and offset != 0.0):
        values = values * conversion + (offset if np.isfinite(offset) else 0.0)
    return values, text_of(data.attrs.get("unit")) or fallback_unit


def raw_values(series: Series, budget: Budget) -> Floats:
    """Stored values of a series without its conversion, shape (n_times,)."""
    data = own_item(series.group, "data")
    if not isinstance(data, h5py.Dataset):
        raise RecordingError(f"{series.name} has no data; export it again with its samples.")
    budget.take(int(data.size or 0), series.name)
    return read_samples(data, budget.limits)


def sampling_rate(series: Series, budget: Budget) -> tuple[float, int | None]:
    """Sampling rate, Hz, and number of samples before the first gap in time, None without a gap."""
    start = own_item(series.group, "starting_time")
    rate = number_of(start.attrs.get("rate")) if isinstance(start, h5py.Dataset) else float("nan")
    if np.isfinite(rate) and rate > 0:
        return _checked(rate, series.name), None
    stamps = own_item(series.group, "timestamps")
    if not isinstance(stamps, h5py.Dataset) or (stamps.size or 0) < 3:
        raise RecordingError(
            f"{series.name} has neither a sampling rate nor timestamps; export it again with one of them."
        )
    budget.take(int(stamps.size), series.name)
    steps = np.diff(read_samples(stamps, budget.limits))
    step = float(np.median(steps))
    if not np.isfinite(step) or step <= 0:
        raise RecordingError(f"The timestamps of {series.name} do not increase; export them again in order of time.")
    odd = np.flatnonzero(~(np.abs(steps - step) < 0.5 * step))
    if odd.size == 0:
        step = float(steps.mean())
    return _checked(1.0 / step, series.name), int(odd[0]) + 1 if odd.size else None


def _checked(rate: float, name: str) -> float:
    if not 100 <= rate <= MAX_RATE_HZ:
        raise RecordingError(
            f"{name} has a sampling rate of {rate:g} Hz; expected 100 Hz to 2 MHz. Export it with its rate in Hz."
        )
    nearest = round(rate)
    return float(nearest) if abs(rate - nearest) < 1e-6 * rate else rate


def make_sweep(
    number: int, response: Series, stimulus: Series | None, budget: Budget, mapping: ChannelMapping
) -> Sweep:
    """Read one sweep in mV and pA.

    Raises
    ------
    RecordingError
        The response cannot be read; UnitsError if its unit is not a potential.
    """
    rate, gap = sampling_rate(response, budget)
    notes: list[str] = []
    v = response_mv(*_stored(response, budget, mapping, "V"), mapping)
    if gap is not None:
        notes.append(f"the timestamps jump after {gap / rate:.4g} s; the rest of the sweep is left out")
        v = v[:gap]
    i = np.zeros(v.size) if response.kind == "IZeroClampSeries" else np.full(v.size, np.nan)
    if stimulus is not None:
        i = _stimulus(stimulus, rate, v.size, budget, mapping, notes)
    name = (stimulus.stimulus_name if stimulus else "") or response.stimulus_name
    measured = bool(np.count_nonzero(np.diff(i[:_START])) > _START // 2)
    began = _began_s(response)
    return Sweep(number, v, i, rate, stimulus_name=name, recorded_current=measured, notes=tuple(notes), began_s=began)


def _began_s(series: Series) -> float | None:
    """When a series began by the file's clock, s; None where it does not tell."""
    start, stamps = own_item(series.group, "starting_time"), own_item(series.group, "timestamps")
    if isinstance(start, h5py.Dataset):
        began = number_of(start)
    elif isinstance(stamps, h5py.Dataset) and stamps.ndim == 1 and stamps.size:
        began = float(stamps[0])
    else:
        return None
    return began if np.isfinite(began) else None


def _stored(series: Series, budget: Budget, mapping: ChannelMapping, kind: str) -> tuple[Floats, str]:
    """Values of a potential ("V") or current ("A") with their unit, raw where the mapping gives that unit.

    Where responses are taken for stimuli, a number of pA is one of mV, for the unit went with the place.
    """
    if mapping.response_unit if kind == "V" else mapping.stimulus_unit:
        return raw_values(series, budget), ""
    swapped = is_swapped(mapping)
    values, unit = read_values(series, budget, "volts" if (kind == "V") != swapped else "amperes")
    if swapped and unit_kind(unit) not in ("", kind):
        return (to_pa(values, unit), "mV") if kind == "V" else (to_mv(values, unit), "pA")
    return values, unit


def is_swapped(mapping: ChannelMapping) -> bool:
    """Whether a mapping takes responses for stimuli and the reverse."""
    return mapping.response == PRESENTED and mapping.stimulus == ACQUIRED


def _stimulus(
    stimulus: Series, rate: float, n: int, budget: Budget, mapping: ChannelMapping, notes: list[str]
) -> Floats:
    """The injected current at the response's samples, pA."""
    own_rate, gap = sampling_rate(stimulus, budget)
    i = stimulus_pa(*_stored(stimulus, budget, mapping, "A"), mapping)
    i = i[:gap] if gap is not None else i
    if abs(own_rate - rate) > RATE_TOLERANCE * rate:
        notes.append(f"the stimulus is sampled at {own_rate:g} Hz and the response at {rate:g} Hz")
        at = np.minimum((np.arange(n) * (own_rate / rate)).astype(np.int64), max(i.size - 1, 0))
        i = i[at] if i.size else i
    if i.size >= n:
        return i[:n]
    if i.size < 0.9 * n:
        notes.append(f"the stimulus ends {(n - i.size) / rate:.3g} s before the response")
    return np.concatenate([i, np.full(n - i.size, i[-1] if i.size else np.nan)])


def find_own(file: h5py.File, path: str) -> h5py.Group | h5py.Dataset | None:
    """Item at a path, none of whose steps may be a link; None if there is none."""
    item: h5py.Group | h5py.Dataset | None = file
    for part in path.split("/"):
        if not isinstance(item, h5py.Group):
            return None
        item = own_item(item, part)
    return item


def kind_by_unit(group: h5py.Group) -> str:
    """Neurodata type of a series that does not name it, inferred from its unit."""
    data = own_item(group, "data")
    kind = unit_kind(text_of(data.attrs.get("unit"))) if isinstance(data, h5py.Dataset) else ""
    return {"V": "CurrentClampSeries", "A": "VoltageClampSeries"}.get(kind, "")


def _all_of(held: int, total: int) -> str:
    if held == total:
        return "its only sweep records current" if total == 1 else f"all its {total} sweeps record current"
    return f"{held} of its {total} sweeps record current"


def no_current_clamp(name: str, responses: Sequence[Series]) -> RecordingError:
    """The error for a file without current-clamp sweeps."""
    held = sum(s.kind == "VoltageClampSeries" for s in responses)
    if held:
        return ClampModeError(
            f"{name} is voltage clamp: {_all_of(held, len(responses))} at a held potential. Expected current clamp, a "
            "potential recorded while current is injected. If the cell was also recorded in current clamp, upload that "
            "file."
        )
    return RecordingError(f"{name} holds no intracellular sweep; expected current-clamp series.")


def read_sweeps(
    pairs: Iterable[tuple[int, Series, Series | None]], name: str, mapping: ChannelMapping, limits: ReadLimits
) -> tuple[dict[str, list[Sweep]], tuple[str, ...]]:
    """Read sweeps one by one, so that a bad one does not affect the rest.

    Parameters
    ----------
    pairs : iterable of (int, Series, Series or None)
        Number, response and stimulus of each sweep.
    name : str
        Display name of the file.
    mapping : ChannelMapping
        Units that override the file's.
    limits : ReadLimits
        Limits on what may be read.

    Returns
    -------
    dict of str to list of Sweep
        Sweeps by electrode, in order of their numbers.
    tuple of str
        Skipped sweeps, and why.

    Raises
    ------
    RecordingError
        No sweep can be read; the first one's error.
    """
    budget = Budget(limits)
    cells: dict[str, list[Sweep]] = {}
    failures: list[RecordingError] = []
    warnings: list[str] = []
    for number, response, stimulus in pairs:
        try:
            sweep = make_sweep(number, response, stimulus, budget, mapping)
        except UnsafeFileError:
            raise
        except RecordingError as error:
            failures.append(error)
            warnings.append(f"Sweep {number} is left out: {error}")
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            failures.append(RecordingError(f"{response.name} of {name} is damaged: {error}. Copy or export it again."))
            warnings.append(f"Sweep {number} is left out: it is damaged.")
        else:
            cells.setdefault(response.electrode, []).append(sweep)
    if not cells:
        raise failures[0] if failures else RecordingError(f"{name} holds no sweep; expected at least one.")
    return {k: sorted(cells[k], key=lambda s: s.number) for k in sorted(cells)}, tuple(warnings)


def read_cells(
    file: h5py.File,
    pairs: Iterable[tuple[int, Series, Series | None]],
    name: str,
    mapping: ChannelMapping,
    limits: ReadLimits,
    cell_name: Callable[[str, bool], str],
    version: str,
    said: Sequence[str] = (),
) -> tuple[Recording, ...]:
    """Read sweeps and group them into one recording per electrode; see `read_sweeps`.

    Parameters
    ----------
    file : h5py.File
        The open file.
    pairs, name, mapping, limits
        See `read_sweeps`.
    cell_name : callable
        Names the cell of an electrode: (electrode, whether there are several) → str.
    version : str
        Format of the recordings, such as "NWB 2".
    said : sequence of str
        Warnings that come before those about sweeps.

    Returns
    -------
    tuple of Recording
        One for each electrode.
    """
    cells, warnings = read_sweeps(pairs, name, mapping, limits)
    species = text_of(find_own(file, "general/subject/species"))
    metadata = {"species": species} if species else {}
    if text_of(find_own(file, "general/keywords")) == SIMULATED_KEYWORD:
        metadata[SIMULATED_KEYWORD] = "yes"
        warnings = (SIMULATED_WARNING, *warnings)
    return tuple(
        Recording(name, cell_name(electrode, len(cells) > 1), tuple(sweeps), (*said, *warnings), metadata, version)
        for electrode, sweeps in cells.items()
    )


def trailing_number(name: str) -> int | None:
    """The number a name ends with, such as 12 of "Sweep_12"; None without one."""
    match = re.search(r"(\d+)\D*$", name)
    return int(match.group(1)[-9:]) if match else None
