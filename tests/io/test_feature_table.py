"""Feature tables from users."""

import datetime
import io
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from neuroclass.classification.inputs import CellInput
from neuroclass.classification.measurement import measure
from neuroclass.errors import RejectedInput, TableError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.feature_table import looks_like_feature_table, read_raw_table, sheets_of
from neuroclass.io.table_columns import TableLimits
from neuroclass.reference.template import template_csv, template_guide


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_recognised(delimiter):
    text = delimiter.join(["cell", "vrest", "tau"]) + "\n" + delimiter.join(["a", "-70.5", "12"]) + "\n"
    table = read_raw_table(text.encode(), "cells.csv")
    assert table.columns == ("cell", "vrest", "tau")
    assert table.texts["cell"] == ["a"]
    assert table.numbers["vrest"].tolist() == [-70.5]


def test_parquet_and_xlsx_are_recognised_by_content():
    frame = pd.DataFrame({"cell": ["a"], "vrest": [-70.0]})
    for write in (frame.to_parquet, frame.to_excel):
        buffer = io.BytesIO()
        write(buffer, index=False)
        assert looks_like_feature_table(buffer.getvalue())
        assert read_raw_table(buffer.getvalue(), "misnamed.dat").numbers["vrest"].tolist() == [-70.0]


def test_other_content_is_not_a_feature_table():
    assert not looks_like_feature_table(b"time_s,sweep 1\n0,1\n")
    assert not looks_like_feature_table(b"ABF2\x00\x00vrest")
    assert not looks_like_feature_table(b"")


def test_byte_order_mark_and_spaces_do_not_hide_a_column():
    table = read_raw_table("\ufeffcell, vrest\na, -70\n".encode(), "cells.csv")
    assert table.columns == ("cell", "vrest")


def test_decimal_commas_are_named_as_such():
    with pytest.raises(TableError, match=r"Row 2 has 3 values under 2 column names.*decimals with a point"):
        read_raw_table(b"vrest,tau\n-70,5,12\n", "cells.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"vrest\n", "no cell"), (b"vrest,vrest\n1,2\n", "more than once"), (b"PAR1nonsense", "cannot be read")],
)
def test_unusable_tables_are_refused(content, message):
    with pytest.raises(TableError, match=message):
        read_raw_table(content, "cells.csv")


def test_the_template_has_every_feature_and_the_guide_its_unit():
    assert template_csv().splitlines()[0].split(",") == ["cell", "species", *FEATURE_NAMES]
    assert looks_like_feature_table(template_csv().encode())
    guide = template_guide().set_index("column")
    assert guide.loc["width", "unit"] == "s"
    assert guide.loc["sag", "unit"] == "ratio"


def test_utf16_and_bare_carriage_returns_are_read():
    table = read_raw_table("cell\tvrest\r\na\t-70\r\n".encode("utf-16"), "cells.csv")
    assert table.numbers["vrest"].tolist() == [-70.0]
    assert looks_like_feature_table("cell\tvrest\r\na\t-70\r\n".encode("utf-16"))
    assert read_raw_table(b"cell,vrest\ra,-70\rb,-71\r", "cells.csv").rows.tolist() == [2, 3]


def test_zero_bytes_are_named():
    with pytest.raises(TableError, match=r"zero bytes.*UTF-16 without a mark"):
        read_raw_table("cell,vrest\na,-70\n".encode("utf-16-le"), "cells.csv")


def test_decimal_commas_are_read_where_no_number_has_a_point():
    table = read_raw_table(b"sep=;\ncell;vrest;tau\na;-70,5;12\nb;1,5e1;\n", "cells.csv")
    assert table.numbers["vrest"].tolist() == [-70.5, 15.0]
    assert not any(table.unread.values())
    assert table.notes == ("Decimal commas were read as decimal points, in 2 values.",)


def test_decimal_commas_beside_points_are_not_guessed():
    table = read_raw_table(b"cell;vrest;tau\na;-70,5;12\nb;-71.5;12\n", "cells.csv")
    assert np.isnan(table.numbers["vrest"][0])
    assert table.unread["vrest"] == {0: "-70,5"}
    assert read_raw_table(b"cell;vrest\na;1.234,5\n", "cells.csv").unread["vrest"] == {0: "1.234,5"}


@pytest.mark.parametrize("text", ["1,234", "-12,345", "+123,456", "−9,100"])
def test_a_comma_of_decimals_or_of_thousands_is_not_guessed(text):
    content = f"cell;ri;tau\na;{text};12\nb;150;12\n".encode()
    table = read_raw_table(content, "cells.csv")
    assert table.unread["ri"] == {0: text} and np.isnan(table.numbers["ri"][0])
    assert table.notes == ()
    first, second = measure(CellInput.single("cells.csv", content))
    assert isinstance(first, RejectedInput) and "may be of decimals or of thousands" in str(first.error)
    assert not isinstance(second, RejectedInput)


@pytest.mark.parametrize("other", ["-70,5", "0,123", "1234,567", "12,3", "1,2345"])
def test_another_number_that_can_only_be_decimal_settles_it(other):
    table = read_raw_table(f"cell;ri;tau\na;1,234;12\nb;150;{other}\n".encode(), "cells.csv")
    assert table.numbers["ri"].tolist() == [1.234, 150.0]
    assert table.notes == ("Decimal commas were read as decimal points, in 2 values.",)


def test_very_many_numbers_that_may_be_thousands_are_refused_as_a_table():
    with pytest.raises(TableError, match=r"30 numbers have a comma, of decimals or of thousands; write"):
        read_raw_table(b"cell;ri\n" + b"a;1,234\n" * 30, "cells.csv", limits=TableLimits(texts=20))


def test_rows_keep_their_numbers_over_blank_ones():
    table = read_raw_table(b"\ncell,vrest\n\na,-70\n,\nb,-71\n", "cells.csv")
    assert table.rows.tolist() == [4, 6]


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_the_first_sheet_with_a_feature_is_read_and_named_and_another_can_be_chosen():
    cells = ["cell", "vrest"]
    content = workbook(Notes=[["read me"]], Young=[[], cells, ["a", -70]], Old=[cells, ["b", -60]])
    table = read_raw_table(content, "lab.xlsx")
    assert table.texts["cell"] == ["a"] and table.rows.tolist() == [3]
    (note,) = table.notes
    assert "'Young' was read; 'Old' has feature columns too" in note and "--sheet" in note
    assert read_raw_table(content, "lab.xlsx", "Old").texts["cell"] == ["b"]
    with pytest.raises(TableError, match=r"no sheet 'None'; it has 'Notes', 'Young', 'Old'"):
        read_raw_table(content, "lab.xlsx", "None")


def test_dates_and_truth_values_are_named_for_what_they_are():
    rows = [["cell", "vrest", "tau"], [1, datetime.date(2024, 5, 1), True], [2.5, -70, "12"]]
    table = read_raw_table(workbook(cells=rows), "lab.xlsx")
    assert table.unread == {"vrest": {0: "2024-05-01 00:00:00 (a date)"}, "tau": {0: "True"}}
    assert table.texts["cell"] == ["1", "2.5"]
    assert table.numbers["tau"].tolist()[1] == 12.0


def test_values_beside_a_table_are_left_out_with_a_note():
    table = read_raw_table(workbook(cells=[["cell", "vrest"], ["a", -70, None, "why?"], [None, None]]), "lab.xlsx")
    assert table.columns == ("cell", "vrest") and len(table) == 1
    assert "to the right of the named columns" in table.notes[0]


def test_parquet_columns_of_any_kind_are_read_or_named():
    frame = pd.DataFrame({"cell": [7, 8], "vrest": pd.array([-70, None], "Int64"), "tau": ["12", "x"]})
    buffer = io.BytesIO()
    frame.assign(day=pd.Timestamp("2024-05-01")).to_parquet(buffer)
    table = read_raw_table(buffer.getvalue(), "lab.parquet")
    assert table.texts["cell"] == ["7", "8"] and table.columns == ("cell", "vrest", "tau", "day")
    assert table.numbers["vrest"][0] == -70 and np.isnan(table.numbers["vrest"][1])
    assert table.unread["tau"] == {1: "x"}
    buffer = io.BytesIO()
    pd.DataFrame({"vrest": [[1.0, 2.0]]}).to_parquet(buffer)
    with pytest.raises(TableError, match=r"vrest holds list.*expected one value a cell"):
        read_raw_table(buffer.getvalue(), "lab.parquet")


def test_a_parquet_file_without_a_feature_is_no_feature_table():
    buffer = io.BytesIO()
    pd.DataFrame({"time (s)": [0.0], "sweep 1 (mV)": [-70.0]}).to_parquet(buffer)
    assert not looks_like_feature_table(buffer.getvalue())


def test_the_sheets_of_a_spreadsheet_are_listed_and_of_no_other_file():
    content = workbook(Notes=[["read me"]], Young=[["cell", "vrest"], ["a", -70]])
    assert sheets_of(content, "lab.xlsx") == ["Notes", "Young"]
    assert sheets_of(b"cell,vrest\na,-70\n", "lab.csv") == []
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("a.csv", "x")
    assert sheets_of(plain.getvalue(), "lab.xlsx") == []
    damaged = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"<" if name == "xl/workbook.xml" else source.read(name))
    with pytest.raises(TableError, match=r"lab.xlsx cannot be read as a table"):
        sheets_of(damaged.getvalue(), "lab.xlsx")
