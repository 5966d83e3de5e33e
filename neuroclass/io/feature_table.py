"""Uploaded feature tables: CSV, Parquet or XLSX, one column per feature and one row per cell.

They are parsed in another process, see `sandbox`, under `TableLimits`; numbers of the features' columns and texts of a
few others come back.
"""

import contextlib
import csv
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass.errors import NeuroClassError, TableError, UnsafeFileError
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.io.archives import is_spreadsheet
from neuroclass.io.sandbox import Receive, ask
from neuroclass.io.table_columns import TableLimits
from neuroclass.io.table_readers import PARQUET, ZIP, Wanted, delimiter_of, encoding_of
from neuroclass.io.tasks import COLUMNS, SHEETS, TABLE
from neuroclass.types.arrays import Floats, Integers

CELL_COLUMN, SPECIES_COLUMN = "cell", "species"
DONOR_COLUMN, TRUTH_COLUMN, LABEL_COLUMN, CONDITION_COLUMN = "donor", "truth", "label", "condition"
TEXT_COLUMNS = (CELL_COLUMN, SPECIES_COLUMN, DONOR_COLUMN, TRUTH_COLUMN, LABEL_COLUMN, CONDITION_COLUMN)
HEAD_BYTES = 2**16
LIMITS = TableLimits()

Source = bytes | Path
"""A file's content, or where it lies."""


@dataclass(frozen=True)
class RawTable:
    """A table as read from a file, before any check.

    Attributes
    ----------
    name : str
        Name of the file.
    columns : tuple of str
        Names of all its columns, at most 60 characters each.
    rows : ndarray of int, shape (n_cells,)
        Each cell's row number in the spreadsheet; blank rows are no cells.
    numbers : mapping of str to ndarray, shape (n_cells,)
        The features' columns, as written; NaN where empty or not a number.
    unread : mapping of str to mapping of int to str
        Start of what is not a number in the features' columns, by the cell's index.
    texts : mapping of str to list of str
        Columns of `TEXT_COLUMNS`, without spaces around; empty where nothing is written.
    notes : tuple of str
        What the user should know of how the table was read.
    """

    name: str
    columns: tuple[str, ...]
    rows: Integers
    numbers: Mapping[str, Floats]
    unread: Mapping[str, Mapping[int, str]]
    texts: Mapping[str, Sequence[str]]
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.rows)

    def row_number(self, index: int) -> int:
        """Spreadsheet row number of a cell."""
        return int(self.rows[index])


def looks_like_feature_table(source: Source) -> bool:
    """Whether a file is a spreadsheet, or a table with at least one of the 41 feature columns."""
    head = source[:HEAD_BYTES] if isinstance(source, bytes) else _head(source)
    if head.startswith(ZIP):
        with _as_path(source) as path:
            return is_spreadsheet(path)
    if head.startswith(PARQUET):
        return _names_a_feature(_parquet_columns(source))
    encoding = encoding_of(head)
    if encoding is None and b"\x00" in head[:4096]:
        return False
    return _names_a_feature(_header(head, encoding))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _header(head: bytes, encoding: str | None) -> list[str]:
    text = head.decode(encoding or "utf-8", errors="replace")
    lines = (line for line in text.splitlines() if line.strip())
    line = next((line for line in lines if not line.lower().startswith("sep=")), "")
    try:
        return next(csv.reader([line], delimiter=delimiter_of(line)), [])
    except csv.Error:
        return []


def _names_a_feature(columns: Sequence[str]) -> bool:
    return not BY_NAME.keys().isdisjoint(name.strip() for name in columns)


def _parquet_columns(source: Source) -> list[str]:
    with _as_path(source) as path:
        request = {"task": COLUMNS, "path": str(path.resolve()), "limits": asdict(LIMITS)}
        try:
            return ask(request, "it", LIMITS.seconds, lambda header, _: list(header["columns"]), TableError)
        except NeuroClassError:
            return []


def sheets_of(source: Source, name: str) -> list[str]:
    """Titles of a spreadsheet's sheets; empty for any other file.

    Raises
    ------
    TableError
        If it cannot be read.
    UnsafeFileError
        If it exceeds a limit.
    OSError
        If the file cannot be opened.
    """
    head = source[:4] if isinstance(source, bytes) else _head(source)[:4]
    if head != ZIP:
        return []
    with _as_path(source) as path:
        if not is_spreadsheet(path):
            return []
        request = {"task": SHEETS, "path": str(path.resolve()), "name": name, "limits": asdict(LIMITS)}
        return ask(request, name, LIMITS.seconds, lambda header, _: list(map(str, header["sheets"])), TableError)


@contextlib.contextmanager
def _as_path(source: Source) -> Iterator[Path]:
    if isinstance(source, Path):
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="neuroclass-") as folder:
        path = Path(folder) / "table"
        path.write_bytes(source)
        yield path


def read_raw_table(source: Source, name: str, sheet: str = "", limits: TableLimits = LIMITS) -> RawTable:
    """Read a table without checking its values.

    Parameters
    ----------
    source : bytes or Path
        The file or its content: CSV (comma, semicolon or tab; UTF-8, UTF-16 with its mark, or Latin-1), Parquet or
        XLSX. Decimal commas are read where no number has a point.
    name : str
        Name of the file, for messages.
    sheet : str
        Sheet of a spreadsheet; by default the first with a feature column.
    limits : TableLimits
        What is refused.

    Returns
    -------
    RawTable

    Raises
    ------
    TableError
        If it is not such a table, is empty, or has a duplicate column.
    UnsafeFileError
        If it exceeds a limit.
    OSError
        If the file cannot be opened.
    """
    return read_columns(source, name, Wanted(FEATURE_NAMES, TEXT_COLUMNS, sheet), limits)


def read_columns(source: Source, name: str, wanted: Wanted, limits: TableLimits = LIMITS) -> RawTable:
    """As `read_raw_table`, for other columns."""
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > limits.bytes:
        raise UnsafeFileError(
            f"{name} has {size / 2**20:.0f} MB; a table may have {limits.bytes // 2**20} MB. Split it."
        )
    with _as_path(source) as path:
        request = {
            "task": TABLE,
            "path": str(path.resolve()),
            "name": name,
            "wanted": asdict(wanted),
            "limits": asdict(limits),
        }
        seconds = limits.seconds + limits.seconds_per_mb * size / 1e6

        def decode(header: dict[str, Any], receive: Receive) -> RawTable:
            return _decode(name, header, receive, limits)

        return ask(request, name, seconds, decode, TableError)


def _decode(name: str, header: dict[str, Any], receive: Receive, limits: TableLimits) -> RawTable:
    n_rows = int(header["n_rows"])
    if not 0 < n_rows <= limits.rows or len(header["numbers"]) + len(header["texts"]) > limits.columns:
        raise ValueError(n_rows)

    def integers() -> Integers:
        return np.frombuffer(receive(4 * n_rows), dtype=np.int32).astype(np.int64)

    rows = integers()
    numbers = {column: np.frombuffer(receive(8 * n_rows), dtype=np.float64) for column in header["numbers"]}
    texts = {column: [distinct[code] for code in integers()] for column, distinct in header["texts"].items()}
    unread = {column: {int(row): str(text) for row, text in found} for column, found in header["unread"].items()}
    return RawTable(name, tuple(header["names"]), rows, numbers, unread, texts, tuple(header["notes"]))
