"""Checks of an uploaded feature table."""

import pytest

from neuroclass.checks.feature_table import cell_names, find_problems, is_unit_slip, table_warnings
from neuroclass.errors import TableError
from neuroclass.features import BY_NAME, FEATURE_NAMES
from neuroclass.io.feature_table import read_raw_table
from neuroclass.reference.ranges import overall_ranges


def problems(text: str) -> dict[int, str]:
    return {row: str(error) for row, error in find_problems(read_raw_table(text.encode(), "cells.csv")).items()}


def test_a_good_table_has_no_problem():
    assert problems("cell,species,vrest,tau\na,mouse,-70,12\nb,,,15\nc,Homo sapiens,-65,nan\n") == {}


def test_text_infinity_and_wrong_units_name_row_and_column():
    found = problems("cell,vrest,tau\na,-70,12\nb,minus seventy,12\nc,-70,inf\nd,-0.07,12\ne,-70,12000\n")
    assert sorted(found) == [1, 2, 3, 4]
    assert "row 3 (cell b), column vrest: found the text 'minus seventy'; expected a number in mV" in found[1]
    assert "row 4 (cell c), column tau: found infinity" in found[2]
    assert "row 5 (cell d), column vrest: found -0.07" in found[3]
    assert "another unit" in found[3]
    assert "row 6 (cell e), column tau: found 12000" in found[4]


def test_every_row_of_a_repeated_id_is_refused():
    found = problems("cell,vrest\na,-70\nb,-70\na,-71\n")
    assert sorted(found) == [0, 2]
    assert "rows 2, 4, column cell: the id 'a' stands 2 times" in found[0]


def test_unknown_species_and_empty_rows_are_refused():
    found = problems("cell,species,vrest\na,rat,-70\nb,mouse,\n")
    assert "found 'rat'; expected mouse or human" in found[0]
    assert "row 3 has no feature value" in found[1]


def test_a_table_without_features_is_refused_whole():
    with pytest.raises(TableError, match="none of its columns"):
        problems("cell,species\na,mouse\n")


def test_unknown_columns_are_a_warning_and_cells_without_id_are_named_by_row():
    table = read_raw_table(b"file_name,vrest\nx,-70\n", "cells.csv")
    assert "file_name" in table_warnings(table)[0]
    assert cell_names(table) == ["row 2"]


def test_no_real_cell_is_taken_for_a_unit_slip(real_cohort):
    ranges = overall_ranges()
    slips = [(n, v) for n in FEATURE_NAMES for v in real_cohort.frame[n].dropna() if is_unit_slip(v, ranges[n])]
    assert slips == []


def test_a_thousandfold_slip_is_found_in_nearly_all_real_cells(real_cohort):
    ranges = overall_ranges()
    for name in FEATURE_NAMES:
        if BY_NAME[name].unit:
            values = real_cohort.frame[name].dropna() * 1000
            assert values.map(lambda value, limits=ranges[name]: is_unit_slip(value, limits)).mean() > 0.95, name
