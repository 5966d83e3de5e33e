"""Tables of other laboratories: the upload format, with the donor and the true class of each cell."""

from pathlib import Path

import numpy as np
import pandas as pd

from neuroclass.cell_types import HUMAN_SUBCLASS_ORDER, SUBCLASS_ORDER, Species
from neuroclass.errors import NeuroClassError, TableError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.feature_table import CELL_COLUMN, SPECIES_COLUMN, read_bytes, read_raw_table

DONOR_COLUMN, TRUTH_COLUMN, CONDITION_COLUMN = "donor", "truth", "condition"
_NEEDED = (CELL_COLUMN, SPECIES_COLUMN, DONOR_COLUMN, TRUTH_COLUMN)
CLASSES_OF = {Species.MOUSE.value: SUBCLASS_ORDER, Species.HUMAN.value: HUMAN_SUBCLASS_ORDER}


def read_outside(path: Path) -> pd.DataFrame:
    """Read a table of another laboratory's cells.

    Parameters
    ----------
    path : Path
        A CSV with the columns ``cell``, ``species``, ``donor``, ``truth``, some of the 41 features in stored units,
        and optionally ``condition``.

    Returns
    -------
    DataFrame
        One row a cell: these text columns (``condition`` None where the table has none), and the table's features as
        float64, NaN where missing.

    Raises
    ------
    TableError
        If it cannot be read, lacks a column, names a species, a class or a feature that is not known, has a value
        that is not a number, or lists a cell twice.
    """
    try:
        table = read_raw_table(read_bytes(path), path.name).cells
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error}). Put the laboratory's table there.") from error
    except NeuroClassError as error:
        raise TableError(f"{path}: {error}") from error
    missing = [column for column in _NEEDED if column not in table.columns]
    if missing:
        raise TableError(f"{path} lacks the columns {missing}; expected {list(_NEEDED)} beside the features.")
    names = [column for column in table.columns if column in FEATURE_NAMES]
    unknown = sorted(set(table.columns) - {*FEATURE_NAMES, *_NEEDED, CONDITION_COLUMN})
    if unknown or not names:
        raise TableError(
            f"{path} has {len(names)} of the 41 features and the unknown columns {unknown}; expected published feature "
            f"names, {list(_NEEDED)} and {CONDITION_COLUMN!r}."
        )
    text = table[list(_NEEDED)].astype(str)
    condition = table[CONDITION_COLUMN].astype(str) if CONDITION_COLUMN in table.columns else None
    _check_labels(text, path)
    return pd.concat([text.assign(**{CONDITION_COLUMN: condition}), _numbers(table, names, path)], axis=1)


def _check_labels(text: pd.DataFrame, path: Path) -> None:
    twice = text[CELL_COLUMN][text[CELL_COLUMN].duplicated()]
    if len(twice):
        raise TableError(f"{path} lists the cell {twice.iloc[0]} twice; keep one row a cell.")
    if (text == "").any(axis=None):
        raise TableError(f"{path} leaves one of {list(_NEEDED)} empty; every cell needs all of them.")
    for species, rows in text.groupby(SPECIES_COLUMN):
        if species not in CLASSES_OF:
            raise TableError(f"{path} has the species {species!r}; expected one of {', '.join(CLASSES_OF)}.")
        wrong = sorted(set(rows[TRUTH_COLUMN]) - set(CLASSES_OF[str(species)]))
        if wrong:
            raise TableError(
                f"{path} calls {species} cells {wrong}; expected some of {', '.join(CLASSES_OF[str(species)])}."
            )


def _numbers(table: pd.DataFrame, names: list[str], path: Path) -> pd.DataFrame:
    given = table[names].replace("", None)
    numbers = given.apply(pd.to_numeric, errors="coerce").replace([np.inf, -np.inf], np.nan)
    wrong = (numbers.isna() & given.notna()).to_numpy()
    if wrong.any():
        row, column = (int(k[0]) for k in np.nonzero(wrong))
        raise TableError(
            f"{path} has {given.iloc[row, column]!r} under {names[column]} in line {row + 2}; expected a finite number "
            "or nothing."
        )
    return numbers.astype(np.float64)
