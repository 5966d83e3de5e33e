"""Sweeps that are left out: nothing is measured on them, every answer names them, and the impossible is refused."""

from dataclasses import replace

import numpy as np
import pytest

import neuroclass as nc
from neuroclass.classification.inputs import CellInput
from neuroclass.classification.left_out import leave_out, numbers_argument, parse_numbers
from neuroclass.classification.measurement import MeasuredCell, measure, measured_recording
from neuroclass.classification.metadata import CellMetadata
from neuroclass.ephys.sweep_words import numbers_text, together
from neuroclass.errors import RecordingError, RejectedInput, SettingsError, TableError
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1


@pytest.fixture(scope="module")
def whole():
    return planted.small(20_000.0)


@pytest.fixture(scope="module")
def file(whole, tmp_path_factory) -> CellInput:
    return CellInput.single("c.nwb", write_nwb1(tmp_path_factory.mktemp("left_out") / "c.nwb", whole))


def without(file: CellInput, *numbers: int) -> MeasuredCell:
    (cell,) = measure(file, CellMetadata("mouse", without_sweeps=frozenset(numbers)))
    assert isinstance(cell, MeasuredCell)
    return cell


def test_the_features_are_those_of_a_file_that_never_had_the_sweeps(whole, file, tmp_path):
    gone = {sweep.number for sweep in whole.sweeps[::3]}
    kept = replace(whole, sweeps=tuple(sweep for sweep in whole.sweeps if sweep.number not in gone))
    (expected,) = measure(CellInput.single("c.nwb", write_nwb1(tmp_path / "c.nwb", kept)), CellMetadata("mouse"))
    found = without(file, *gone)
    assert found.features == expected.features != without(file).features
    assert [one["number"] for one in found.sweeps] == [sweep.number for sweep in kept.sweeps]
    assert not gone & {number for place in found.provenance.values() for number in place.get("sweeps", ())}


def test_the_cell_says_which_sweeps_were_left_out(file):
    cell = without(file, 2, 5)
    assert cell.without_sweeps == (2, 5)
    assert "Left out by hand: sweeps 2 and 5." in cell.warnings
    assert without(file).without_sweeps == () and not any("Left out" in text for text in without(file).warnings)


def test_the_last_sweep_and_unknown_ones_cannot_be_left_out(whole, file):
    every = frozenset(sweep.number for sweep in whole.sweeps)
    for numbers, told in ((every, "Keep at least one"), ({max(every) + 1}, f"no sweep {max(every) + 1}, which is to")):
        (refused,) = measure(file, CellMetadata(without_sweeps=frozenset(numbers)))
        assert isinstance(refused, RejectedInput) and isinstance(refused.error, RecordingError)
        assert told in refused.error.plain
    assert numbers_text(every) in refused.error.plain


def test_each_cell_of_a_file_loses_those_that_it_has(whole):
    first, second = replace(whole, sweeps=whole.sweeps[:3]), replace(whole, sweeps=whole.sweeps[2:])
    number, shared = second.sweeps[-1].number, whole.sweeps[2].number
    left = leave_out((first, second), {number, shared})
    assert [{sweep.number for sweep in one.left_out} for one in left] == [{shared}, {number, shared}]


def test_leaving_the_same_out_again_changes_nothing(whole):
    metadata = CellMetadata("mouse", without_sweeps=frozenset({2}))
    (once,) = leave_out([whole], {2})
    assert leave_out([once], {2}) == (once,)
    assert measured_recording(once, metadata).warnings == measured_recording(whole, metadata).warnings


def test_a_feature_table_has_no_sweep_to_leave_out():
    (refused,) = measure(CellInput.single("a.csv", b"tau,sag\n20,0.1\n"), CellMetadata(without_sweeps=frozenset({1})))
    assert isinstance(refused, RejectedInput) and isinstance(refused.error, TableError)


def test_a_notebook_leaves_sweeps_out_alike(whole, file):
    found = nc.extract_features(whole, without_sweeps=[2, 5], species="mouse")
    assert found.cell.without_sweeps == (2, 5)
    assert set(found.cell.features) == set(without(file, 2, 5).features)


def test_numbers_are_read_back():
    rng = np.random.default_rng(5)
    for _ in range(200):
        numbers = frozenset(rng.integers(0, 500, rng.integers(0, 30)).tolist())
        assert parse_numbers([numbers_argument(numbers)]) == numbers


def test_ranges_are_read_and_written():
    assert parse_numbers(["3, 7", "9-12"]) == {3, 7, 9, 10, 11, 12}
    assert numbers_text({3, 7, 9, 10, 11, 12}) == "3, 7 and 9 to 12"
    assert (numbers_text({3}), numbers_text({3, 4})) == ("3", "3 and 4")


@pytest.mark.parametrize("text", ["x", "3-", "-3", "5-2", "1.5", "3 7", "1-9999999"])
def test_what_is_no_list_of_sweeps_is_refused(text):
    with pytest.raises(SettingsError, match="such as 3,7 or 9-12"):
        parse_numbers([text])


def test_remarks_that_say_the_same_are_one_sentence():
    lost = ("0.2 s are left out", "0.2 s are left out", "0.1 s are left out", "0.2 s are left out")
    assert together(enumerate(lost)) == ["Sweeps 0, 1 and 3: 0.2 s are left out.", "Sweep 2: 0.1 s are left out."]
    assert together([]) == []
