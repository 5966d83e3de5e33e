"""Checks of an uploaded feature table: small functions in an explicit tuple, each returning messages."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.ephys.limits import LIMITS, impossible
from neuroclass.errors import TableError
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.io.feature_table import CELL_COLUMN, SPECIES_COLUMN, RawTable
from neuroclass.io.table_values import is_empty, maybe_thousands
from neuroclass.reference.ranges import FeatureRange, overall_ranges

MAX_MESSAGES = 20
MOST_PROBLEMS = 50_000
_NAMED = 30
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


def cell_names(table: RawTable) -> list[str]:
    """Name of each cell: its ``cell`` entry, or else its row number."""
    given = table.texts.get(CELL_COLUMN, [""] * len(table))
    return [f"row {row}" if is_empty(name) else name for row, name in zip(table.rows.tolist(), given, strict=True)]


def _where(table: RawTable, index: int, column: str) -> str:
    """Where an entry stands, for people."""
    given = table.texts.get(CELL_COLUMN, [""] * len(table))[index]
    row = table.row_number(index)
    name = f"row {row}" if is_empty(given) else given
    return f"row {row} (cell {name[:60]}), column {column}"


def has_features(table: RawTable) -> Iterator[Problem]:
    """At least one column is a feature, and every row has at least one value."""
    if not table.numbers:
        message = (
            f"none of its columns {list(table.columns)[:8]} is one of the 41 features; name columns as the template "
            "does"
        )
        yield Problem(None, message)
        return
    filled = np.zeros(len(table), dtype=bool)
    for column, values in table.numbers.items():
        filled |= ~np.isnan(values)
        filled[list(table.unread.get(column, ()))] = True
    for index in np.flatnonzero(~filled):
        yield Problem(int(index), f"row {table.row_number(index)} has no feature value; fill in at least one")


def unique_cells(table: RawTable) -> Iterator[Problem]:
    """No cell is named twice."""
    places: dict[str, list[int]] = {}
    for index, name in enumerate(cell_names(table)):
        places.setdefault(name, []).append(index)
    for name, rows in places.items():
        if len(rows) > 1:
            listed = ", ".join(str(table.row_number(index)) for index in rows[:5])
            message = (
                f"rows {listed}, column {CELL_COLUMN}: the id {name[:60]!r} stands {len(rows)} times; give each its own"
            )
            for index in rows:
                yield Problem(index, message)


def known_species(table: RawTable) -> Iterator[Problem]:
    """Species are mouse or human, or left empty."""
    for index, value in enumerate(table.texts.get(SPECIES_COLUMN, ())):
        if not is_empty(value) and species_of(value) is None:
            message = (
                f"row {table.row_number(index)}, column {SPECIES_COLUMN}: found {value[:40]!r}; expected mouse or human"
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
    for column, found in table.unread.items():
        for index, value in found.items():
            hint = _comma_hint(value) if "," in value else ""
            message = (
                f"{_where(table, index, column)}: found the text {value[:60]!r}; expected a number{_in_unit(column)} "
                f"or nothing{hint}"
            )
            yield Problem(index, message)


def _comma_hint(value: str) -> str:
    if not maybe_thousands(value):
        return "; write decimals with a point"
    return "; its comma may be of decimals or of thousands: write decimals with a point, thousands without a separator"


def finite_numbers(table: RawTable) -> Iterator[Problem]:
    """Feature values are finite."""
    for column, values in table.numbers.items():
        for index in np.flatnonzero(np.isinf(values)):
            message = (
                f"{_where(table, index, column)}: found infinity; expected a number{_in_unit(column)}, or nothing "
                "where it is missing"
            )
            yield Problem(int(index), message)


def plausible_units(table: RawTable) -> Iterator[Problem]:
    """No value lies so far outside the database's range that it must be in a wrong unit."""
    ranges = overall_ranges()
    for column, values in table.numbers.items():
        limits = ranges[column]
        for index in np.flatnonzero(np.isfinite(values) & ((values < limits.low) | (values > limits.high))):
            number = float(values[index])
            if is_unit_slip(number, limits):
                message = (
                    f"{_where(table, index, column)}: found {number:g}, but the database's cells lie between "
                    f"{limits.low:g} and {limits.high:g}{_in_unit(column, ' ')}; the value seems to be in another "
                    "unit, so convert it"
                )
                yield Problem(int(index), message)


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
        If the table as a whole cannot be used, or more than `MOST_PROBLEMS` values fail a check.
    """
    problems = list(islice((problem for check in CHECKS for problem in check(table)), MOST_PROBLEMS + 1))
    whole = [problem.message for problem in problems if problem.index is None]
    if whole:
        raise TableError(f"{table.name}: " + "; ".join(whole) + ".")
    if len(problems) > MOST_PROBLEMS:
        raise TableError(
            f"{table.name}: more than {MOST_PROBLEMS:,} values fail a check, the first: {problems[0].message}. Correct "
            "the table as a whole."
        )
    messages: dict[int, list[str]] = {}
    for problem in problems:
        if problem.index is not None:
            messages.setdefault(problem.index, []).append(problem.message)
    return {index: TableError(f"{table.name}: {_listed(found)}.") for index, found in sorted(messages.items())}


def withheld_values(table: RawTable) -> dict[int, dict[str, str]]:
    """Values that no neuron can have, which are left out of their cells.

    Parameters
    ----------
    table : RawTable
        The table as read.

    Returns
    -------
    dict of row index to dict of str to str
        For each row with such values, the columns and why they are withheld.
    """
    found: dict[int, dict[str, str]] = {}
    for column, values in table.numbers.items():
        limits = LIMITS[column]
        for index in np.flatnonzero((values < limits.low) | (values > limits.high)):
            found.setdefault(int(index), {}).update(impossible({column: float(values[index])}))
    return found


def _listed(messages: list[str]) -> str:
    rest = len(messages) - MAX_MESSAGES
    return "; ".join(messages[:MAX_MESSAGES]) + (f" … and {rest} more" if rest > 0 else "")


def table_warnings(table: RawTable) -> tuple[str, ...]:
    """Warnings about a table that can still be used."""
    known = {"", CELL_COLUMN, SPECIES_COLUMN, *FEATURE_NAMES}
    unknown = [column for column in table.columns if column not in known]
    if not unknown:
        return table.notes
    rest = f" and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
    return (*table.notes, f"Columns that are not features were left out: {', '.join(unknown[:_NAMED])}{rest}.")
