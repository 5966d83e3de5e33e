"""Measure the cells of an input, be it a feature table or a recording."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclass.checks.feature_table import (
    cell_names,
    find_problems,
    species_of,
    table_warnings,
    withheld_values,
)
from neuroclass.classification.grouping import merge
from neuroclass.classification.inputs import CellInput, InputFile, cannot_open
from neuroclass.classification.left_out import leave_out
from neuroclass.classification.metadata import CellMetadata
from neuroclass.ephys.conditions import Conditions, to_reference
from neuroclass.ephys.settings import FeatureSettings, ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.ephys.sweep_words import sweeps_text
from neuroclass.errors import NeuroClassError, RecordingError, RejectedInput, TableError
from neuroclass.features import FEATURE_NAMES, PERSON_FEATURES
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.feature_table import (
    SPECIES_COLUMN,
    looks_like_feature_table,
    read_raw_table,
)
from neuroclass.io.recordings import read_recordings
from neuroclass.reference.health import health_flags
from neuroclass.types.arrays import Floats, Integers, Mask

if TYPE_CHECKING:
    from neuroclass.classification.analysis import RecordingAnalysis

UNKNOWN_SPECIES = "unknown"
_NOT_IN_TABLE, _EMPTY = "the table has no such column", "the table's cell is empty"


@dataclass(frozen=True)
class MeasuredCell:
    """A cell ready to classify.

    Attributes
    ----------
    source, cell, species : str
        File, the cell's name in it, and its species: ``mouse``, ``human`` or ``unknown``.
    features : mapping of name to float
        Measured features, stored units.
    missing : mapping of name to str
        Why each of the others is missing.
    provenance, sweeps, qc, warnings, conditions, origin, without_sweeps
        As in `CellVerdict`.
    analysis : RecordingAnalysis or None
        The recording behind it; None for a table's row.
    """

    source: str
    cell: str
    species: str
    features: Mapping[str, float]
    missing: Mapping[str, str]
    provenance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sweeps: tuple[Mapping[str, Any], ...] = ()
    qc: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    conditions: Mapping[str, Any] = field(default_factory=dict)
    analysis: "RecordingAnalysis | None" = field(default=None, repr=False, compare=False)
    origin: Mapping[str, str] = field(default_factory=dict)
    without_sweeps: tuple[int, ...] = ()

    @cached_property
    def _row(self) -> Floats:
        row = np.array([self.features.get(name, np.nan) for name in FEATURE_NAMES])
        row.setflags(write=False)
        return row

    def row(self) -> Floats:
        """Features as model input, shape (41,), NaN where missing; read-only."""
        return self._row


def measure(
    cell_input: CellInput,
    metadata: CellMetadata | None = None,
    settings: FeatureSettings = FeatureSettings(),
    limits: ReadLimits = ReadLimits(),
    recordings_only: bool = False,
) -> list[MeasuredCell | RejectedInput]:
    """Measure every cell of an input.

    Parameters
    ----------
    cell_input : CellInput
        The files; their content, not their names, decides what they are.
    metadata : CellMetadata, optional
        What the user knows about the cells. For a cell in several files, corrections go by the sweep numbers of the
        joined recording.
    settings : FeatureSettings
        How features are measured.
    limits : ReadLimits
        What reading one file may cost.
    recordings_only : bool
        Whether feature tables are rejected.

    Returns
    -------
    list of MeasuredCell or RejectedInput
        In the file's order; an input that cannot be read gives one rejection.
    """
    metadata = metadata or CellMetadata()
    try:
        if cell_input.cell:
            recordings: tuple[Recording, ...] = (_joined(cell_input, metadata, limits),)
        else:
            (file,) = cell_input.files
            if not recordings_only and looks_like_feature_table(file.content):
                _no_sweeps_in(file, metadata)
                cells = _from_table(file, metadata)
                return [_judged(_under_reference(cell, metadata.conditions)) for cell in cells]
            recordings = _recordings(file, metadata, limits)
        from neuroclass.classification.analysis import analyse

        recordings = leave_out(recordings, metadata.without_sweeps)
        origin = cell_input.origin
        measured = (of_analysis(cell_input.name, analyse(one, metadata, settings), metadata) for one in recordings)
        return [replace(cell, origin=origin) for cell in measured]
    except OSError as error:
        return [RejectedInput(cell_input.name, cannot_open(cell_input.name, error), cell_input.cell)]
    except NeuroClassError as error:
        return [RejectedInput(cell_input.name, error, cell_input.cell)]


def _no_sweeps_in(file: InputFile, metadata: CellMetadata) -> None:
    if metadata.without_sweeps:
        raise TableError(
            f"{file.name} is a feature table, which has no sweeps: {sweeps_text(metadata.without_sweeps)} cannot be "
            "left out of it. Classify it apart, without leaving sweeps out."
        )


def _under_reference(cell: MeasuredCell | RejectedInput, conditions: Conditions) -> MeasuredCell | RejectedInput:
    """A table's cell under the reference's recording conditions; see `to_reference`."""
    if isinstance(cell, RejectedInput) or not conditions.to_json():
        return cell
    corrected = to_reference(cell.features, conditions)
    places = {
        name: {**cell.provenance.get(name, {}), "as_measured": value} for name, value in corrected.measured.items()
    }
    return replace(
        cell,
        features=corrected.features,
        provenance={**cell.provenance, **places},
        warnings=(*cell.warnings, *corrected.notes),
        conditions=conditions.to_json(),
    )


def _judged(cell: MeasuredCell | RejectedInput) -> MeasuredCell | RejectedInput:
    """A table's cell with what its features say of its health."""
    if isinstance(cell, RejectedInput):
        return cell
    return replace(cell, qc=tuple(flag.to_json() for flag in health_flags(cell.features, cell.species)))


def _recordings(file: InputFile, metadata: CellMetadata, limits: ReadLimits) -> tuple[Recording, ...]:
    if isinstance(file.content, Path):
        file.content.stat()  # a missing file is an OSError, whatever its type
    return read_recordings(file.content, name=file.name, mapping=metadata.mapping or ChannelMapping(), limits=limits)


def measured_recording(recording: Recording, metadata: CellMetadata | None = None) -> MeasuredCell:
    """Measure one cell's sweeps as `measure` measures those of a file.

    See `leave_out` and `analyse` for what it raises.
    """
    from neuroclass.classification.analysis import analyse

    metadata = metadata or CellMetadata()
    (recording,) = leave_out([recording], metadata.without_sweeps)
    return of_analysis(recording.source, analyse(recording, metadata), metadata)


def of_analysis(source: str, analysis: "RecordingAnalysis", metadata: CellMetadata) -> MeasuredCell:
    """A recording that is measured already, ready to classify."""
    features, corrected = analysis.features, analysis.corrected
    species, assumed = _species(analysis.recording.metadata.get("species"), metadata)
    return MeasuredCell(
        source=source,
        cell=analysis.recording.cell,
        species=species,
        features=corrected.features,
        missing=features.missing,
        provenance=analysis.provenance(),
        sweeps=analysis.sweeps_json(),
        qc=analysis.qc_json(),
        warnings=(*features.warnings, *assumed, *_lost(features.missing), *corrected.notes),
        conditions=analysis.conditions.to_json(),
        analysis=analysis,
        without_sweeps=tuple(sweep.number for sweep in analysis.recording.left_out),
    )


def _joined(cell_input: CellInput, metadata: CellMetadata, limits: ReadLimits) -> Recording:
    """Join the sweeps of a cell's files under one numbering; unusable files are skipped with a warning.

    Raises
    ------
    NeuroClassError
        If no file can be used, or if they do not belong together.
    """
    found: list[Recording] = []
    rejected: list[RejectedInput] = []
    for file in cell_input.files:
        try:
            found.append(_only_cell(file, metadata, limits))
        except OSError as error:
            rejected.append(RejectedInput(file.name, cannot_open(file.name, error)))
        except NeuroClassError as error:
            rejected.append(RejectedInput(file.name, error))
    errors: list[NeuroClassError] = [one.error for one in rejected]
    if found:
        try:
            recording = merge(found, cell_input.cell)
        except NeuroClassError as error:
            errors.append(error)
        else:
            notes = tuple(f"{one.source} was left out of the cell: {one.error.plain}" for one in rejected)
            return replace(recording, warnings=(*notes, *recording.warnings))
    raise _together(errors)


def _together(errors: Sequence[NeuroClassError]) -> NeuroClassError:
    """One error of several files; it proposes a reading where that was tried on each of them."""
    if len(errors) == 1:
        return errors[0]
    offered = [list(one.proposals) if isinstance(one, RecordingError) else [] for one in errors]
    common = [p for p in offered[0] if all(p.options in [q.options for q in others] for others in offered)]
    found = (one.found if isinstance(one, RecordingError) and common else one.plain for one in errors)
    return RecordingError(" ".join(found), common)


def _only_cell(file: InputFile, metadata: CellMetadata, limits: ReadLimits) -> Recording:
    if looks_like_feature_table(file.content):
        raise RecordingError(f"{file.name} is a feature table, whose rows are cells already; only recordings join.")
    recordings = _recordings(file, metadata, limits)
    if len(recordings) > 1:
        cells = ", ".join(recording.cell for recording in recordings[:5])
        raise RecordingError(
            f"{file.name} holds {len(recordings)} cells ({cells}); a file that is part of one cell must hold one."
        )
    return recordings[0]


def _species(in_file: object, metadata: CellMetadata) -> tuple[str, tuple[str, ...]]:
    known = species_of(in_file) if in_file else None
    if known is not None:
        return known.value, ()
    if metadata.species is not None:
        return metadata.species, ()
    return UNKNOWN_SPECIES, ("The species is not given: the subclass holds only if the cell is a mouse's.",)


def _from_table(file: InputFile, metadata: CellMetadata) -> Iterator[MeasuredCell | RejectedInput]:
    table = read_raw_table(file.content, file.name, metadata.sheet)
    problems = find_problems(table)
    species = table.texts.get(SPECIES_COLUMN, [""] * len(table))
    values = np.stack(list(table.numbers.values()), axis=1)
    impossible = withheld_values(table)
    sets = _FeatureSets(tuple(table.numbers), metadata.entered, table_warnings(table))
    for index, cell in enumerate(cell_names(table)):
        if index in problems:
            yield RejectedInput(file.name, problems[index], cell)
            continue
        row, withheld = values[index], impossible.get(index, {})
        row = np.where([name in withheld for name in table.numbers], np.nan, row) if withheld else row
        own = sets.of(np.isfinite(row))
        features = {**own.entered, **dict(zip(own.names, row[own.columns].tolist(), strict=True))}
        if withheld and not features:
            yield RejectedInput(
                file.name, TableError(f"{file.name}: {_reasons(withheld)}; no other value is left."), cell
            )
            continue
        known_for, assumed = _species(species[index], metadata)
        place = {"row": table.row_number(index)}
        provenance = {column: place for column in features}  # noqa: C420 (one place for all)
        warnings = (*own.warnings, *([f"Left out: {_reasons(withheld)}."] if withheld else []), *assumed, *own.lost)
        missing = {**own.missing, **{name: why for name, why in withheld.items() if name not in features}}
        yield MeasuredCell(file.name, cell, known_for, features, missing, provenance, warnings=warnings)


def _reasons(withheld: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in withheld.items())


@dataclass(frozen=True)
class _FeatureSet:
    """What the rows of a table with the same features share."""

    columns: Integers
    names: tuple[str, ...]
    entered: Mapping[str, float]
    missing: Mapping[str, str]
    warnings: tuple[str, ...]
    lost: tuple[str, ...]


class _FeatureSets:
    """The sets of features in a table's rows, each made once."""

    def __init__(self, columns: tuple[str, ...], entered: Mapping[str, float], warnings: tuple[str, ...]) -> None:
        self._columns, self._entered, self._warnings = columns, entered, warnings
        self._known: dict[bytes, _FeatureSet] = {}

    def of(self, present: Mask) -> _FeatureSet:
        """The set of a row in which these of the table's columns have a value."""
        key = present.tobytes()
        if key not in self._known:
            names = tuple(name for name, there in zip(self._columns, present, strict=True) if there)
            entered = {name: value for name, value in self._entered.items() if name not in names}
            missing = {
                name: _EMPTY if name in self._columns else _NOT_IN_TABLE
                for name in FEATURE_NAMES
                if name not in names and name not in entered
            }
            columns = np.flatnonzero(present)
            self._known[key] = _FeatureSet(columns, names, entered, missing, self._warnings, _lost(missing))
        return self._known[key]


def _lost(missing: Mapping[str, str]) -> tuple[str, ...]:
    lost = [name for name in FEATURE_NAMES if name in missing and name not in PERSON_FEATURES]
    if not lost:
        return ()
    return (f"{len(lost)} of the {len(FEATURE_NAMES) - len(PERSON_FEATURES)} features that sweeps give are missing.",)
