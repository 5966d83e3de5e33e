"""From files to features: one file as a plain report, and folders of files as a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neuroclass.ephys.cell_features import CellFeatures, extract_features
from neuroclass.ephys.settings import FeatureSettings, ReadLimits
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import NeuroClassError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.recordings import read_recordings

SUFFIXES = (
    *(".abf", ".nwb", ".h5", ".hdf5", ".wcp", ".ibw", ".pxp", ".smr", ".smrx", ".dat"),
    *(".axgd", ".axgx", ".csv", ".tsv", ".parquet"),
)

Report = dict[str, Any]


@dataclass(frozen=True)
class ExtractionJob:
    """How every file of one extraction is treated.

    Attributes
    ----------
    mapping : ChannelMapping
        Channels and units that override the headers.
    entered : mapping of str to float
        Features that a person knows.
    settings : FeatureSettings
        How features are measured.
    limits : ReadLimits
        What reading one file may cost.
    """

    mapping: ChannelMapping = ChannelMapping()
    entered: Mapping[str, float] = field(default_factory=dict)
    settings: FeatureSettings = FeatureSettings()
    limits: ReadLimits = ReadLimits()


def extract_file(path: str | Path, job: ExtractionJob = ExtractionJob()) -> list[Report]:
    """Report on each cell of a file, or on why the file is refused.

    Parameters
    ----------
    path : str or Path
        The file.
    job : ExtractionJob
        How it is treated.

    Returns
    -------
    list of dict
        One plain report for each cell; a refused file is one report with an ``error``.
    """
    source = str(path)
    try:
        recordings = read_recordings(path, mapping=job.mapping, limits=job.limits)
        return [
            {**cell_report(r, extract_features(r, entered=job.entered, settings=job.settings)), "path": source}
            for r in recordings
        ]
    except NeuroClassError as error:
        return [{"source": Path(source).name, "error": {"type": error.kind, "message": str(error)}, "path": source}]


def cell_report(recording: Recording, cell: CellFeatures) -> Report:
    """A cell's features in plain dicts and lists, ready for JSON."""
    report: Report = {
        "source": recording.source,
        "cell": recording.cell,
        "format": recording.format,
        "features": {name: cell.values.get(name) for name in FEATURE_NAMES},
        "missing": cell.missing,
        "provenance": {name: _place(cell, name) for name in cell.values},
        "sweeps": [_sweep(recording, cell, k) for k in range(len(recording.sweeps))],
        "qc": [vars(flag) for flag in cell.qc],
        "warnings": list(cell.warnings),
    }
    if "species" in recording.metadata:
        report["species"] = recording.metadata["species"]
    return report


def _place(cell: CellFeatures, name: str) -> Report:
    place = cell.provenance[name]
    return {
        "sweeps": list(place.sweeps),
        "spike": place.spike,
        "sample": place.sample,
        "time_s": place.time_s,
        "note": place.note,
    }


def _sweep(recording: Recording, cell: CellFeatures, k: int) -> Report:
    sweep = recording.sweeps[k]
    return {
        "number": sweep.number,
        **({"source": sweep.source} if sweep.source else {}),
        "clamp_mode": sweep.clamp_mode.value,
        "stimulus_name": sweep.stimulus_name,
        "rate_hz": sweep.rate_hz,
        "duration_s": sweep.duration_s,
        "n_spikes": cell.n_spikes.get(sweep.number, 0),
        "epochs": [
            {
                "stimulus": None if epoch.stimulus is None else epoch.stimulus.value,
                "start_s": epoch.start_s,
                "end_s": epoch.end_s,
                "amplitude_pa": epoch.amplitude_pa,
                "holding_pa": epoch.holding_pa,
                "note": epoch.note,
            }
            for epoch in cell.epochs
            if epoch.sweep_number == sweep.number
        ],
        "qc": [flag.name for flag in cell.qc if flag.sweep == sweep.number],
    }


def find_files(paths: Sequence[str | Path], suffixes: Sequence[str] = SUFFIXES) -> Iterator[Path]:
    """Files given by name, and those in folders whose names end so, in order of their names."""
    for path in map(Path, paths):
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in suffixes)
        else:
            yield path
