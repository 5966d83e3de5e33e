"""``classify`` on archives, cells in several files and corrected protocols."""

import importlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from neuroclass.classification.inputs import CellInput, parse_groups
from neuroclass.classification.measurement import measure
from neuroclass.classification.metadata import CellMetadata, parse_protocols, protocol_texts
from neuroclass.cli import main
from neuroclass.commands.arguments import REFUSED
from neuroclass.errors import SettingsError
from neuroclass.features import Stimulus
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1

TABLE = "cell,species,vrest,tau,ri,sag,width\na,mouse,-70,12,150,0.05,0.0004\n"


@pytest.fixture(scope="module")
def halves(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("halves")
    whole = planted.small(20_000.0)
    middle = len(whole.sweeps) // 2
    parts = whole.sweeps[:middle], whole.sweeps[middle:]
    return [
        write_nwb1(folder / f"{name}.nwb", replace(whole, sweeps=part))
        for name, part in zip(("a", "b"), parts, strict=True)
    ]


def answers(capsys, *words: object) -> list:
    code = main(["classify", *map(str, words), "--json", "--no-reasons"])
    found = json.loads(capsys.readouterr().out)
    assert code == (3 if any("error" in one for one in found) else 0)
    return found


def test_an_archive_gives_what_its_files_give_and_bad_ones_are_told(tmp_path, capsys):
    path = tmp_path / "day.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("junk.abf", b"junk")
        archive.writestr("../cells.csv", TABLE)
    plain = tmp_path / "cells.csv"
    plain.write_text(TABLE, encoding="utf-8")
    junk, inside, outside = answers(capsys, path, plain)
    assert junk["source"] == f"{path}/junk.abf"
    assert inside["source"] == f"{path}/cells.csv"
    assert {**inside, "source": ""} == {**outside, "source": ""}


def test_files_of_one_cell_are_measured_together(halves, capsys):
    (cell,) = answers(capsys, "--group", f"cell 7={halves[0]},{halves[1]}")
    assert cell["cell"] == "cell 7"
    assert cell["source"] == f"{halves[0]} + {halves[1]}"
    apart = answers(capsys, *halves)
    assert len(cell["missing"]) < min(len(one["missing"]) for one in apart)
    assert len(cell["sweeps"]) == sum(len(one["sweeps"]) for one in apart)


def test_a_corrected_protocol_changes_what_is_measured(halves, capsys):
    (plain,) = answers(capsys, halves[1])
    number, epoch = next(
        (sweep["number"], k)
        for sweep in plain["sweeps"]
        for k, epoch in enumerate(sweep["epochs"])
        if epoch["stimulus"] == "long_square"
    )
    text = protocol_texts({(number, epoch): None})[0]
    (corrected,) = answers(capsys, halves[1], "--protocol", text)
    told = next(sweep for sweep in corrected["sweeps"] if sweep["number"] == number)
    assert told["epochs"][epoch]["stimulus"] is None
    (expected,) = measure(CellInput.single("b.nwb", halves[1]), CellMetadata(assignments={(number, epoch): None}))
    assert {k: v for k, v in corrected["features"].items() if v is not None} == expected.features


def test_sweeps_are_left_out_and_the_json_says_so(halves, capsys):
    (plain,) = answers(capsys, halves[1])
    number = plain["sweeps"][-1]["number"]
    (told,) = answers(capsys, halves[1], "--without-sweeps", f"{number}")
    assert (plain["without_sweeps"], told["without_sweeps"]) == ([], [number])
    assert number not in [sweep["number"] for sweep in told["sweeps"]]
    assert f"Left out by hand: sweep {number}." in told["warnings"]
    (expected,) = measure(CellInput.single("b.nwb", halves[1]), CellMetadata(without_sweeps=frozenset({number})))
    assert {k: v for k, v in told["features"].items() if v is not None} == expected.features
    assert main(["classify", str(halves[1]), "--without-sweeps", "9999"]) == REFUSED
    assert "has no sweep 9999" in capsys.readouterr().out


def test_an_answer_does_not_depend_on_the_files_beside_it_to_the_last_digit(halves, tmp_path, capsys):
    table = tmp_path / "cells.csv"
    table.write_text(TABLE + "b,mouse,-60,20,250,0.1,0.0008\n", encoding="utf-8")
    together = answers(capsys, table, *halves)
    assert together == [one for path in (table, *halves) for one in answers(capsys, path)]


def test_protocol_texts_are_read_back():
    assignments = {(3, 0): Stimulus.RAMP, (3, 2): None, (12, 1): Stimulus.LONG_SQUARE}
    assert protocol_texts(assignments) == ["3=ramp", "3.2=none", "12.1=long_square"]
    assert parse_protocols(protocol_texts(assignments)) == assignments


@pytest.mark.parametrize("text", ["ramp", "3=sine", "a=ramp", "3.x=ramp", "="])
def test_what_is_no_protocol_is_refused(text):
    with pytest.raises(SettingsError, match="--protocol"):
        parse_protocols([text])


@pytest.mark.parametrize("text", ["cell7", "=a.abf", "cell7="])
def test_what_is_no_group_is_refused(text):
    with pytest.raises(SettingsError, match="--group"):
        parse_groups([text])


def test_a_groups_files_may_be_given_one_by_one_and_hold_commas(tmp_path):
    odd = tmp_path / "a,b.abf"
    odd.write_bytes(b"x")
    assert parse_groups([f"c={odd}", "c=z.abf"]) == {"c": [odd, Path("z.abf")]}


@pytest.fixture
def three(tmp_path) -> Path:
    path = tmp_path / "cells.csv"
    path.write_text(TABLE + "b,mouse,x,12,150,0.05,0.0004\nc,human,-65,12,90,0.02,0.0004\n", encoding="utf-8")
    return path


def test_the_streamed_array_is_what_json_writes_of_the_whole(three, capsys):
    found = answers(capsys, three)
    main(["classify", str(three), "--json", "--no-reasons"])
    assert capsys.readouterr().out == json.dumps(found, indent=1) + "\n"
    assert [one["cell"] for one in found] == ["a", "b", "c"]


def test_lines_of_json_are_the_elements_of_the_array(three, capsys):
    found = answers(capsys, three)
    assert main(["classify", str(three), "--jsonl", "--no-reasons"]) == 3
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == found


def test_an_empty_folder_gives_an_empty_array(tmp_path, capsys):
    assert answers(capsys, tmp_path) == []


@pytest.mark.parametrize("option", ["--json", "--jsonl"])
def test_a_cell_is_printed_before_the_next_is_classified(three, capsys, monkeypatch, option):
    printed = []
    classify = importlib.import_module("neuroclass.classification.classify")
    judge = classify._classify_block

    def watched(*arguments):
        printed.append(capsys.readouterr().out)
        return judge(*arguments)

    monkeypatch.setattr(classify, "BLOCK", 1)
    monkeypatch.setattr(classify, "_classify_block", watched)
    assert main(["classify", str(three), option, "--no-reasons"]) == 3
    assert [text.count('"cell": "') for text in printed] == [0, 1, 1]


def test_the_array_is_closed_where_an_error_ends_the_command(three, capsys, monkeypatch):
    module = importlib.import_module("neuroclass.classification.measurement")
    measure, calls = module.measure, []

    def once(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise SettingsError("the second file is too much")
        return measure(*arguments)

    monkeypatch.setattr(module, "measure", once)
    assert main(["classify", str(three), str(three), "--json", "--no-reasons"]) == 2
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_a_sheet_is_chosen_by_its_name(tmp_path, capsys):
    path = tmp_path / "lab.xlsx"
    header = ["cell", "species", "vrest", "tau", "ri", "sag", "width"]
    with pd.ExcelWriter(path) as writer:
        for title in ("young", "old"):
            row = [title, "mouse", -70, 12, 150, 0.05, 0.0004]
            pd.DataFrame([row], columns=header).to_excel(writer, sheet_name=title, index=False)
    (first,) = answers(capsys, path)
    assert first["cell"] == "young" and any("'young' was read; 'old' has" in text for text in first["warnings"])
    (second,) = answers(capsys, path, "--sheet", "old")
    assert second["cell"] == "old"
