"""Tables of other laboratories: the upload format, with the donor and the true class of each cell."""

from pathlib import Path

import numpy as np
import pandas as pd

from neuroclass.cell_types import HUMAN_SUBCLASS_ORDER, SUBCLASS_ORDER, Species
from neuroclass.errors import NeuroClassError, TableError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.feature_table import (
    CELL_COLUMN,
    CONDITION_COLUMN,
    DONOR_COLUMN,
    SPECIES_COLUMN,
    TRUTH_COLUMN,
    RawTable,
    read_raw_table,
)

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
        One row per cell: these text columns (``condition`` None where the table has none), and the table's features as
        float64, NaN where missing.

    Raises
    ------
    TableError
        If it cannot be read, lacks a column, names a species, a class or a feature that is not known, has a value
        that is not a number, or lists a cell twice.
    """
    try:
        table = read_raw_table(path, path.name)
    except OSError as error:
        raise TableError(f"{path} cannot be read ({error}). Put the laboratory's table there.") from error
    except NeuroClassError as error:
        raise TableError(f"{path}: {error}") from error
    missing = [column for column in _NEEDED if column not in table.columns]
    if missing:
        raise TableError(f"{path} lacks the columns {missing}; expected {list(_NEEDED)} beside the features.")
    unknown = sorted(set(table.columns) - {*FEATURE_NAMES, *_NEEDED, CONDITION_COLUMN})
    if unknown or not table.numbers:
        raise TableError(
            f"{path} has {len(table.numbers)} of the 41 features and the unknown columns {unknown}; expected published "
            f"feature names, {list(_NEEDED)} and {CONDITION_COLUMN!r}."
        )
    text = pd.DataFrame({column: table.texts[column] for column in _NEEDED}, dtype=object)
    _check_labels(text, path)
    return pd.concat(
        [text.assign(**{CONDITION_COLUMN: table.texts.get(CONDITION_COLUMN)}), _numbers(table, path)], axis=1
    )


def _check_labels(text: pd.DataFrame, path: Path) -> None:
    twice = text[CELL_COLUMN][text[CELL_COLUMN].duplicated()]
    if len(twice):
        raise TableError(f"{path} lists the cell {twice.iloc[0]} twice; keep one row per cell.")
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


def _numbers(table: RawTable, path: Path) -> pd.DataFrame:
    for column, values in table.numbers.items():
        wrong = {int(index): str(values[index]) for index in np.flatnonzero(np.isinf(values))}
        wrong |= table.unread.get(column, {})
        if wrong:
            index, found = min(wrong.items())
            raise TableError(
                f"{path} has {found!r} under {column} in line {table.row_number(index)}; expected a finite number or "
                "nothing."
            )
    return pd.DataFrame(dict(table.numbers))
