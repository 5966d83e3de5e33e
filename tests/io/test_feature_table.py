"""Feature tables from users."""

import io

import pandas as pd
import pytest

from neuroclass.errors import TableError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.feature_table import looks_like_feature_table, read_raw_table
from neuroclass.reference.template import template_csv, template_guide


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_are_recognised(delimiter):
    text = delimiter.join(["cell", "vrest", "tau"]) + "\n" + delimiter.join(["a", "-70.5", "12"]) + "\n"
    table = read_raw_table(text.encode(), "cells.csv")
    assert list(table.cells.columns) == ["cell", "vrest", "tau"]
    assert table.cells.loc[0, "vrest"] == "-70.5"


def test_parquet_and_xlsx_are_recognised_by_content():
    frame = pd.DataFrame({"cell": ["a"], "vrest": [-70.0]})
    for write in (frame.to_parquet, frame.to_excel):
        buffer = io.BytesIO()
        write(buffer, index=False)
        assert looks_like_feature_table(buffer.getvalue())
        assert float(read_raw_table(buffer.getvalue(), "misnamed.dat").cells.loc[0, "vrest"]) == -70.0


def test_other_content_is_not_a_feature_table():
    assert not looks_like_feature_table(b"time_s,sweep 1\n0,1\n")
    assert not looks_like_feature_table(b"ABF2\x00\x00vrest")
    assert not looks_like_feature_table(b"")


def test_byte_order_mark_and_spaces_do_not_hide_a_column():
    table = read_raw_table("\ufeffcell, vrest\na, -70\n".encode(), "cells.csv")
    assert list(table.cells.columns) == ["cell", "vrest"]


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
