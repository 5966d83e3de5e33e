"""A cohort cell's sweeps: simulated, or read from a recording on this machine."""

import re
from pathlib import Path

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import simulate_demo_cell
from neuroclass.config import RECORDINGS_VARIABLE, recordings_folder
from neuroclass.ephys.sweep import Recording
from neuroclass.errors import CohortError
from neuroclass.io.allen import AllenCache, default_cache
from neuroclass.io.recordings import read_recordings


def recording_of(cohort: Cohort, cell_id: str) -> Recording | str:
    """Get one cell's sweeps, without touching the network.

    Parameters
    ----------
    cohort : Cohort
        The cohort the cell belongs to.
    cell_id : str
        Its id.

    Returns
    -------
    Recording or str
        Simulated for a demo cell; else read from the NWB file of its specimen in the Allen cache or
        in the folder named by ``NEUROCLASS_RECORDINGS``. A string, if there is none, explains why and what to do.

    Raises
    ------
    CohortError
        If the cohort does not contain the cell.
    RecordingError
        If the file exists but cannot be read.
    """
    if not (cohort.frame["id"] == cell_id).any():
        raise CohortError(f"{cell_id!r} is not a cell of {cohort.source}; choose one from its table.")
    if cohort.simulated:
        return simulate_demo_cell(cell_id)
    path = recording_file(cell_id)
    return _why_none(cell_id) if path is None else read_recordings(path, name=cell_id)[0]


def recording_file(cell_id: str, cache: AllenCache | None = None) -> Path | None:
    """Find a specimen's NWB file in the Allen cache or in the folder of downloaded files.

    Parameters
    ----------
    cell_id : str
        Specimen id.
    cache : AllenCache, optional
        By default the one in the user's cache folder.

    Returns
    -------
    Path or None
    """
    if not cell_id.isdecimal():
        return None
    cache = cache or default_cache()
    if cache.nwb_path(cell_id).is_file():
        cache.touch(cell_id)
        return cache.nwb_path(cell_id)
    folder = recordings_folder()
    if folder is None or not folder.is_dir():
        return None
    specimen = re.compile(rf"(?<!\d){cell_id}(?!\d)")
    named = (path for path in sorted(folder.rglob("*.nwb")) if specimen.search(path.relative_to(folder).as_posix()))
    return next(named, None)


def _why_none(cell_id: str) -> str:
    if not cell_id.isdecimal():
        return f"{cell_id} is not a specimen of the Allen Cell Types Database, so there is no recording to fetch."
    return (
        f"The recording of specimen {cell_id} is not here. Run `python -m neuroclass fetch --nwb {cell_id}`, "
        f"or name a folder of NWB files in {RECORDINGS_VARIABLE}."
    )
