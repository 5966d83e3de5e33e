"""Tables that are oversized or mean harm: refused or read, with the memory of the process that asks bounded."""

import io
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import psutil
import pytest

from neuroclass.classification.inputs import CellInput, cell_inputs
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.errors import RejectedInput
from neuroclass.io.archives import is_archive
from tests.ephys import planted
from tests.io.hostile_tables import FILES, HEADER, row_xml, sheet_xlsx, write_repeated
from tests.io.nwb_files import write_nwb1
from tests.io.parsers import parser_peaks

GROWTH = 150e6
PARSER = 1.5e9


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
