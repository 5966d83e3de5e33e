"""Measured cells as plain reports, and reports as the rows of a Parquet table."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass.classification.measurement import UNKNOWN_SPECIES, MeasuredCell
from neuroclass.errors import RejectedInput
from neuroclass.features import FEATURE_NAMES

COLUMNS = (
    "path",
    "source",
    "cell",
    "species",
    "format",
    *FEATURE_NAMES,
    "missing",
    "qc",
    "warnings",
    "error",
    "message",
)

DATASET_COLUMNS: dict[str, type] = {
    name: float if name in FEATURE_NAMES else str for name in COLUMNS if name not in ("path", "error", "message")
}
"""The cells' columns of a dataset, besides path and stamp."""

Report = dict[str, Any]


def cell_report(cell: MeasuredCell) -> Report:
    """A recorded cell's features and where each was measured, in plain dicts and lists."""
    analysis = cell.analysis
    assert analysis is not None
    report: Report = {
        "source": cell.source,
        "cell": cell.cell,
        "format": analysis.recording.format,
        "features": {name: cell.features.get(name) for name in FEATURE_NAMES},
        "missing": dict(cell.missing),
        "provenance": {name: dict(place) for name, place in cell.provenance.items()},
        "sweeps": [dict(sweep) for sweep in cell.sweeps],
        "qc": [dict(flag) for flag in cell.qc],
        "warnings": [*analysis.features.warnings, *analysis.corrected.notes],
    }
    species = analysis.recording.metadata.get("species", cell.species)
    if species != UNKNOWN_SPECIES:
        report["species"] = species
    if cell.conditions:
        report["conditions"] = dict(cell.conditions)
    return report


def rejection_report(rejected: RejectedInput) -> Report:
    """Why a file, or a cell of it, was not measured."""
    return rejected.to_json()


def is_rejected(reports: Sequence[Report]) -> bool:
    """Whether any report names an error."""
    return any("error" in report for report in reports)


def table_row(path: str, report: Report) -> dict[str, Any]:
    """A row of the table, with `COLUMNS`."""
    features = report.get("features", {})
    error = report.get("error", {})
    return {
        "path": path,
        "source": report["source"],
        "cell": report.get("cell"),
        "species": report.get("species"),
        "format": report.get("format"),
        **{name: features.get(name) for name in FEATURE_NAMES},
        "missing": json.dumps(report.get("missing", {})),
        "qc": json.dumps(report.get("qc", [])),
        "warnings": json.dumps(report.get("warnings", [])),
        "error": error.get("type"),
        "message": error.get("message"),
    }


def write_table(rows: Sequence[dict[str, Any]], out: Path) -> None:
    """Write rows in order of path and cell, all or nothing."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table[list(FEATURE_NAMES)] = table[list(FEATURE_NAMES)].astype(float)
    part = out.with_name(out.name + ".part")
    table.sort_values(["path", "cell"], kind="stable", ignore_index=True).to_parquet(part, index=False)
    part.replace(out)
