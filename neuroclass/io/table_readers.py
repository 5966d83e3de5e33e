"""Read CSV, XLSX and Parquet tables under limits; only the parser process calls these."""

import codecs
import csv
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from neuroclass.errors import TableError, UnsafeFileError
from neuroclass.io.table_columns import Table, TableLimits
from neuroclass.io.table_values import as_text

if TYPE_CHECKING:
    import pyarrow as pa

ZIP, PARQUET = b"PK\x03\x04", b"PAR1"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20
_LONGEST_LINE = 2_000_000
_BATCH = 8192
_MOST_SHEETS = 50
_HEADER_WITHIN = 100
_EXPECTED = "expected CSV, Parquet or XLSX with one column per feature and one row per cell"


@dataclass(frozen=True)
class Wanted:
    """Columns to read.

    Attributes
    ----------
    numbers, texts : sequence of str
        Columns of numbers and of text.
    sheet : str
        Sheet of a spreadsheet; empty for the first with a column of `numbers`, or of `texts` if there are none.
    """

    numbers: Sequence[str] = field(default=())
    texts: Sequence[str] = field(default=())
    sheet: str = ""

    def table(self, names: Sequence[object], limits: TableLimits) -> Table:
        """An empty table of these columns."""
        return Table(names, self.numbers, self.texts, limits)

    def known(self, names: Sequence[object]) -> bool:
        """Whether one of the names is a column that a table must have."""
        return not set(self.numbers or self.texts).isdisjoint(map(as_text, names))


def read_table(path: Path, name: str, wanted: Wanted, limits: TableLimits) -> Table:
    """Read the wanted columns of a table.

    Raises
    ------
    TableError
        If it is no such table.
    UnsafeFileError
        If it exceeds a limit.
    """
    with path.open("rb") as file:
        head = file.read(4)
    read = _read_parquet if head == PARQUET else _read_xlsx if head == ZIP else _read_csv
    with _in_words(name, limits):
        table = read(path, wanted, limits)
        table.finish()
    return table


@contextmanager
def _in_words(name: str, limits: TableLimits) -> Iterator[None]:
    """Name the file in errors, and turn those of libraries into `TableError`."""
    try:
        yield
    except (TableError, UnsafeFileError) as error:
        raise type(error)(f"{name}: {error}") from error
    except MemoryError as error:
        raise UnsafeFileError(
            f"{name} needs more than {limits.memory / 1e9:.1f} GB of memory to read; split it, or save it as CSV."
        ) from error
    except Exception as error:
        raise TableError(
            f"{name} cannot be read as a table ({type(error).__name__}: {str(error)[:200]}); {_EXPECTED}."
        ) from error


def column_names(path: Path) -> list[str]:
    """Names of a Parquet file's columns, at most 10,000."""
    import pyarrow.parquet

    return [str(name)[:200] for name in pyarrow.parquet.read_schema(path).names[:10_000]]


def sheet_names(path: Path, name: str, limits: TableLimits) -> list[str]:
    """Titles of a spreadsheet's sheets with cells, at most 50.

    Raises
    ------
    TableError, UnsafeFileError
        As `read_table`.
    """
    with _in_words(name, limits), _workbook(path, limits) as book:
        return [str(sheet.title) for sheet in book.worksheets[:_MOST_SHEETS]]


def encoding_of(head: bytes) -> str | None:
    """The encoding that a file's first bytes declare; None if they declare none."""
    return next((encoding for mark, encoding in _BOMS if head.startswith(mark)), None)


def delimiter_of(line: str) -> str:
    """The delimiter of a table, from its header."""
    return max(",;\t", key=line.count)


def _encoding(path: Path) -> str:
    """The encoding of a text file: as declared, else UTF-8 if it is that, else Latin-1."""
    with path.open("rb") as file:
        declared = encoding_of(file.read(4))
        if declared:
            return declared
        file.seek(0)
        decoder, valid = codecs.getincrementaldecoder("utf-8")(), True
        while chunk := file.read(_CHUNK):
            if b"\0" in chunk:
                raise TableError(
                    f"it cannot be read as text: it holds zero bytes, as a damaged file or UTF-16 without a mark does; "
                    f"{_EXPECTED}. Save it as CSV in UTF-8."
                )
            try:
                if valid:
                    decoder.decode(chunk)
            except UnicodeDecodeError:
                valid = False
    return "utf-8" if valid else "latin-1"


def _lines(file: TextIO) -> Iterator[str]:
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) >= _LONGEST_LINE:
            raise UnsafeFileError(
                f"line {number} has more than {_LONGEST_LINE:,} characters; expected one cell a line. Save it as CSV."
            )
        yield line


def _read_csv(path: Path, wanted: Wanted, limits: TableLimits) -> Table:
    csv.field_size_limit(limits.characters)
    table: Table | None = None
    with path.open(encoding=_encoding(path), newline="") as file:
        header = next((line for line in _lines(file) if line.strip() and not _names_separator(line)), "")
        file.seek(0)
        number = 0
        try:
            for number, values in enumerate(csv.reader(_lines(file), delimiter=delimiter_of(header)), start=1):
                if not any(value.strip() for value in values) or (table is None and _names_separator(values[0])):
                    continue
                if table is None:
                    table = wanted.table(values, limits)
                    continue
                if len(values) > len(table.names):
                    values = _within(values, len(table.names), number)
                table.add(number, values)
        except csv.Error as error:
            if "field larger" in str(error):
                raise UnsafeFileError(
                    f"row {number + 1} has a value of more than {limits.characters:,} characters; at most as many are "
                    "read. Look for a quotation mark that is not closed."
                ) from error
            raise
    return table or wanted.table((), limits)


def _names_separator(text: str) -> bool:
    """Whether a line is what Excel writes above a header to name the delimiter."""
    return text.strip().strip('"').lower().startswith("sep=")


def _within(values: list[str], n_names: int, number: int) -> list[str]:
    if any(value.strip() for value in values[n_names:]):
        raise TableError(
            f"Row {number} has {len(values)} values under {n_names} column names. Separate values with commas and "
            "write decimals with a point, or quote values that hold a comma."
        )
    return values[:n_names]


@contextmanager
def _workbook(path: Path, limits: TableLimits) -> Iterator[Any]:
    import openpyxl

    with zipfile.ZipFile(path) as parts:
        unpacked = sum(part.file_size for part in parts.infolist())
    if unpacked > limits.bytes:
        raise UnsafeFileError(
            f"it unpacks to {unpacked / 2**20:,.0f} MB; at most {limits.bytes // 2**20} MB are read. Split it."
        )
    with path.open("rb") as file:  # as a path, the file's name would have to end in .xlsx
        yield openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)


def _read_xlsx(path: Path, wanted: Wanted, limits: TableLimits) -> Table:
    with _workbook(path, limits) as book:
        sheet, note = _sheet(book, wanted, limits)
        table = _read_sheet(sheet, wanted, limits)
    table.notes += note
    return table


def _rows(sheet: Any, limits: TableLimits) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Rows with their numbers; the size that the sheet declares is not believed."""
    sheet.reset_dimensions()
    n_values = 0
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if len(values) > limits.columns:
            raise UnsafeFileError(
                f"row {number} of the sheet {sheet.title!r} has a value in column {len(values):,}; at most "
                f"{limits.columns:,} columns are read. Delete what stands beyond the table."
            )
        n_values += len(values)
        if n_values > limits.values:
            raise UnsafeFileError(
                f"the sheet {sheet.title!r} spans more than {limits.values:,} cells by row {number}; no more are read. "
                "Delete what stands beyond the table."
            )
        yield number, values


def _header(sheet: Any, limits: TableLimits) -> tuple[int, tuple[Any, ...]]:
    """The first row with a value, and its number."""
    for number, values in _rows(sheet, limits):
        if any(as_text(value) for value in values):
            return number, values
        if number >= _HEADER_WITHIN:
            break
    return 0, ()


def _sheet(book: Any, wanted: Wanted, limits: TableLimits) -> tuple[Any, list[str]]:
    """The sheet to read, with a note if others could be meant."""
    sheets = book.worksheets[:_MOST_SHEETS]
    titles = [str(sheet.title) for sheet in sheets]
    listed = ", ".join(map(repr, titles[:10]))
    if not sheets:
        raise TableError(f"it has no sheet with cells; {_EXPECTED}.")
    if wanted.sheet:
        if wanted.sheet not in titles:
            raise TableError(f"it has no sheet {wanted.sheet[:100]!r}; it has {listed}. Name one of these.")
        return sheets[titles.index(wanted.sheet)], []
    if len(sheets) == 1:
        return sheets[0], []
    fit = [sheet for sheet in sheets if wanted.known(_header(sheet, limits)[1])]
    chosen = fit[0] if fit else sheets[0]
    also = [str(sheet.title) for sheet in fit[1:]]
    if also:
        others = ", ".join(map(repr, also[:10]))
        return chosen, [
            f"The sheet {chosen.title!r} was read; {others} {'has' if len(also) == 1 else 'have'} feature columns too. "
            "Choose one above the verdicts on the page, or with --sheet on the command line."
        ]
    return chosen, [f"The sheet {chosen.title!r} was read, the only one with a feature column."] if fit else []


def _read_sheet(sheet: Any, wanted: Wanted, limits: TableLimits) -> Table:
    start, names = _header(sheet, limits)
    while names and not as_text(names[-1]):
        names = names[:-1]
    table = wanted.table(names, limits)
    unnamed = 0
    for number, values in _rows(sheet, limits):
        if number <= start:
            continue
        if not any(map(as_text, values)):
            continue
        unnamed += any(map(as_text, values[len(names) :]))
        table.add(number, values[: len(names)])
    if unnamed:
        table.notes.append(f"Values to the right of the named columns were left out, in {unnamed:,} rows.")
    return table


def _read_parquet(path: Path, wanted: Wanted, limits: TableLimits) -> Table:
    import pyarrow as pa
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        about, schema = file.metadata, file.schema_arrow
        if about.num_rows > limits.rows or about.num_rows * about.num_columns > limits.values:
            raise UnsafeFileError(
                f"it holds {about.num_rows:,} rows of {about.num_columns:,} columns; at most {limits.rows:,} rows and "
                f"{limits.values:,} values are read. Split it."
            )
        table = wanted.table(schema.names, limits)
        columns = [*table.numbers, *table.texts]
        nested = [name for name in columns if pa.types.is_nested(schema.field(name).type)]
        if nested:
            raise TableError(f"its column {nested[0]} holds {schema.field(nested[0]).type}; expected one value a cell.")
        own = set(columns)
        chunks = (about.row_group(g).column(k) for g in range(about.num_row_groups) for k in range(about.num_columns))
        size = sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema in own)
        if size > 2 * limits.bytes:
            raise UnsafeFileError(
                f"its columns unpack to {size / 2**20:,.0f} MB; at most {2 * limits.bytes // 2**20} MB are read. Split "
                "it."
            )
    texts = [name for name in columns if pa.types.is_string(schema.field(name).type)]
    places = {name: k for k, name in enumerate(table.names)}
    number = 1
    with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
        for batch in file.iter_batches(_BATCH, columns=columns, use_threads=False):
            read = {places[name]: _values(batch.column(name)) for name in columns}
            for row in range(batch.num_rows):
                number += 1
                table.add(number, _Sparse(read, row, len(table.names)))
    return table


class _Sparse(Sequence[object]):
    """A row of which only some columns were read."""

    def __init__(self, columns: dict[int, list[object]], row: int, n_columns: int) -> None:
        self._columns, self._row, self._n = columns, row, n_columns

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, place: Any) -> Any:
        return self._columns[place][self._row]


def _values(column: "pa.Array") -> list[object]:
    """A column's values; those of a dictionary are one object each, however often they occur."""
    import pyarrow as pa

    if not isinstance(column, pa.DictionaryArray):
        return list(column.to_pylist())
    distinct = column.dictionary.to_pylist()
    return [None if code is None else distinct[code] for code in column.indices.to_pylist()]
