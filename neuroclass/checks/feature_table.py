"""Checks of an uploaded feature table: small functions in an explicit tuple, each returning messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neuroclass.cell_types import Species
from neuroclass.errors import TableError
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.io.feature_table import CELL_COLUMN, SPECIES_COLUMN, RawTable
from neuroclass.reference.ranges import FeatureRange, overall_ranges

EMPTY = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "–"})
MAX_MESSAGES = 20
_OUTSIDE = 5.0
_PREFIXES = tuple(10.0**power for power in (3, -3, 6, -6, 9, -9, 12, -12))
_FAR = 1000.0
_DECADES = 100.0


@dataclass(frozen=True)
class Problem:
    """A problem with one row of a table, or with the whole table if `index` is None."""

    index: int | None
    message: str


Check = Callable[[RawTable], Iterator[Problem]]


def is_empty(value: object) -> bool:
    """Whether a table entry is empty."""
    return (
        value is None
        or value is pd.NA
        or (isinstance(value, float) and np.isnan(value))
        or (isinstance(value, str) and value.strip().lower() in EMPTY)
    )


def parse_number(value: object) -> float | None:
    """The number in a table entry; None if it is text."""
    if isinstance(value, bool):
        return None
    try:
        return float(str(value).strip().replace("−", "-"))
    except ValueError:
        return None


def _values(table: RawTable) -> Iterator[tuple[int, str, str, object]]:
    """Each non-empty feature value: row index, description of its location, column, value."""
    names = cell_names(table)
    for column in (name for name in FEATURE_NAMES if name in table.cells.columns):
        for index, value in enumerate(table.cells[column]):
            if not is_empty(value):
                where = f"row {table.row_number(index)} (cell {names[index][:60]}), column {column}"
                yield index, where, column, value


def cell_names(table: RawTable) -> list[str]:
    """Name of each cell: its ``cell`` entry, or else its row number."""
    if CELL_COLUMN not in table.cells.columns:
        return [f"row {table.row_number(index)}" for index in range(len(table.cells))]
    return [
        f"row {table.row_number(index)}" if is_empty(value) else str(value).strip()
        for index, value in enumerate(table.cells[CELL_COLUMN])
    ]


def has_features(table: RawTable) -> Iterator[Problem]:
    """At least one column is a feature, and every row has at least one value."""
    known = [name for name in FEATURE_NAMES if name in table.cells.columns]
    if not known:
        message = (
            f"none of its columns {list(table.cells.columns)[:8]} is one of the 41 features; name columns as the "
            "template does"
        )
        yield Problem(None, message)
        return
    for index, row in enumerate(table.cells[known].itertuples(index=False)):
        if all(is_empty(value) for value in row):
            yield Problem(index, f"row {table.row_number(index)} has no feature value; fill in at least one")


def unique_cells(table: RawTable) -> Iterator[Problem]:
    """No cell is named twice."""
    names = pd.Series(cell_names(table))
    for name, rows in names.groupby(names).groups.items():
        if len(rows) > 1:
            places = ", ".join(str(table.row_number(index)) for index in rows[:5])
            for index in rows:
                message = (
                    f"rows {places}, column {CELL_COLUMN}: the id {name!r} stands {len(rows)} times; give each its own"
                )
                yield Problem(int(index), message)


def known_species(table: RawTable) -> Iterator[Problem]:
    """Species are mouse or human, or left empty."""
    if SPECIES_COLUMN in table.cells.columns:
        for index, value in enumerate(table.cells[SPECIES_COLUMN]):
            if not is_empty(value) and species_of(value) is None:
                message = (
                    f"row {table.row_number(index)}, column {SPECIES_COLUMN}: found {str(value)[:40]!r}; expected "
                    "mouse or human"
                )
                yield Problem(index, message)


def species_of(value: object) -> Species | None:
    """Parse a species; None if empty or unknown."""
    names = {
        "mouse": Species.MOUSE,
        "mus musculus": Species.MOUSE,
        "human": Species.HUMAN,
        "homo sapiens": Species.HUMAN,
    }
    return names.get(str(value).strip().lower())


def numbers_only(table: RawTable) -> Iterator[Problem]:
    """Feature values are numbers."""
    for index, where, column, value in _values(table):
        if parse_number(value) is None:
            text = str(value)[:40]
            hint = "; write decimals with a point" if "," in text else ""
            message = f"{where}: found the text {text!r}; expected a number{_in_unit(column)} or nothing{hint}"
            yield Problem(index, message)


def finite_numbers(table: RawTable) -> Iterator[Problem]:
    """Feature values are finite."""
    for index, where, column, value in _values(table):
        number = parse_number(value)
        if number is not None and np.isinf(number):
            message = f"{where}: found infinity; expected a number{_in_unit(column)}, or nothing where it is missing"
            yield Problem(index, message)


def plausible_units(table: RawTable) -> Iterator[Problem]:
    """No value lies so far outside the database's range that it must be in a wrong unit."""
    ranges = overall_ranges()
    for index, where, column, value in _values(table):
        number = parse_number(value)
        if number is None or not np.isfinite(number):
            continue
        limits = ranges[column]
        if is_unit_slip(number, limits):
            message = (
                f"{where}: found {number:g}, but the database's cells lie between {limits.low:g} and "
                f"{limits.high:g}{_in_unit(column, ' ')}; the value seems to be in another unit, so convert it"
            )
            yield Problem(index, message)


def is_unit_slip(value: float, limits: FeatureRange) -> bool:
    """Whether a value lies far outside a range and a factor of 1000ⁿ would bring it inside, or lies absurdly far."""
    largest, smallest = max(abs(limits.low), abs(limits.high)), min(abs(limits.low), abs(limits.high))
    if abs(value) > _FAR * largest:
        return True
    away_from_zero = limits.low * limits.high > 0 and largest < _DECADES * smallest
    too_large = abs(value) > _OUTSIDE * largest
    too_small = away_from_zero and 0 < abs(value) * _OUTSIDE < smallest
    return (too_large or too_small) and any(limits.low <= value * factor <= limits.high for factor in _PREFIXES)


def _in_unit(column: str, between: str = " in ") -> str:
    unit = BY_NAME[column].unit
    return f"{between}{unit}" if unit else ""


CHECKS: tuple[Check, ...] = (
    has_features,
    unique_cells,
    known_species,
    numbers_only,
    finite_numbers,
    plausible_units,
)


def find_problems(table: RawTable) -> dict[int, TableError]:
    """Find the rows that fail a check; the rest can be used.

    Parameters
    ----------
    table : RawTable
        The table as read.

    Returns
    -------
    dict of row index to TableError
        One error per row, listing all its problems.

    Raises
    ------
    TableError
        If the table as a whole cannot be used.
    """
    problems = [problem for check in CHECKS for problem in check(table)]
    whole = [problem.message for problem in problems if problem.index is None]
    if whole:
        raise TableError(f"{table.name}: " + "; ".join(whole) + ".")
    messages: dict[int, list[str]] = {}
    for problem in problems:
        if problem.index is not None:
            messages.setdefault(problem.index, []).append(problem.message)
    return {index: TableError(f"{table.name}: {_listed(found)}.") for index, found in sorted(messages.items())}


def _listed(messages: list[str]) -> str:
    rest = len(messages) - MAX_MESSAGES
    return "; ".join(messages[:MAX_MESSAGES]) + (f" … and {rest} more" if rest > 0 else "")


def table_warnings(table: RawTable) -> tuple[str, ...]:
    """Warnings about a table that can still be used."""
    known = {CELL_COLUMN, SPECIES_COLUMN, *FEATURE_NAMES}
    unknown = [str(column)[:60] for column in table.cells.columns if column not in known]
    if not unknown:
        return ()
    return (f"Columns that are not features were left out: {', '.join(unknown[:30])}.",)
