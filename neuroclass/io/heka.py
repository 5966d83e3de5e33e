"""HEKA PatchMaster bundles: each group is a cell, or a cell for each electrode; its current-clamp series are read."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np

from neuroclass.ephys.settings import ReadLimits
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import ClampModeError, RecordingError, UnitsError
from neuroclass.io.channels import ChannelMapping, names_of, pick_channel, response_mv, stimulus_pa, to_pa
from neuroclass.io.heka_stimulus import (
    CURRENT_CLAMP,
    VOLTAGE_CLAMP,
    CannotReconstructError,
    Stimulus,
    is_current,
    stimulus_of,
    waveform,
)
from neuroclass.io.heka_trace import IN_CURRENT_CLAMP, Trace
from neuroclass.io.heka_tree import Bundle, Node, read_bundle
from neuroclass.io.nwb_series import Budget
from neuroclass.types.arrays import Floats

_DISAGREES = 0.2
_LISTED = 30


@dataclass(frozen=True)
class _Series:
    """A series, with its place and label."""

    group: int
    number: int
    label: str
    node: Node

    @property
    def place(self) -> str:
        """Numbers of group and series, as PatchMaster counts them."""
        return f"{self.group}.{self.number}"

    def __str__(self) -> str:
        return f"{self.place} {self.label}".strip()


@dataclass
class _File:
    """An open bundle, with what is found in it."""

    bundle: Bundle
    name: str
    mapping: ChannelMapping
    file: BinaryIO
    size: int
    budget: Budget
    sweeps: dict[tuple[int, int], list[Sweep]] = field(default_factory=dict)
    traces: dict[tuple[int, int], str] = field(default_factory=dict)
    held: list[_Series] = field(default_factory=list)
    problems: list[UnitsError] = field(default_factory=list)
    warnings: dict[tuple[int, str], None] = field(default_factory=dict)

    def warn(self, series: _Series, text: str) -> None:
        """Add a warning to the cells of a series' group, once."""
        self.warnings[series.group, text] = None

    def values(self, trace: Trace) -> Floats:
        """Samples of a trace in its unit."""
        self.budget.take(2 * trace.n_times, trace.name)
        return trace.samples(self.file, self.size)


def read_heka(path: Path, name: str, mapping: ChannelMapping, limits: ReadLimits) -> tuple[Recording, ...]:
    """Read the current-clamp series of a PatchMaster bundle.

    The current is the stimulus as it was commanded, or where that cannot be reconstructed, as it was recorded. Leak
    traces and computed traces are ignored, and zero offsets are not subtracted.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Display name.
    mapping : ChannelMapping
        Traces and units that override the file's, and the series that are read.
    limits : ReadLimits
        Limits on what may be read.

    Returns
    -------
    tuple of Recording
        One for each group, or for each electrode of a group.

    Raises
    ------
    ClampModeError
        All its series are voltage clamp.
    UnitsError
        A series has no potential, or several of one electrode.
    RecordingError
        The file is damaged, or has no such series.
    """
    bundle = read_bundle(path, name, limits)
    chosen = _chosen(bundle, mapping.series, name)
    with path.open("rb") as file:
        found = _File(bundle, name, mapping, file, path.stat().st_size, Budget(limits))
        for series in chosen:
            _read_series(found, series)
    if not found.sweeps:
        raise _nothing(found)
    return tuple(_recordings(found))


def _chosen(bundle: Bundle, wanted: str | None, name: str) -> list[_Series]:
    """The series that are read: those named or numbered, or all."""
    series = [
        _Series(g, k, node.text(4, 32), node)
        for g, group in enumerate(bundle.pulse, start=1)
        for k, node in enumerate(group, start=1)
    ]
    if not series:
        raise RecordingError(f"{name} holds no series; expected at least one.")
    if wanted is None:
        return series
    chosen: dict[str, _Series] = {}
    for word in (part.strip() for part in wanted.split(",")):
        some = [s for s in series if s.label.lower() == word.lower()]
        some = some or [s for s in series if word in (s.place, str(s.number))]
        if not some:
            listed = _listed(series)
            raise RecordingError(
                f"{name} has no series {word!r}. It has {listed}: give a label, or numbers such as 1.2."
            )
        chosen |= {s.place: s for s in some}
    return list(chosen.values())


def _listed(series: list[_Series]) -> str:
    return ", ".join(map(str, series[:_LISTED])) + (" …" if len(series) > _LISTED else "")


def _read_series(found: _File, series: _Series) -> None:
    """Read the sweeps of a series, or note that it is voltage clamp."""
    held = True
    try:
        for place, record in enumerate(series.node):
            traces = [t for node in record if (t := Trace(node, found.bundle.wide)).is_recorded]
            for response in _responses(traces, found, series, record):
                held = False
                sweep = _sweep(found, series, place, record, traces, response)
                numbered = found.sweeps.setdefault((series.group, response.electrode), [])
                numbered.append(replace(sweep, number=len(numbered)))
                found.traces.setdefault((series.group, response.electrode), response.name)
    except UnitsError as error:
        found.problems.append(error)
        found.warn(series, f"Left out: {error}")
        return
    if held and series.node.children:
        found.held.append(series)


def _responses(traces: list[Trace], found: _File, series: _Series, record: Node) -> list[Trace]:
    """The potential of each electrode that is in current clamp."""
    mapping, names = found.mapping, [t.name for t in traces]
    if mapping.response is not None:
        return [traces[pick_channel(names, mapping.response, "response")]]
    potentials = [t for t in traces if t.is_potential]
    if not potentials and mapping.response_unit:
        potentials = [t for t in traces if not t.is_current]
    if not potentials and not any(t.is_current for t in traces):
        raise _undecided(found.name, series, traces, traces)
    clamped = [t for t in potentials if _in_current_clamp(t, traces, _stimulus(found, record, t))]
    monitors = [t for t in clamped if t.is_monitor] or clamped
    electrodes = [t.electrode for t in monitors]
    if len(set(electrodes)) < len(electrodes):
        raise _undecided(found.name, series, monitors, traces)
    return monitors


def _undecided(name: str, series: _Series, shown: list[Trace], traces: list[Trace]) -> UnitsError:
    """The error for a series whose potential is not decided; other readings of all its traces can be tried."""
    error = UnitsError(_which(name, series, shown))
    error.channels = tuple(names_of([(t.name, t.unit, False) for t in traces]))
    return error


def _which(name: str, series: _Series, traces: list[Trace]) -> str:
    listed = ", ".join(f"{k}: {t.name} in {t.unit or 'no unit'}" for k, t in enumerate(traces)) or "nothing"
    return f"Series {series} of {name} records {listed}; expected one potential an electrode."


def _in_current_clamp(response: Trace, traces: list[Trace], stimulus: Stimulus | None) -> bool:
    """Whether a potential was recorded in current clamp, by its record, or else by what was commanded."""
    if response.mode == IN_CURRENT_CLAMP:
        return True
    if stimulus is not None and stimulus.mode in (CURRENT_CLAMP, VOLTAGE_CLAMP):
        return stimulus.mode == CURRENT_CLAMP
    if stimulus is not None and stimulus.source.children:
        return is_current(stimulus)
    return response.mode not in range(1, 6) and not any(t.is_current for t in traces)


def _stimulus(found: _File, record: Node, response: Trace) -> Stimulus | None:
    return stimulus_of(found.bundle.stimuli, record.whole(40), response.adc_channel)


def _sweep(found: _File, series: _Series, place: int, record: Node, traces: list[Trace], response: Trace) -> Sweep:
    """A sweep in mV and pA."""
    mapping = found.mapping
    v = response_mv(found.values(response), response.unit, mapping)
    notes = ("the file ends within it",) if v.size < response.n_times else ()
    interval = response.interval_s
    stimulus = _stimulus(found, record, response)
    current, why = None, "the file does not hold it"
    if mapping.stimulus is None and stimulus is not None:
        number = record.whole(44) - 1
        try:
            current = _commanded(found, stimulus, number if number >= 0 else place, v.size, interval)
        except CannotReconstructError as error:
            why = str(error)
    recorded = _recorded(found, traces, response)
    if recorded is not None and recorded.size < v.size:
        recorded = None
    if current is not None and recorded is not None and _disagree(current, recorded[: v.size]):
        found.warn(
            series, f"Series {series}: the current that was recorded is not the one that was commanded, and is used."
        )
        current = None
    measured = current is None and recorded is not None
    if measured and recorded is not None:
        current = recorded[: v.size]
    if current is None:
        found.warn(series, f"The injected current of series {series} is not known: {why}.")
        current = np.full(v.size, np.nan)
    rate = 1.0 / interval
    rate = float(round(rate)) if abs(rate - round(rate)) < 1e-6 * rate else rate
    return Sweep(0, v, current, rate, stimulus_name=series.label, recorded_current=measured, notes=notes)


def _commanded(found: _File, stimulus: Stimulus, sweep: int, n_times: int, interval: float) -> Floats:
    unit = found.mapping.stimulus_unit
    if unit is None and not is_current(stimulus):
        raise CannotReconstructError(
            f"the stimulus {stimulus.name!r} is in {stimulus.unit or 'no unit'}; if its levels are currents, say in "
            "which unit"
        )
    return stimulus_pa(waveform(stimulus, sweep, n_times, interval), stimulus.unit, found.mapping)


def _recorded(found: _File, traces: list[Trace], response: Trace) -> Floats | None:
    """The recorded current of a response's electrode, pA."""
    if found.mapping.stimulus is not None:
        trace = traces[pick_channel([t.name for t in traces], found.mapping.stimulus, "stimulus")]
        return stimulus_pa(found.values(trace), trace.unit, found.mapping)
    own = [t for t in traces if t.is_current and t.electrode == response.electrode]
    own = [t for t in own if t.is_monitor] or own
    if len(own) != 1:
        return None
    scale = (found.mapping.stimulus_gain, found.mapping.stimulus_offset)
    return to_pa(found.values(own[0]), own[0].unit, *scale)


def _disagree(commanded: Floats, recorded: Floats) -> bool:
    """Whether a recorded current changes by another amount than the command."""
    change = commanded - commanded.mean()
    power = float(change @ change)
    slope = float(change @ recorded) / power if power > 0 else 1.0
    return abs(slope - 1) > _DISAGREES


def _nothing(found: _File) -> RecordingError:
    """The error for a file of which no sweep was read."""
    if found.problems:
        return found.problems[0]
    if not found.held:
        return RecordingError(f"{found.name} holds no sweep; expected at least one.")
    return ClampModeError(
        f"{found.name} is voltage clamp: series {_listed(found.held)}. Expected current clamp, a potential in mV "
        "recorded while current is injected."
    )


def _recordings(found: _File) -> Iterator[Recording]:
    labels = {k: group.text(4, 32) or f"group {k}" for k, group in enumerate(found.bundle.pulse, start=1)}
    for key, sweeps in found.sweeps.items():
        group, _ = key
        cell = labels[group]
        if list(labels.values()).count(cell) > 1:
            cell = f"{cell} ({group})"
        if sum(g == group for g, _ in found.sweeps) > 1:
            cell = f"{cell}, {found.traces[key]}"
        warnings = [text for place, text in found.warnings if place == group]
        held = [series for series in found.held if series.group == group]
        if held:
            warnings.append(f"Voltage-clamp series are left out: {_listed(held)}.")
        metadata = {"version": found.bundle.version}
        yield Recording(found.name, cell, tuple(sweeps), tuple(warnings), metadata, "HEKA PatchMaster")
