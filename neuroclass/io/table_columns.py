"""A table's columns as they are filled row by row under limits, whatever the file's format."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from neuroclass.errors import TableError, UnsafeFileError
from neuroclass.io.table_values import as_text, decimal_comma, is_empty, maybe_thousands, parse_number

_SHOWN = 60
_ONE_WAY = "write all decimals with a point, and thousands without a separator"


@dataclass(frozen=True)
class TableLimits:
    """Limits for reading one table.

    Attributes
    ----------
    bytes : int
        Size of the file, and of what a packed one unpacks to.
    rows, columns, values : int
        Of the table; values are rows times columns.
    characters : int
        Of one value.
    texts : int
        Entries under number columns that are not numbers.
    text : int
        Characters of all distinct texts that are kept.
    memory : int
        Address space of the process that reads it, bytes.
    seconds : float
        Processor time, s, plus `seconds_per_mb` for each MB of the file.
    seconds_per_mb : float
        See `seconds`.
    """

    bytes: int = 100 * 2**20
    rows: int = 100_000
    columns: int = 2_000
    values: int = 20_000_000
    characters: int = 10_000
    texts: int = 20_000
    text: int = 20_000_000
    memory: int = 1_500_000_000
    seconds: float = 20.0
    seconds_per_mb: float = 0.5


@dataclass
class Numbers:
    """A column of numbers, NaN where empty or not a number; `unread` holds the texts of the latter, by row."""

    values: "array[float]" = field(default_factory=lambda: array("d"))
    unread: dict[int, str] = field(default_factory=dict)


@dataclass
class Texts:
    """A column of texts: the distinct ones, and the position of each row's among them."""

    distinct: dict[str, int] = field(default_factory=dict)
    codes: "array[int]" = field(default_factory=lambda: array("i"))


class Table:
    """The wanted columns of a table, filled row by row.

    Parameters
    ----------
    names : sequence of object
        The table's column names.
    numbers, texts : sequence of str
        Columns that are wanted, of numbers and of text.
    limits : TableLimits
        What is refused.

    Raises
    ------
    TableError
        If a name occurs twice.
    UnsafeFileError
        If there are too many columns.
    """

    def __init__(
        self, names: Sequence[object], numbers: Sequence[str], texts: Sequence[str], limits: TableLimits
    ) -> None:
        self.names = tuple(as_text(name) for name in names)
        self.limits = limits
        if len(self.names) > limits.columns:
            raise UnsafeFileError(
                f"it has {len(self.names):,} columns; at most {limits.columns:,} are read. Keep the features' columns."
            )
        twice = sorted(name[:_SHOWN] for name, n in Counter(self.names).items() if n > 1 and name)
        if twice:
            raise TableError(f"it names the columns {twice[:10]} more than once; keep one of each.")
        place = {name: k for k, name in enumerate(self.names)}
        self.numbers = {name: Numbers() for name in numbers if name in place}
        self.texts = {name: Texts() for name in texts if name in place}
        wanted = {*self.numbers, *self.texts, ""}
        self.others = tuple(name[:_SHOWN] for name in self.names if name not in wanted)
        self.rows: array[int] = array("i")
        self.notes: list[str] = []
        self._number_places = [(place[name], column) for name, column in self.numbers.items()]
        self._text_places = [(place[name], name, column) for name, column in self.texts.items()]
        self._n_values = self._n_unread = self._n_characters = 0
        self._commas: list[tuple[int, int]] = []
        self._n_commas, self._decimal = 0, False
        self._pointed = ""

    def add(self, number: int, values: Sequence[object]) -> None:
        """Add a row by its number in the spreadsheet; values that it lacks at its end are empty.

        Raises
        ------
        TableError, UnsafeFileError
            If the row exceeds a limit.
        """
        index = len(self.rows)
        if index >= self.limits.rows:
            raise UnsafeFileError(f"it has more than {self.limits.rows:,} rows; no more are read. Split it.")
        self._n_values += len(values)
        if self._n_values > self.limits.values:
            raise UnsafeFileError(
                f"it has more than {self.limits.values:,} values; at most as many are read. Split it."
            )
        self.rows.append(number)
        n_values = len(values)
        for which, (place, column) in enumerate(self._number_places):
            value = values[place] if place < n_values else None
            column.values.append(self._number(value, index, which, column))
        for place, name, texts in self._text_places:
            self._text(values[place] if place < n_values else None, number, name, texts)

    def _number(self, value: object, index: int, which: int, column: Numbers) -> float:
        if value is None or is_empty(value):
            return float("nan")
        number = parse_number(value)
        if number is not None:
            if not self._pointed and isinstance(value, str) and "." in value:
                self._pointed = value.strip()
            return number
        number = decimal_comma(value) if isinstance(value, str) else None
        if number is not None:
            self._n_commas += 1
            self._decimal = self._decimal or not maybe_thousands(str(value))
            if len(self._commas) < self.limits.texts:
                self._commas.append((which, index))
                column.unread[index] = as_text(value)
            return number
        self._n_unread += 1
        if self._n_unread > self.limits.texts:
            raise TableError(
                f"more than {self.limits.texts:,} values in the features' columns are not numbers, such as "
                f"{as_text(value)[:40]!r} in row {self.rows[-1]}; expected numbers or nothing."
            )
        column.unread[index] = as_text(value)[:_SHOWN] + (" (a date)" if isinstance(value, date) else "")
        return float("nan")

    def _text(self, value: object, number: int, name: str, column: Texts) -> None:
        text = as_text(value)
        code = column.distinct.get(text)
        if code is None:
            if len(text) > self.limits.characters:
                raise UnsafeFileError(
                    f"row {number}, column {name}, has a value of {len(text):,} characters; at most "
                    f"{self.limits.characters:,} are read. Shorten it."
                )
            self._n_characters += len(text)
            if self._n_characters > self.limits.text:
                raise UnsafeFileError(
                    f"its columns {', '.join(self.texts)} hold more than {self.limits.text:,} characters; at most as "
                    "many are read. Shorten them, or split the table."
                )
            code = column.distinct[text] = len(column.distinct)
        column.codes.append(code)

    def finish(self) -> None:
        """Decide on decimal commas once all rows are known.

        They are decimal where no number has a point and one at least cannot be of thousands, as in ``-70,5``; else
        the numbers that have one are not read.

        Raises
        ------
        TableError
            If there is no row, or too many numbers with a comma are not read.
        """
        if not self.rows:
            raise TableError("it has a header and no cell; expected one row per cell.")
        if not self._n_commas:
            return
        columns = list(self.numbers.values())
        if self._decimal and not self._pointed:
            for which, index in self._commas:
                del columns[which].unread[index]
            self.notes.append(f"Decimal commas were read as decimal points, in {self._n_commas:,} values.")
            return
        if self._n_commas > len(self._commas):
            raise TableError(
                f"{self._n_commas:,} numbers have a comma, of decimals or of thousands"
                f"{f', and others a point, such as {self._pointed[:40]!r}' if self._pointed else ''}; {_ONE_WAY}."
            )
        for which, index in self._commas:
            columns[which].values[index] = float("nan")
