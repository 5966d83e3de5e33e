"""Items of an extraction: one file, one cell in several files, or one specimen of the database."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from neuroclass.classification.inputs import CellInput, cell_inputs
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.classification.metadata import CellMetadata, to_json
from neuroclass.ephys.settings import FeatureSettings, ReadLimits
from neuroclass.errors import NeuroClassError, RejectedInput
from neuroclass.extraction.table import Report, cell_report, rejection_report, table_row
from neuroclass.io.allen import default_cache, fetch_nwb


@dataclass(frozen=True)
class ExtractionJob:
    """How every item of one extraction is measured.

    Attributes
    ----------
    metadata : CellMetadata
        What the user knows about all the cells.
    settings : FeatureSettings
        How features are measured.
    limits : ReadLimits
        What reading one file may cost.
    """

    metadata: CellMetadata = CellMetadata()
    settings: FeatureSettings = FeatureSettings()
    limits: ReadLimits = ReadLimits()

    def facts(self) -> dict[str, Any]:
        """What features depend on besides the files, as JSON."""
        return {"metadata": to_json(self.metadata), "settings": asdict(self.settings), "limits": asdict(self.limits)}


@dataclass(frozen=True)
class ExtractionItem:
    """A file or archive, the files of one cell, or a specimen of the Allen Cell Types Database.

    Attributes
    ----------
    paths : tuple of str
        The files; empty for a specimen.
    cell : str
        The cell's name where several files are one cell; else empty.
    specimen : str
        The specimen's id; else empty.
    keep : bool
        Whether a specimen's recording stays in the cache.
    """

    paths: tuple[str, ...] = ()
    cell: str = ""
    specimen: str = ""
    keep: bool = False

    @property
    def name(self) -> str:
        """Name in the table."""
        return " + ".join(self.paths) or f"allen:{self.specimen}"

    def fingerprint(self) -> str:
        """A text that changes when a file changes."""
        if self.specimen:
            return self.specimen
        return " ".join([*map(_stamp, self.paths), *([self.cell] if self.cell else [])])


def _stamp(path: str) -> str:
    try:
        stat = Path(path).stat()
    except OSError:
        return "absent"
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def measure_item(item: ExtractionItem, job: ExtractionJob) -> list[Report]:
    """Measure one item: one report per cell, or one with the error; never raises."""
    try:
        return _measure_specimen(item, job) if item.specimen else measure_files(item, job)
    except NeuroClassError as error:
        return [failure(item, error.kind, str(error))]
    except Exception as error:
        return [failure(item, type(error).__name__, str(error))]


def feature_rows(item: ExtractionItem, job: ExtractionJob) -> list[dict[str, Any]]:
    """Measure one item: a row of the table per cell, or one with the error; never raises."""
    return [table_row(item.name, report) for report in measure_item(item, job)]


def failure(item: ExtractionItem, kind: str, message: str) -> Report:
    """The report for an item that could not be measured."""
    return {"source": item.name, "error": {"type": kind, "message": message}}


def measure_files(item: ExtractionItem, job: ExtractionJob = ExtractionJob()) -> list[Report]:
    """Measure an item's files as `classify` does.

    Parameters
    ----------
    item : ExtractionItem
        One file or archive, or the files of one cell.
    job : ExtractionJob
        How they are measured.

    Returns
    -------
    list of dict
        One plain report for each cell; a rejected file is one report with an ``error``.
    """
    with tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
        found = [one for cell_input in inputs_of(item, Path(folder)) for one in _measured(cell_input, job)]
    return [{**report, "path": item.name} for report in found]


def inputs_of(item: ExtractionItem, folder: Path) -> Iterator[CellInput | RejectedInput]:
    """An item's inputs, archives unpacked in a folder; they are named by the last part of their paths."""
    paths = [Path(path) for path in item.paths]
    if item.cell:
        return cell_inputs([], {item.cell: paths}, folder, _last_part)
    return cell_inputs(paths, {}, folder, _last_part)


def _last_part(path: Path) -> str:
    return path.name


def _measured(cell_input: CellInput | RejectedInput, job: ExtractionJob) -> Iterator[Report]:
    if isinstance(cell_input, RejectedInput):
        yield rejection_report(cell_input)
        return
    for one in measure(cell_input, job.metadata, job.settings, job.limits, recordings_only=True):
        yield cell_report(one) if isinstance(one, MeasuredCell) else rejection_report(one)


def _measure_specimen(item: ExtractionItem, job: ExtractionJob) -> list[Report]:
    cache = default_cache()
    known = cache.nwb_path(item.specimen).is_file()
    path = fetch_nwb(cache, item.specimen)
    try:
        return measure_files(replace(item, paths=(str(path),), specimen=""), job)
    finally:
        if not (item.keep or known):
            path.unlink(missing_ok=True)
