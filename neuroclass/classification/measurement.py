"""Measure the cells of an input, be it a feature table or a recording."""

from collections.abc import Iterator, Mapping
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
from neuroclass.classification.analysis import RecordingAnalysis, analyse
from neuroclass.classification.grouping import merge
from neuroclass.classification.inputs import CellInput, InputFile, cannot_open
from neuroclass.classification.metadata import CellMetadata
from neuroclass.ephys.conditions import Conditions, to_reference
from neuroclass.ephys.settings import FeatureSettings, ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import NeuroClassError, RecordingError, RejectedInput
from neuroclass.features import FEATURE_NAMES, PERSON_FEATURES
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
from neuroclass.types.arrays import Floats

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
    provenance, sweeps, qc, warnings, conditions
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
    analysis: RecordingAnalysis | None = field(default=None, repr=False, compare=False)

    def row(self) -> Floats:
        """Features as model input, shape (41,), NaN where missing."""
        return np.array([self.features.get(name, np.nan) for name in FEATURE_NAMES])


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
            table = None if recordings_only else _table_content(file.content)
            if table is not None:
                cells = _from_table(table, file.name, metadata)
                return [_under_reference(cell, metadata.conditions) for cell in cells]
            recordings = _recordings(file, metadata, limits)
        return [_measured(cell_input.name, analyse(one, metadata, settings), metadata) for one in recordings]
    except OSError as error:
        return [RejectedInput(cell_input.name, cannot_open(cell_input.name, error), cell_input.cell)]
    except NeuroClassError as error:
        return [RejectedInput(cell_input.name, error, cell_input.cell)]


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


def _table_content(content: bytes | Path) -> bytes | None:
    """The whole content if it is a feature table, else None."""
    if isinstance(content, bytes):
        return content if looks_like_feature_table(content) else None
    if not may_be_feature_table(read_head(content)):
        return None
    whole = read_bytes(content)
    return whole if looks_like_feature_table(whole) else None


def _recordings(file: InputFile, metadata: CellMetadata, limits: ReadLimits) -> tuple[Recording, ...]:
    if isinstance(file.content, Path):
        file.content.stat()  # a missing file is an OSError, whatever its type
    return read_recordings(file.content, name=file.name, mapping=metadata.mapping or ChannelMapping(), limits=limits)


def _measured(source: str, analysis: RecordingAnalysis, metadata: CellMetadata) -> MeasuredCell:
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
    errors = [one.error for one in rejected]
    if found:
        try:
            recording = merge(found, cell_input.cell)
        except NeuroClassError as error:
            errors.append(error)
        else:
            notes = tuple(f"{one.source} was left out of the cell: {one.error}" for one in rejected)
            return replace(recording, warnings=(*notes, *recording.warnings))
    kind = type(errors[0]) if len(errors) == 1 else RecordingError
    raise kind(" ".join(map(str, errors)))


def _only_cell(file: InputFile, metadata: CellMetadata, limits: ReadLimits) -> Recording:
    if _table_content(file.content) is not None:
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
