"""Uploaded feature tables: CSV, Parquet or XLSX, one column per feature and one row per cell."""

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from neuroclass.errors import TableError, UnsafeFileError
from neuroclass.features import BY_NAME

CELL_COLUMN, SPECIES_COLUMN = "cell", "species"
MAX_BYTES = 100 * 2**20
MAX_ROWS = 100_000
MAX_VALUES = 20_000_000
HEAD_BYTES = 2**16
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"


@dataclass(frozen=True)
class RawTable:
    """A table as read from a file, before any check.

    Attributes
    ----------
    name : str
        Name of the file.
    cells : DataFrame of object
        Text or numbers as read; the first data row has index 0.
    first_row : int
        Spreadsheet row number of the first data row.
    """

    name: str
    cells: pd.DataFrame
    first_row: int = 2

    def row_number(self, index: int) -> int:
        """Spreadsheet row number of a data row."""
        return self.first_row + index


def _is_xlsx(content: bytes) -> bool:
    return content.startswith(_ZIP) and b"xl/" in content


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _header(text: str) -> tuple[list[str], str]:
    line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=line.count)
    return [name.strip().strip('"') for name in line.split(delimiter)], delimiter


def may_be_feature_table(head: bytes) -> bool:
    """Whether a file starting with these bytes can be a feature table; False avoids reading it whole."""
    return head.startswith((_PARQUET, _ZIP)) or (b"\x00" not in head[:4096] and _names_a_feature(head))


def looks_like_feature_table(content: bytes) -> bool:
    """Whether a file's content is a table with at least one of the 41 feature columns."""
    if _is_xlsx(content):
        return True
    if content.startswith(_PARQUET):
        import pyarrow.parquet

        try:
            return bool(BY_NAME.keys() & set(pyarrow.parquet.read_schema(io.BytesIO(content)).names))
        except (OSError, ValueError):
            return False
    return may_be_feature_table(content[:HEAD_BYTES]) and _names_a_feature(content[:HEAD_BYTES])


def _names_a_feature(head: bytes) -> bool:
    return bool(BY_NAME.keys() & set(_header(_decode(head))[0]))


def _read_binary(content: bytes) -> pd.DataFrame:
    """Read a Parquet or XLSX table; reject one that would take much more memory than its file."""
    if content.startswith(_PARQUET):
        import pyarrow.parquet

        about = pyarrow.parquet.ParquetFile(io.BytesIO(content)).metadata
        if about.num_rows > MAX_ROWS or about.num_rows * about.num_columns > MAX_VALUES:
            raise UnsafeFileError(
                f"it holds {about.num_rows:,} rows of {about.num_columns:,} columns; at most {MAX_ROWS:,} rows and "
                f"{MAX_VALUES:,} values are read. Split it."
            )
        return pd.read_parquet(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        unpacked = sum(part.file_size for part in parts.infolist())
    if unpacked > MAX_BYTES:
        raise UnsafeFileError(
            f"it unpacks to {unpacked / 2**20:,.0f} MB; at most {MAX_BYTES // 2**20} MB are read. Split it."
        )
    return pd.read_excel(io.BytesIO(content), dtype=object)


def _read_csv(text: str) -> pd.DataFrame:
    names, delimiter = _header(text)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    filled = [[value.strip() for value in row] for row in rows if any(value.strip() for value in row)]
    body = filled[1:]
    ragged = [number for number, row in enumerate(body, start=2) if len(row) > len(names)]
    if ragged:
        raise TableError(
            f"Row {ragged[0]} has {len(body[ragged[0] - 2])} values under {len(names)} column names. Separate values "
            "with commas and write decimals with a point, or quote values that hold a comma."
        )
    padded = [row + [""] * (len(names) - len(row)) for row in body]
    return pd.DataFrame(padded, columns=names, dtype=object)


def read_raw_table(content: bytes, name: str) -> RawTable:
    """Read a table without checking its values.

    Parameters
    ----------
    content : bytes
        The file's content: CSV (comma, semicolon or tab; UTF-8 or Latin-1), Parquet or XLSX.
    name : str
        Name of the file, for messages.

    Returns
    -------
    RawTable

    Raises
    ------
    TableError
        If it is not such a table, is empty, or has a duplicate column.
    UnsafeFileError
        If it is larger than 100 MB or has more than 100,000 rows.
    """
    if len(content) > MAX_BYTES:
        raise UnsafeFileError(
            f"{name} has {len(content) / 2**20:.0f} MB; a feature table may have {MAX_BYTES // 2**20} MB. Split it."
        )
    try:
        binary = content.startswith(_PARQUET) or _is_xlsx(content)
        frame = _read_binary(content) if binary else _read_csv(_decode(content))
    except (TableError, UnsafeFileError) as error:
        raise type(error)(f"{name}: {error}") from error
    except Exception as error:
        raise TableError(
            f"{name} cannot be read as a table ({type(error).__name__}: {error}); expected CSV, Parquet or XLSX with "
            "one column a feature and one row a cell."
        ) from error
    frame.columns = [str(column).strip() for column in frame.columns]
    twice = sorted({column for column in frame.columns if list(frame.columns).count(column) > 1})
    if twice:
        raise TableError(f"{name} names the columns {twice} more than once; keep one of each.")
    if frame.empty:
        raise TableError(f"{name} has a header and no cell; expected one row a cell.")
    if len(frame) > MAX_ROWS:
        raise UnsafeFileError(f"{name} has {len(frame):,} rows; at most {MAX_ROWS:,} are read. Split it.")
    return RawTable(name, frame.reset_index(drop=True))


def read_head(path: Path) -> bytes:
    """The first 64 kB of a file."""
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """Read a whole file; reject one larger than `limit` bytes before reading."""
    size = path.stat().st_size
    if size > limit:
        raise UnsafeFileError(f"{path.name} has {size / 2**20:.0f} MB; at most {limit // 2**20} MB are read.")
    return path.read_bytes()
