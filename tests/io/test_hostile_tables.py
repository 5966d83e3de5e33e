"""Tables that are oversized or mean harm: refused or read, with the memory of the process that asks bounded."""

import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from neuroclass.classification.inputs import CellInput, cell_inputs
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.errors import RejectedInput
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.archives import is_archive
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1
from tests.io.parsers import parser_peaks

GROWTH = 150e6
PARSER = 1.5e9
SHEET = "xl/worksheets/sheet1.xml"


@contextmanager
def growth() -> Iterator[list[float]]:
    """How much the resident memory of this process grows at most during the block, bytes."""
    process, stop = psutil.Process(), threading.Event()
    before, peak = process.memory_info().rss, [0.0]

    def watch() -> None:
        while not stop.wait(0.005):
            peak[0] = max(peak[0], process.memory_info().rss - before)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


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


@pytest.mark.parametrize("name", FILES)
def test_an_oversized_table_is_refused_within_bounded_memory(tmp_path: Path, name: str) -> None:
    write, message = FILES[name]
    path = tmp_path / "lab.table"
    write(path)
    assert path.stat().st_size < 100 * 2**20
    measure(CellInput.single("warm.csv", b"cell,vrest\na,-70\n"))
    with parser_peaks() as peaks, growth() as grown:
        start = time.perf_counter()
        (refused,) = measure(CellInput.single("lab.table", path))
    assert time.perf_counter() - start < 30
    assert isinstance(refused, RejectedInput)
    assert refused.error.kind in ("TableError", "UnsafeFileError")
    assert pd.Series([str(refused.error)]).str.contains(message).all(), refused.error
    assert grown[0] < GROWTH
    assert max(peaks) < PARSER


def test_a_string_that_many_cells_share_is_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "lab.parquet"
    n_cells = 20_000
    write_repeated(path, "donor", "x" * 9_000, n_cells)
    assert path.stat().st_size < 1e6
    measure(CellInput.single("warm.csv", b"cell,vrest\na,-70\n"))
    with parser_peaks() as peaks, growth() as grown:
        answers = measure(CellInput.single("lab.parquet", path))
    assert len(answers) == n_cells
    assert grown[0] < GROWTH
    assert max(peaks) < 600e6


def test_a_zip_by_the_name_of_a_spreadsheet_within_a_zip_is_refused(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("cells.csv", "cell,vrest\na,-70\n")
    path, work = tmp_path / "upload.zip", tmp_path / "work"
    work.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cells.xlsx", inner.getvalue())
    assert is_archive(path)
    (refused,) = cell_inputs([path], {}, work)
    assert isinstance(refused, RejectedInput)
    assert "archive within the archive" in str(refused.error)


def test_a_parser_that_needs_more_memory_than_it_may_is_ended_with_advice(tmp_path: Path) -> None:
    rows = "".join(row_xml(k, ("A", f"{k}" * 8), ("B", -70)) for k in range(2, 80_000))
    path = tmp_path / "lab.xlsx"
    sheet_xlsx(path, HEADER + rows)
    from neuroclass.io.feature_table import read_raw_table
    from neuroclass.io.table_columns import TableLimits

    with pytest.raises(Exception, match=r"lab.xlsx (took longer than|needs more than|cannot be read)"):
        read_raw_table(path, "lab.xlsx", limits=TableLimits(seconds=0.3, seconds_per_mb=0.0))


def test_a_large_honest_table_is_read_in_proportion(tmp_path: Path) -> None:
    path = tmp_path / "lab.csv"
    n_cells = 20_000
    rows = (f"c{k},mouse,{-80 + k / 1000:.3f},12\n" for k in range(n_cells))
    path.write_text("cell,species,vrest,tau\n" + "".join(rows), encoding="utf-8")
    with growth() as grown:
        answers = measure(CellInput.single("lab.csv", path))
    assert sum(isinstance(one, MeasuredCell) for one in answers) == n_cells
    assert grown[0] < GROWTH


def test_a_recording_is_read_after_a_table_by_the_same_process(tmp_path: Path) -> None:
    write_repeated(tmp_path / "lab.parquet", "donor", "d", 50_000)
    recording = planted.small(20_000.0)
    path = write_nwb1(tmp_path / "cell.nwb", replace(recording, sweeps=recording.sweeps[:3]))
    with parser_peaks() as peaks:
        assert isinstance(measure(CellInput.single("lab.parquet", tmp_path / "lab.parquet"))[0], MeasuredCell)
        (answer,) = measure(CellInput.single("cell.nwb", path))
    assert isinstance(answer, MeasuredCell), answer
    assert len(peaks) == 1
