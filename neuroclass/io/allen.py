"""The Allen Cell Types Database on this machine: its tables, its recordings, and fetching both.

Reading never touches the network; only the functions called ``fetch_…`` do.

References
----------
.. [1] Allen Institute for Brain Science, Allen Cell Types Database (2015), celltypes.brain-map.org.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass.cell_types import Species, labels_of_cell
from neuroclass.config import AllenSettings, allen_settings, cache_folder
from neuroclass.errors import FetchError, TableError
from neuroclass.features import FEATURES, Stimulus
from neuroclass.io.download import Transfer, never
from neuroclass.types.progress import ProgressCallback, ignore_progress

CELLS_FILE = "cells.json"
FEATURES_FILE = "ephys_features.csv"
TABLES = (CELLS_FILE, FEATURES_FILE)
PARTIAL_FOLDER = "partial"
SPECIES_NAMES = {"mus musculus": Species.MOUSE, "homo sapiens": Species.HUMAN}
API_FEATURES: tuple[str, ...] = tuple(spec.name for spec in FEATURES if spec.stimulus is not Stimulus.NOISE)
_COLUMNS = {
    "specimen__id": "id",
    "donor__species": "species",
    "donor__id": "donor",
    "line_name": "line",
    "structure__layer": "layer",
    "structure_parent__acronym": "structure",
    "tag__dendrite_type": "dendrite_type",
    "cell_reporter_status": "reporter_status",
}
_NWB_FOLDER = re.compile(r"specimen_(\d+)")


@dataclass(frozen=True)
class AllenCache:
    """A folder laid out as allensdk's ``CellTypesCache`` lays it out.

    Attributes
    ----------
    folder : Path
        Holds ``cells.json``, ``ephys_features.csv`` and ``specimen_<id>/ephys.nwb``.
    """

    folder: Path

    @property
    def has_tables(self) -> bool:
        """Whether the tables were fetched."""
        return all((self.folder / name).is_file() for name in TABLES)

    def nwb_path(self, specimen: str) -> Path:
        """Where one cell's recording is, or would be."""
        return self.folder / f"specimen_{specimen}" / "ephys.nwb"

    def recordings(self) -> dict[str, Path]:
        """Fetched recordings by specimen id."""
        found = {_NWB_FOLDER.fullmatch(path.parent.name): path for path in self.folder.glob("specimen_*/ephys.nwb")}
        return {match[1]: path for match, path in found.items() if match}

    def size_bytes(self) -> int:
        """Bytes of all fetched recordings."""
        return sum(path.stat().st_size for path in self.recordings().values())

    def trim(self, limit_bytes: int, keep: str | None = None) -> tuple[str, ...]:
        """Delete the least recently used recordings until the rest fit in `limit_bytes`.

        Parameters
        ----------
        limit_bytes : int
            Most bytes that may remain.
        keep : str, optional
            Specimen whose recording stays in any case.

        Returns
        -------
        tuple of str
            Specimens whose recordings were deleted.
        """
        stats = {specimen: path.stat() for specimen, path in self.recordings().items()}
        excess = sum(stat.st_size for stat in stats.values()) - limit_bytes
        deleted = []
        for specimen in sorted(stats, key=lambda name: stats[name].st_mtime):
            if excess <= 0:
                break
            if specimen != keep:
                shutil.rmtree(self.nwb_path(specimen).parent)
                excess -= stats[specimen].st_size
                deleted.append(specimen)
        return tuple(deleted)

    def touch(self, specimen: str) -> None:
        """Note that a recording was used."""
        os.utime(self.nwb_path(specimen))

    def rows(self) -> pd.DataFrame:
        """Cells of the fetched tables.

        Returns
        -------
        DataFrame
            One row per cell that has features, with the columns of a cohort; the features measured
            under noise are not in the database's table.

        Raises
        ------
        TableError
            If the tables are absent or damaged.
        """
        if not self.has_tables:
            raise TableError(f"{self.folder} holds no tables of the database; run `python -m neuroclass fetch`.")
        return read_tables(self.folder / CELLS_FILE, self.folder / FEATURES_FILE)


def default_cache() -> AllenCache:
    """The cache in the user's cache folder."""
    return AllenCache(cache_folder() / "allen")


def read_tables(cells_file: Path, features_file: Path) -> pd.DataFrame:
    """Join the database's cell list and EphysFeature table.

    Parameters
    ----------
    cells_file : Path
        JSON list of ``ApiCellTypesSpecimenDetail`` rows.
    features_file : Path
        CSV of ``EphysFeature`` rows.

    Returns
    -------
    DataFrame
        See `AllenCache.rows`.

    Raises
    ------
    TableError
        If either file is not such a table.
    """
    try:
        cells = pd.DataFrame(json.loads(cells_file.read_text(encoding="utf-8")))
        features = pd.read_csv(features_file)
    except (OSError, ValueError) as error:
        raise TableError(f"{cells_file.parent} holds damaged tables ({error}); delete them and fetch again.") from error
    expected = ((cells, cells_file, _COLUMNS), (features, features_file, ("specimen_id", *API_FEATURES)))
    for frame, name, needed in expected:
        missing = [column for column in needed if column not in frame.columns]
        if missing:
            raise TableError(f"{name} lacks the columns {missing}. Delete it and fetch again.")
    rows = cells[list(_COLUMNS)].rename(columns=_COLUMNS)
    for column in ("id", "donor"):
        rows[column] = rows[column].astype("Int64").astype(object).map(str, na_action="ignore")
    rows["species"] = rows["species"].str.lower().map(SPECIES_NAMES)
    for column in ("line", "layer", "structure", "dendrite_type", "reporter_status"):
        rows[column] = rows[column].astype(object).where(rows[column].notna() & (rows[column] != ""), None)
    rows["structure"] = rows["structure"].map(lambda text: text.strip('"'), na_action="ignore")
    labels = [labels_of_cell(*cell) for cell in zip(rows["species"], rows["line"], rows["dendrite_type"], strict=True)]
    rows["broad"] = [broad for broad, _ in labels]
    rows["subclass"] = [subclass for _, subclass in labels]
    measured = features[["specimen_id", *API_FEATURES]].rename(columns={"specimen_id": "id"})
    measured["id"] = measured["id"].astype("Int64").astype(str)
    measured = measured.drop_duplicates("id", keep="last")
    known = rows[rows["species"].notna() & rows["id"].notna()].drop_duplicates("id", keep="last")
    return known.merge(measured, on="id", how="inner").reset_index(drop=True)


def fetch_tables(
    cache: AllenCache,
    settings: AllenSettings | None = None,
    progress: ProgressCallback = ignore_progress,
    cancelled: Callable[[], bool] = never,
) -> pd.DataFrame:
    """Fetch the cell list and the EphysFeature table; the cache changes only once both are complete.

    Parameters
    ----------
    cache : AllenCache
        Where they go.
    settings : AllenSettings, optional
        The API's address; by default from the environment.
    progress : ProgressCallback
        Called with the bytes so far of what is being downloaded.
    cancelled : callable
        Asked after each chunk whether to stop.

    Returns
    -------
    DataFrame
        See `AllenCache.rows`.

    Raises
    ------
    FetchError
        If the database cannot be reached or answers with something else.
    """
    cache.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache.folder, prefix="fetching-") as name:
        staging = Path(name)
        client = _client(staging, settings or allen_settings(), progress, cancelled)
        try:
            client.get_cells(simple=False)
            client.get_ephys_features()
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise FetchError(
                f"The database's answer has another shape than expected ({error!r}). Try later."
            ) from error
        try:
            rows = read_tables(staging / CELLS_FILE, staging / FEATURES_FILE)
        except TableError as error:
            raise FetchError(f"The database answered with other tables than expected: {error}") from error
        if rows.empty:
            raise FetchError("The database answered with no cell that has features. Try again later.")
        for table in TABLES:
            (staging / table).replace(cache.folder / table)
    return rows


def fetch_nwb(
    cache: AllenCache,
    specimen: str,
    settings: AllenSettings | None = None,
    progress: ProgressCallback = ignore_progress,
    cancelled: Callable[[], bool] = never,
) -> Path:
    """Fetch one cell's recording unless it is here, and keep the cache within its limit.

    Parameters
    ----------
    cache : AllenCache
        Where it goes.
    specimen : str
        The cell's specimen id, digits.
    settings : AllenSettings, optional
        The API's address and the cache's limit; by default from the environment.
    progress, cancelled : callable
        As for `fetch_tables`.

    Returns
    -------
    Path
        The NWB file.

    Raises
    ------
    FetchError
        If the database cannot be reached, has no recording of this cell, or breaks off; what came
        is kept for a later attempt where the server can resume.
    """
    if not specimen.isdecimal():
        raise FetchError(f"{specimen!r} is not a specimen of the database; expected its number, such as 485909730.")
    settings = settings or allen_settings()
    path = cache.nwb_path(specimen)
    if not path.is_file():
        existed = path.parent.is_dir()
        with tempfile.TemporaryDirectory(prefix="neuroclass-") as manifest:
            client = _client(Path(manifest), settings, progress, cancelled, cache.folder / PARTIAL_FOLDER)
            try:
                client.api.save_ephys_data(int(specimen), str(path))
            except FetchError:
                raise
            except OSError as error:
                raise FetchError(
                    f"{path} cannot be written ({error}). Free some space or set NEUROCLASS_CACHE."
                ) from error
            except Exception as error:  # allensdk raises a bare Exception for a cell without a recording
                raise FetchError(f"The database has no recording of specimen {specimen} ({error}).") from error
            finally:
                if not existed and path.parent.is_dir() and not any(path.parent.iterdir()):
                    path.parent.rmdir()
    cache.touch(specimen)
    cache.trim(settings.cache_limit_bytes, keep=specimen)
    return path


def _client(
    folder: Path,
    settings: AllenSettings,
    progress: ProgressCallback,
    cancelled: Callable[[], bool],
    partial: Path | None = None,
) -> Any:
    try:
        from neuroclass.io.allen_client import cell_types_cache
    except ModuleNotFoundError as error:
        raise FetchError(
            "Downloads from the database need allensdk, which is not installed: pip install 'neuroclass[allen]' "
            "on Python 3.11, for which allensdk exists."
        ) from error

    return cell_types_cache(folder, settings.base_url, Transfer(partial or folder, progress, cancelled))
