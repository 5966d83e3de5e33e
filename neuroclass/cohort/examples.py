"""Example recordings: simulated cells as files that a laboratory could have written."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.config import cache_folder
from neuroclass.ephys.sweep import Recording, Sweep
from neuroclass.errors import SettingsError
from neuroclass.io.nwb_writer import write_nwb

FOLDER = "examples"
_SPECIES = "Mus musculus"
_HUM_HZ, _HUM_MV = 50.0, 0.4
_OFFSET_MV, _DRIFT_MV = 9.0, 6.0


@dataclass(frozen=True)
class Example:
    """One example: its title, what it shows, the demo cell behind it, and what is done to that cell's recording."""

    title: str
    shows: str
    cell_id: str
    change: Callable[[Recording], Recording] = lambda recording: recording


def _awkward(recording: Recording) -> Recording:
    """Long squares alone, of a cell that drifts, with mains hum and an uncorrected offset."""
    sweeps = [sweep for sweep in recording.sweeps if sweep.stimulus_name.startswith("Long")]
    drift = np.linspace(0.0, _DRIFT_MV, len(sweeps))
    return replace(
        recording, sweeps=tuple(_disturbed(one, _OFFSET_MV + d) for one, d in zip(sweeps, drift, strict=True))
    )


def _disturbed(sweep: Sweep, offset_mv: float) -> Sweep:
    hum = _HUM_MV * np.sin(2 * np.pi * _HUM_HZ * sweep.t)
    return replace(sweep, v_mv=sweep.v_mv + offset_mv + hum)


EXAMPLES: Mapping[str, Example] = {
    "fast-spiking": Example(
        "A fast-spiking cell",
        "Long and short squares, ramp and noise; brief spikes at high rates.",
        "simulated-mouse-pvalb-009",
    ),
    "pyramidal": Example(
        "A pyramidal cell",
        "Long and short squares, ramp and noise; broad spikes at low rates.",
        "simulated-mouse-glutamatergic-035",
    ),
    "awkward": Example(
        "A difficult recording",
        "Long squares alone, with drift, mains hum, an offset of 9 mV and depolarisation block.",
        "simulated-mouse-vip-010",
        _awkward,
    ),
}


def example_recording(name: str = "fast-spiking", folder: str | Path | None = None) -> Path:
    """Write an example recording, a simulated mouse cell, as an NWB 2 file.

    Parameters
    ----------
    name : str
        ``fast-spiking``, ``pyramidal`` or ``awkward``.
    folder : str or Path, optional
        Where to; a folder of the cache by default, whose file is kept and used again.

    Returns
    -------
    Path
        The file, which says that it is simulated.

    Raises
    ------
    SettingsError
        If there is no example of that name.

    Examples
    --------
    >>> import neuroclass as nc
    >>> nc.example_recording("pyramidal").name
    'pyramidal.nwb'
    """
    if name not in EXAMPLES:
        raise SettingsError(f"There is no example {name!r}; expected one of {', '.join(EXAMPLES)}.")
    example = EXAMPLES[name]
    where = cache_folder() / FOLDER / example.cell_id if folder is None else Path(folder)
    path = where / f"{name}.nwb"
    if folder is None and path.is_file():
        return path
    where.mkdir(parents=True, exist_ok=True)
    recording = replace(example.change(simulate_demo_cell(example.cell_id)), cell="cell 1")
    part = path.with_name(f"part-{os.getpid()}-{path.name}")
    write_nwb(part, [recording], _SPECIES)
    return part.replace(path)
