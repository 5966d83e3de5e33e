"""From what a user brings to measured cells: feature tables and recordings end up alike."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass.checks.feature_table import (
    cell_names,
    find_problems,
    is_empty,
    parse_number,
    species_of,
    table_warnings,
)
from neuroclass.classification.grouping import merge
from neuroclass.classification.recording_report import cell_report
from neuroclass.ephys.cell_features import extract_features
from neuroclass.ephys.conditions import Conditions, to_reference
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import NeuroClassError, RecordingError, RejectedInput
from neuroclass.features import FEATURE_NAMES, PERSON_FEATURES, Stimulus
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.feature_table import (
    SPECIES_COLUMN,
    RawTable,
    looks_like_feature_table,
    may_be_feature_table,
    read_bytes,
    read_head,
    read_raw_table,
)
from neuroclass.io.recordings import read_recordings
from neuroclass.predictors.priors import Prior
from neuroclass.types.arrays import Floats

UNKNOWN_SPECIES = "unknown"
_NOT_IN_TABLE, _EMPTY = "the table has no such column", "the table's cell is empty"


@dataclass(frozen=True)
class CellMetadata:
    """What the user says about the cells, beyond the files.

    Attributes
    ----------
    species : str or None
        Species of cells whose file does not tell.
    entered : mapping of name to float
        Values of features that only a person knows, stored units.
    mapping : ChannelMapping, optional
        Channels and units of recordings whose header cannot be trusted.
    assignments : mapping
        The stimuli that the user gives to epochs, by (sweep number, epoch index).
    conditions : Conditions
        How the cells were recorded; features are brought to the reference's conditions.
    prior : Prior
        What is known of their classes beforehand; it changes no measurement.
    """

    species: str | None = None
    entered: Mapping[str, float] = field(default_factory=dict)
    mapping: ChannelMapping | None = None
    assignments: Mapping[tuple[int, int], Stimulus | None] = field(default_factory=dict)
    conditions: Conditions = Conditions()
    prior: Prior = Prior()


@dataclass(frozen=True)
class InputFile:
    """A file as it was brought.

    Attributes
    ----------
    name : str
        Its name, for people.
    content : bytes or Path
        What is in it, or where it lies.
    """

    name: str
    content: bytes | Path


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
    provenance, sweeps, qc, warnings, conditions
        As in `CellVerdict`.
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

    def row(self) -> Floats:
        """Features as the models take them, shape (41,), NaN where missing."""
        return np.array([self.features.get(name, np.nan) for name in FEATURE_NAMES])


def measure(
    content: bytes | Path, name: str, metadata: CellMetadata | None = None
) -> list[MeasuredCell | RejectedInput]:
    """Measure every cell in one file.

    Parameters
    ----------
    content : bytes or Path
        The file; its content, not its name, decides what it is.
    name : str
        The file's name, for people.
    context : CellMetadata, optional
        What the user says about the cells.

    Returns
    -------
    list of MeasuredCell or RejectedInput
        In the file's order; a file that cannot be read gives one refusal.
    """
    metadata = metadata or CellMetadata()
    try:
        table = _table_content(content)
        cells = _from_recording(content, name, metadata) if table is None else _from_table(table, name, metadata)
        return [under_reference(cell, metadata.conditions) for cell in cells]
    except OSError as error:
        return [RejectedInput(name, _cannot_open(name, error))]
    except NeuroClassError as error:
        return [RejectedInput(name, error)]


def under_reference(cell: MeasuredCell | RejectedInput, conditions: Conditions) -> MeasuredCell | RejectedInput:
    """A cell with its features brought to the reference's recording conditions; see `to_reference`."""
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


def _table_content(content: bytes | Path) -> bytes | None:
    """The whole content where it is a feature table, else None."""
    if isinstance(content, bytes):
        return content if looks_like_feature_table(content) else None
    if not may_be_feature_table(read_head(content)):
        return None
    whole = read_bytes(content)
    return whole if looks_like_feature_table(whole) else None


def _from_recording(content: bytes | Path, name: str, metadata: CellMetadata) -> Iterator[MeasuredCell]:
    mapping = metadata.mapping or ChannelMapping()
    for recording in read_recordings(content, name=name, mapping=mapping):
        yield _measured(recording, name, metadata)


def _measured(recording: Recording, name: str, metadata: CellMetadata, notes: tuple[str, ...] = ()) -> MeasuredCell:
    cell = extract_features(recording, assignments=metadata.assignments, entered=metadata.entered)
    report = cell_report(recording, cell)
    species, assumed = _species(recording.metadata.get("species"), metadata)
    return MeasuredCell(
        source=name,
        cell=recording.cell,
        species=species,
        features=cell.values,
        missing=cell.missing,
        provenance=report["provenance"],
        sweeps=tuple(report["sweeps"]),
        qc=tuple(report["qc"]),
        warnings=(*notes, *cell.warnings, *assumed, *_lost(cell.missing)),
    )


def measure_joined(
    cell: str, sources: Sequence[InputFile], metadata: CellMetadata | None = None
) -> MeasuredCell | RejectedInput:
    """Measure one cell over the sweeps of several files.

    Parameters
    ----------
    cell : str
        What to call the cell.
    sources : sequence of InputFile
        Its recordings; a file that cannot be used is left out with a warning.
    context : CellMetadata, optional
        What the user says about the cell; assignments go by the numbers that sweeps have together.

    Returns
    -------
    MeasuredCell or RejectedInput
        A refusal where no file could be used.
    """
    metadata = metadata or CellMetadata()
    recording, refused = read_joined(cell, sources, metadata.mapping)
    name = " + ".join(source.name for source in sources)
    if recording is None:
        kind = type(refused[0].error) if len(refused) == 1 else RecordingError
        return RejectedInput(name, kind(" ".join(str(one.error) for one in refused)), cell)
    notes = tuple(f"{one.source} was left out of the cell: {one.error}" for one in refused)
    try:
        return under_reference(_measured(recording, name, metadata, notes), metadata.conditions)
    except NeuroClassError as error:
        return RejectedInput(name, error, cell)


def read_joined(
    cell: str, sources: Sequence[InputFile], mapping: ChannelMapping | None = None
) -> tuple[Recording | None, list[RejectedInput]]:
    """Join the sweeps of a cell's files.

    Returns
    -------
    recording : Recording or None
        None where no file could be used.
    refused : list of RejectedInput
        Files that were left out, and why.
    """
    found: list[Recording] = []
    refused: list[RejectedInput] = []
    for source in sources:
        try:
            found.append(_only_cell(source, mapping or ChannelMapping()))
        except OSError as error:
            refused.append(RejectedInput(source.name, _cannot_open(source.name, error)))
        except NeuroClassError as error:
            refused.append(RejectedInput(source.name, error))
    if not found:
        return None, refused
    try:
        return merge(found, cell), refused
    except NeuroClassError as error:
        return None, [*refused, RejectedInput(cell, error)]


def _only_cell(source: InputFile, mapping: ChannelMapping) -> Recording:
    if _table_content(source.content) is not None:
        raise RecordingError(f"{source.name} is a feature table, whose rows are cells already; only recordings join.")
    recordings = read_recordings(source.content, name=source.name, mapping=mapping)
    if len(recordings) > 1:
        cells = ", ".join(recording.cell for recording in recordings[:5])
        raise RecordingError(
            f"{source.name} holds {len(recordings)} cells ({cells}); a file that is part of one cell must hold one."
        )
    return recordings[0]


def _cannot_open(name: str, error: OSError) -> RecordingError:
    return RecordingError(f"{name} cannot be opened ({error.strerror or error}). Check the path.")


def _species(told: object, metadata: CellMetadata) -> tuple[str, tuple[str, ...]]:
    known = species_of(told) if told else None
    if known is not None:
        return known.value, ()
    if metadata.species is not None:
        return metadata.species, ()
    return UNKNOWN_SPECIES, ("The species is not given: the subclass holds only if the cell is a mouse's.",)


def _from_table(content: bytes, name: str, metadata: CellMetadata) -> Iterator[MeasuredCell | RejectedInput]:
    table = read_raw_table(content, name)
    problems = find_problems(table)
    warnings, names = table_warnings(table), cell_names(table)
    columns = [column for column in FEATURE_NAMES if column in table.cells.columns]
    for index in range(len(table.cells)):
        if index in problems:
            yield RejectedInput(name, problems[index], names[index])
            continue
        yield _table_cell(table, index, names[index], columns, metadata, warnings)


def _table_cell(
    table: RawTable, index: int, cell: str, columns: list[str], metadata: CellMetadata, warnings: tuple[str, ...]
) -> MeasuredCell:
    row = table.cells.iloc[index]
    features = {column: parse_number(row[column]) for column in columns if not is_empty(row[column])}
    values = {column: value for column, value in features.items() if value is not None and np.isfinite(value)}
    values = {**{k: v for k, v in metadata.entered.items() if k not in values}, **values}
    missing = {
        column: _EMPTY if column in columns else _NOT_IN_TABLE for column in FEATURE_NAMES if column not in values
    }
    species, assumed = _species(row.get(SPECIES_COLUMN), metadata)
    provenance = {column: {"row": table.row_number(index)} for column in values}
    return MeasuredCell(
        table.name, cell, species, values, missing, provenance, warnings=(*warnings, *assumed, *_lost(missing))
    )


def _lost(missing: Mapping[str, str]) -> tuple[str, ...]:
    lost = [name for name in FEATURE_NAMES if name in missing and name not in PERSON_FEATURES]
    if not lost:
        return ()
    return (f"{len(lost)} of the {len(FEATURE_NAMES) - len(PERSON_FEATURES)} features that sweeps give are missing.",)
