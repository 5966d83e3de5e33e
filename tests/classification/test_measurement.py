"""Files to measured cells."""

from pathlib import Path

import numpy as np
import pytest

from neuroclass.classification.inputs import CellInput
from neuroclass.classification.measurement import MeasuredCell, measure
from neuroclass.classification.metadata import CellMetadata
from neuroclass.errors import RejectedInput, TableError
from neuroclass.features import FEATURE_NAMES
from neuroclass.reference.template import template_csv


def test_a_table_row_keeps_values_and_says_why_others_are_missing():
    (cell,) = measure(CellInput.single("x.csv", b"cell,species,vrest,tau\na,human,-70.5,\n"))
    assert isinstance(cell, MeasuredCell)
    assert (cell.cell, cell.species, dict(cell.features)) == ("a", "human", {"vrest": -70.5})
    assert cell.missing["tau"] == "the table's cell is empty"
    assert cell.missing["ri"] == "the table has no such column"
    assert set(cell.features) | set(cell.missing) == set(FEATURE_NAMES)
    assert cell.provenance["vrest"] == {"row": 2}
    assert np.isnan(cell.row()).sum() == 40


def test_the_template_as_it_is_can_be_measured():
    (example,) = measure(CellInput.single("template.csv", template_csv().encode()))
    assert isinstance(example, MeasuredCell)
    assert (len(example.features), example.species) == (41, "mouse")


def test_one_bad_row_does_not_lose_the_others():
    good, bad, last = measure(CellInput.single("x.csv", b"cell,vrest\na,-70\nb,x\nc,-65\n"))
    assert isinstance(good, MeasuredCell)
    assert isinstance(last, MeasuredCell)
    assert isinstance(bad, RejectedInput)
    assert bad.cell == "b"
    assert bad.to_json() == {
        "source": "x.csv",
        "cell": "b",
        "error": {"type": "TableError", "message": str(bad.error)},
    }


def test_entered_values_fill_gaps_but_never_overwrite():
    metadata = CellMetadata(entered={"seal_gohm": 2.0})
    first, second = measure(CellInput.single("x.csv", b"cell,seal_gohm,vrest\na,1.5,-70\nb,,-70\n"), metadata)
    assert (first.features["seal_gohm"], second.features["seal_gohm"]) == (1.5, 2.0)


def test_species_of_the_file_goes_before_the_context_and_none_is_said():
    table = b"cell,species,vrest\na,human,-70\nb,,-70\n"
    cells = CellInput.single("x.csv", table)
    assert [c.species for c in measure(cells, CellMetadata(species="mouse"))] == ["human", "mouse"]
    unknown = measure(cells)[1]
    assert unknown.species == "unknown"
    assert any("species is not given" in warning for warning in unknown.warnings)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"hello", b"%PDF-1.7 ...", b"PK\x03\x04 xl/ nonsense"])
def test_what_is_neither_table_nor_recording_is_refused(content):
    (refusal,) = measure(CellInput.single("file", content))
    assert isinstance(refusal, RejectedInput)
    assert str(refusal.error)


def test_a_path_gives_what_its_bytes_give(tmp_path: Path):
    path = tmp_path / "cells.csv"
    path.write_bytes(b"cell,vrest\na,-70\n")
    assert measure(CellInput.single("cells.csv", path)) == measure(CellInput.single("cells.csv", path.read_bytes()))
    (refusal,) = measure(CellInput.single("nothing.csv", tmp_path / "nothing.csv"))
    assert isinstance(refusal, RejectedInput)
    assert "cannot be opened" in str(refusal.error)


def test_a_table_that_names_no_feature_is_refused_as_a_whole():
    (refusal,) = measure(CellInput.single("x.csv", b"vrest,vrest\n1,2\n"))
    assert isinstance(refusal.error, TableError)


def test_real_recordings_are_measured_or_refused(shared_recordings: Path):
    answers = {path.name: measure(CellInput.single(path.name, path))[0] for path in sorted(shared_recordings.iterdir())}
    refused = {name: answer.error.kind for name, answer in answers.items() if isinstance(answer, RejectedInput)}
    assert refused == {
        "171116sh_0011.abf": "ClampModeError",
        "H18.03.315.11.11.01.05.nwb": "ClampModeError",
        "MIES_v2_voltage_clamp.nwb": "ClampModeError",
        "18425108.abf": "UnitsError",
        "PYR4.abf": "UnitsError",
    }
    assert answers["171116sh_0018.abf"].features["vrest"] == pytest.approx(-62.1, abs=0.5)


def test_a_tables_impossible_value_is_left_out_with_the_reason():
    table = b"cell,vm_for_sag,vrest,ri\na,-186,-70,150\nb,-95,-70,150\nc,-100,-70,-30\n"
    cells = measure(CellInput.single("x.csv", table))
    assert [sorted(cell.features) for cell in cells] == [
        ["ri", "vrest"],
        ["ri", "vm_for_sag", "vrest"],
        ["vm_for_sag", "vrest"],
    ]
    assert "−186 mV is outside" in cells[0].missing["vm_for_sag"]
    assert any("vm_for_sag" in warning and "−150 to −20 mV" in warning for warning in cells[0].warnings)
    assert not any("outside" in warning for warning in cells[1].warnings)
    assert "−30 MΩ is outside" in cells[2].missing["ri"]


def test_a_row_left_with_nothing_is_refused_with_the_reason():
    first, second = measure(CellInput.single("x.csv", b"cell,vm_for_sag\na,-186\nb,-95\n"))
    assert isinstance(first, RejectedInput) and "−186 mV" in str(first.error)
    assert second.features == {"vm_for_sag": -95.0}


def test_a_tables_cell_out_of_the_references_range_is_called_so():
    odd, usual = measure(CellInput.single("x.csv", b"cell,vrest,ri\na,-47,1500\nb,-70,150\n"))
    assert odd.qc[0]["name"] == "not_a_healthy_cortical_neuron"
    assert odd.qc[0]["severity"] == "serious"
    assert usual.qc == ()
