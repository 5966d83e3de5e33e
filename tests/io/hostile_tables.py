"""Tables that are oversized or mean harm, by what is wrong with them, and what is said of each."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from neuroclass.features import FEATURE_NAMES

SHEET = "xl/worksheets/sheet1.xml"


def sheet_xlsx(path: Path, rows: str, dimension: str = "A1:B2") -> None:
    """A spreadsheet whose sheet holds these rows, as XML."""
    book = openpyxl.Workbook()
    book.active.append(["x"])
    plain = io.BytesIO()
    book.save(plain)
    content = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'
    )
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, content if name == SHEET else source.read(name))


def row_xml(number: int, *cells: tuple[str, object]) -> str:
    inside = "".join(
        f'<c r="{column}{number}" t="inlineStr"><is><t>{value}</t></is></c>'
        if isinstance(value, str)
        else f'<c r="{column}{number}"><v>{value}</v></c>'
        for column, value in cells
    )
    return f'<row r="{number}">{inside}</row>'


HEADER = row_xml(1, ("A", "cell"), ("B", "vrest"))


def last_column(path: Path) -> None:
    sheet_xlsx(path, HEADER + row_xml(2, ("A", "a"), ("B", -70), ("XFD", 1)))


def last_column_often(path: Path) -> None:
    sheet_xlsx(path, HEADER + "".join(row_xml(k, ("A", f"c{k}"), ("XFD", 1)) for k in range(2, 9000)))


def wide_gaps(path: Path) -> None:
    sheet_xlsx(path, HEADER + "".join(row_xml(k, ("B", -70), ("BXX", 1)) for k in range(2, 60_000)))


def false_dimension(path: Path) -> None:
    sheet_xlsx(path, HEADER + row_xml(2, ("A", "a"), ("B", "x")), dimension="A1:XFD1048576")


def one_string_often(path: Path) -> None:
    write_repeated(path, "cell", "x" * 50_000, 100_000)


def write_repeated(path: Path, column: str, text: str, n_cells: int) -> None:
    """A Parquet table with one text in every row, which the file holds once."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n_cells, dtype=np.int32)), pa.array([text]))
    table = pa.table({"vrest": np.linspace(-80, -60, n_cells), column: texts})
    pq.write_table(table, path, store_schema=False)


def many_columns(path: Path) -> None:
    names = ["vrest", *(f"x{k}" for k in range(20_000))]
    path.write_text(",".join(names) + "\n" + ",".join(["-70"] * len(names)) + "\n", encoding="utf-8")


def many_parquet_columns(path: Path) -> None:
    pd.DataFrame({"vrest": [-70.0], **{f"x{k}": [0.0] for k in range(2_500)}}).to_parquet(path)


def one_long_column(path: Path) -> None:
    path.write_bytes(b"vrest\n" + b"1\n" * 45_000_000)


def one_long_line(path: Path) -> None:
    path.write_bytes(b"cell,vrest\na,-70\n" + b"," * 90_000_000)


def open_quotation(path: Path) -> None:
    path.write_bytes(b'cell,vrest\n"a,-70\n' + b"b,-71\n" * 10_000_000)


def text_everywhere(path: Path) -> None:
    path.write_bytes(b"cell,vrest,tau\n" + b"a,minus seventy and so on,twelve and so on\n" * 99_000)


def wrong_everywhere(path: Path) -> None:
    row = ",".join(["9e99"] * len(FEATURE_NAMES)) + "\n"
    path.write_text(",".join(FEATURE_NAMES) + "\n" + row * 90_000, encoding="utf-8")


def long_names(path: Path) -> None:
    rows = (f"{k:06d}{'x' * 900},-70\n" for k in range(99_000))
    path.write_text("cell,vrest\n" + "".join(rows), encoding="utf-8")


FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "value in the last column": (last_column, "row 2 of the sheet 'Sheet' has a value in column 16,384"),
    "values in the last column": (last_column_often, "at most 2,000 columns"),
    "wide gaps": (wide_gaps, "spans more than 20,000,000 cells by row 10001"),
    "false dimension": (false_dimension, "found the text 'x'"),
    "one string often": (one_string_often, "row 2, column cell, has a value of 50,000 characters; at most 10,000"),
    "many columns": (many_columns, "it has 20,001 columns; at most 2,000"),
    "many Parquet columns": (many_parquet_columns, "it has 2,501 columns; at most 2,000"),
    "one long column": (one_long_column, "more than 100,000 rows"),
    "one long line": (one_long_line, "line 3 has more than 2,000,000 characters"),
    "open quotation": (open_quotation, "row 2 has a value of more than 10,000 characters"),
    "text everywhere": (text_everywhere, "more than 20,000 values in the features' columns are not numbers"),
    "wrong everywhere": (wrong_everywhere, "more than 50,000 values fail a check, the first: row 2"),
    "long names": (long_names, "hold more than 20,000,000 characters"),
}
