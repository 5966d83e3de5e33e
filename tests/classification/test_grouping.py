"""Several files that are one cell."""

from dataclasses import replace
from pathlib import Path

import pytest

from neuroclass.classification.grouping import merge, suggested_cells
from neuroclass.classification.inputs import CellInput, InputFile
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.ephys.cell_features import extract_features
from neuroclass.errors import RecordingError, RejectedInput
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1, write_nwb2


@pytest.fixture(scope="module")
def whole():
    return planted.small(20_000.0)


@pytest.fixture(scope="module")
def halves(whole, tmp_path_factory):
    folder = tmp_path_factory.mktemp("halves")
    first, second = whole.sweeps[::2], whole.sweeps[1::2]
    numbered = [tuple(replace(s, number=k) for k, s in enumerate(part)) for part in (first, second)]
    paths = [
        write_nwb1(folder / f"{name}.nwb", replace(whole, sweeps=part))
        for name, part in zip(("a", "b"), numbered, strict=True)
    ]
    return [InputFile(path.name, path) for path in paths]


def test_a_cell_in_two_files_has_the_features_of_the_cell_in_one(whole, halves):
    (together,) = measure(CellInput(tuple(halves), "cell 7"))
    assert isinstance(together, MeasuredCell)
    assert (together.cell, together.source) == ("cell 7", "a.nwb + b.nwb")
    expected = extract_features(whole).values
    assert together.features.keys() == expected.keys()
    for name, value in expected.items():
        assert together.features[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name
    (alone,) = measure(CellInput((halves[0],)))
    assert alone.features != together.features


def test_sweeps_get_one_numbering_and_tell_where_they_come_from(whole):
    parts = [replace(whole, source=name, sweeps=whole.sweeps[:3]) for name in ("a", "b")]
    joined = merge(parts, "c")
    numbers = [sweep.number for sweep in joined.sweeps]
    assert len(set(numbers)) == 6 and numbers == sorted(numbers)
    assert numbers[:3] == [sweep.number for sweep in whole.sweeps[:3]]
    assert joined.sweeps[-1].source == f"b, sweep {whole.sweeps[2].number}"


def test_a_bad_file_of_a_cell_is_left_out_with_a_warning(halves):
    (cell,) = measure(CellInput((halves[0], InputFile("junk.abf", b"junk")), "c"))
    assert isinstance(cell, MeasuredCell)
    assert any("junk.abf was left out" in warning for warning in cell.warnings)
    missing = InputFile("none.abf", Path("/no/such"))
    (refusal,) = measure(CellInput((InputFile("junk.abf", b"junk"), missing), "c"))
    assert isinstance(refusal, RejectedInput)
    assert "junk.abf" in str(refusal.error) and "none.abf" in str(refusal.error)


def test_tables_and_files_of_several_cells_do_not_join(whole, tmp_path):
    few = replace(whole, sweeps=whole.sweeps[:2])
    two = write_nwb2(tmp_path / "two.nwb", {"x": few, "y": few})
    for source, reason in (
        (InputFile("t.csv", b"vrest\n-70\n"), "feature table"),
        (InputFile("two.nwb", two), "2 cells"),
    ):
        (refusal,) = measure(CellInput((source,), "c"))
        assert isinstance(refusal, RejectedInput)
        assert reason in str(refusal.error)


def test_files_of_different_species_are_not_one_cell(whole):
    mouse, human = (replace(whole, metadata={"species": name}) for name in ("Mus musculus", "Homo sapiens"))
    with pytest.raises(RecordingError, match="different species"):
        merge([mouse, human], "c")


@pytest.mark.parametrize(
    ("names", "cells"),
    [
        (["c7_ramp.abf", "c7_steps.abf", "c8.abf"], ["c7", "c7", "c8"]),
        (["17o05027_ic_ramp.abf", "17o05028_ic_steps.abf"], ["17o05027_ic_ramp", "17o05028_ic_steps"]),
        (["ramp.abf", "steps.abf"], ["ramp", "steps"]),
        (["a 1.abf", "a 2.abf"], ["a 1", "a 2"]),
    ],
)
def test_names_that_differ_in_the_stimulus_suggest_one_cell(names, cells):
    assert suggested_cells(names) == cells
