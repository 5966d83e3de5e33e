"""Load the cohort from a named folder, the Allen cache, the published tables, or the demo cells."""

from pathlib import Path

import pandas as pd

from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.config import DATA_VARIABLE, data_folder
from neuroclass.errors import TableError
from neuroclass.features import Stimulus, features_of
from neuroclass.io.allen import AllenCache, default_cache
from neuroclass.io.tables import holds_published, read_published_folder

NO_NOISE_NOTE = (
    f"The database's table lacks the features measured under noise; {DATA_VARIABLE} can name published ones."
)


def load_cohort(data_dir: Path | None = None) -> Cohort:
    """Load the cells, without touching the network.

    Takes the first of these that exists: the given folder, the fetched tables of the Allen Cell Types
    Database (joined with the published noise features), the folder named by ``NEUROCLASS_DATA``,
    the embedded demo cohort.

    Parameters
    ----------
    data_dir : Path, optional
        A folder of published tables or in the layout of allensdk's cache, as ``NEUROCLASS_DATA``
        may be.

    Returns
    -------
    Cohort
        Its `source` names where the cells come from.

    Raises
    ------
    TableError
        If a named folder does not exist or holds no table.
    """
    published = data_folder()
    if data_dir is not None:
        return _folder(_existing(Path(data_dir).expanduser(), "The data folder"), published)
    if published is not None:
        _existing(published, f"{DATA_VARIABLE} =")
    cache = default_cache()
    if cache.has_tables:
        return _allen(cache, published)
    return load_demo() if published is None else _folder(published, published)


def _existing(folder: Path, what: str) -> Path:
    if not folder.is_dir():
        raise TableError(f"{what} {folder} is not a folder; name an existing one, or unset it to use the demo cohort.")
    return folder


def _folder(folder: Path, published: Path | None) -> Cohort:
    """Load a named folder: either in the layout of allensdk's cache or with published tables."""
    cache = AllenCache(folder)
    return _allen(cache, published) if cache.has_tables else _published(folder)


def _published(folder: Path) -> Cohort:
    rows, notes = read_published_folder(folder)
    return make_cohort(rows, f"published tables in {folder}", notes=notes)


def _allen(cache: AllenCache, published: Path | None) -> Cohort:
    rows = cache.rows()
    source = f"Allen Cell Types Database, fetched to {cache.folder}"
    if published is None or not holds_published(published):
        return make_cohort(rows, source, notes=(NO_NOISE_NOTE,))
    joined, note = _with_noise(rows, published)
    return make_cohort(joined, f"{source}, noise features from {published}", notes=(note,))


def _with_noise(rows: pd.DataFrame, published: Path) -> tuple[pd.DataFrame, str]:
    """Join the published features measured under noise, by specimen."""
    table, _ = read_published_folder(published)
    noise = list(features_of(Stimulus.NOISE))
    joined = rows.merge(table[["id", *noise]], on="id", how="left", validate="one_to_one")
    n_joined = int(rows["id"].isin(table["id"]).sum())
    return joined, f"{n_joined} of {len(rows)} cells have noise features in the published tables."
