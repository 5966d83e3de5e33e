"""Published tables: a folder laid out like the paper's data, with the database's specimen table."""

from pathlib import Path

import numpy as np
import pandas as pd

from neuroclass.cell_types import PUBLISHED_NAMES, Dendrite, Species
from neuroclass.errors import TableError
from neuroclass.features import FEATURE_NAMES

MOUSE_FILE = "actb_mouse_ephys_features.csv"
HUMAN_FILE = "actb_human_ephys_features.csv"
SPECIMEN_FILE = "cell_types_specimen_details.csv"


def holds_published(folder: Path) -> bool:
    """Whether a folder holds a published feature table."""
    return any((folder / name).is_file() for name in (MOUSE_FILE, HUMAN_FILE))


def _read_csv(path: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    try:
        frame = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise TableError(f"{path} cannot be read as CSV ({error}). Put the published file there.") from error
    missing = [column for column in needed if column not in frame.columns]
    if missing:
        raise TableError(f"{path} lacks the columns {missing}; it must have the published table's columns.")
    return frame


def read_specimens(path: Path) -> pd.DataFrame:
    """Read the database's specimen table.

    Parameters
    ----------
    path : Path
        ``cell_types_specimen_details.csv`` as downloaded from the database.

    Returns
    -------
    DataFrame
        Columns id, donor, line, structure, reporter_status and layer (as the database writes it).
    """
    columns = {
        "specimen__id": "id",
        "donor__id": "donor",
        "line_name": "line",
        "structure_parent__acronym": "structure",
        "cell_reporter_status": "reporter_status",
        "structure__layer": "layer",
    }
    frame = _read_csv(path, tuple(columns))[list(columns)].rename(columns=columns)
    frame["id"] = frame["id"].astype(str)
    _unique_ids(frame["id"], path)
    frame["donor"] = frame["donor"].astype("Int64").astype(object).map(str, na_action="ignore")
    return frame


def _numbers(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The 41 features as numbers; empty entries are missing values."""
    numbers = frame[list(FEATURE_NAMES)].apply(pd.to_numeric, errors="coerce").replace([np.inf, -np.inf], np.nan)
    wrong = numbers.isna() & frame[list(FEATURE_NAMES)].notna()
    if wrong.any(axis=None):
        row, column = (int(k[0]) for k in np.nonzero(wrong.to_numpy()))
        name = FEATURE_NAMES[column]
        raise TableError(
            f"{path} has {frame[name].iloc[row]!r} under {name} in line {row + 2}; expected a finite number or nothing."
        )
    return numbers.astype(np.float64)


def _unique_ids(ids: "pd.Series[str]", path: Path) -> None:
    twice = ids[ids.duplicated()]
    if len(twice):
        raise TableError(
            f"{path} has specimen {twice.iloc[0]} twice ({len(twice)} such rows); keep one row a specimen."
        )


def _species_rows(path: Path, species: Species) -> pd.DataFrame:
    label = "transgenic_line" if species is Species.MOUSE else "dendrite_type"
    frame = _read_csv(path, ("file_name", label, *FEATURE_NAMES))
    rows = _numbers(frame, path)
    rows["id"] = frame["file_name"].astype(str).str.partition("_")[0]
    rows["species"] = species.value
    _unique_ids(rows["id"], path)
    if "dendrite_type" in frame:
        rows["dendrite_type"] = frame["dendrite_type"]
    if "layer" in frame:
        layer = frame["layer"].astype(str).str.removeprefix("L").str.replace("/L", "/", regex=False)
        rows["layer"] = layer.where(frame["layer"].notna(), None)
    if species is Species.HUMAN:
        rows["broad"] = [Dendrite(d).broad if d in set(Dendrite) else None for d in frame["dendrite_type"]]
        return rows
    unknown = sorted(set(frame["transgenic_line"].dropna()) - set(PUBLISHED_NAMES))
    if unknown:
        raise TableError(f"{path} has the subclasses {unknown}; expected {sorted(PUBLISHED_NAMES)}.")
    subclasses = [PUBLISHED_NAMES.get(name) for name in frame["transgenic_line"]]
    rows["subclass"] = subclasses
    rows["broad"] = [None if subclass is None else subclass.broad for subclass in subclasses]
    return rows


def read_published_folder(folder: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Read the published feature tables and join donors and lines from the specimen table.

    Parameters
    ----------
    folder : Path
        Holds ``actb_mouse_ephys_features.csv``, ``actb_human_ephys_features.csv`` or both, and
        ``cell_types_specimen_details.csv``.

    Returns
    -------
    rows : DataFrame
        One row per cell in published order, mouse first.
    notes : tuple of str
        Rows that could not be joined.

    Raises
    ------
    TableError
        If there is no table, or one lacks columns.
    """
    files = {Species.MOUSE: folder / MOUSE_FILE, Species.HUMAN: folder / HUMAN_FILE}
    found = {species: path for species, path in files.items() if path.is_file()}
    if not found:
        raise TableError(
            f"{folder} holds neither {MOUSE_FILE} nor {HUMAN_FILE}. Point NEUROCLASS_DATA or --data at the folder "
            "of the published tables, or unset it to use the embedded demo cohort."
        )
    rows = pd.concat([_species_rows(path, species) for species, path in found.items()], ignore_index=True)
    specimen_file = folder / SPECIMEN_FILE
    if not specimen_file.is_file():
        return rows, (f"{SPECIMEN_FILE} is absent: donors are unknown, so each cell counts as its own donor.",)
    specimens = read_specimens(specimen_file).drop(columns="layer")
    joined = rows.merge(specimens, on="id", how="left", validate="one_to_one")
    n_unknown = int(joined["donor"].isna().sum())
    notes = (f"{n_unknown} cells are not in {SPECIMEN_FILE}: each counts as its own donor.",) if n_unknown else ()
    return joined, notes
