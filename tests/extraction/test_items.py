"""`extract` and `classify` measure alike."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from neuroclass.cli import main
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cell in two files, and both in an archive with one that is no recording."""
    folder = tmp_path_factory.mktemp("cells")
    whole = planted.small(20_000.0)
    middle = len(whole.sweeps) // 2
    for name, part in (("a", whole.sweeps[:middle]), ("b", whole.sweeps[middle:])):
        write_nwb1(folder / f"{name}.nwb", replace(whole, sweeps=part))
    (folder / "junk.abf").write_bytes(b"junk")
    with zipfile.ZipFile(folder / "day.zip", "w") as archive:
        for name in ("a.nwb", "b.nwb", "junk.abf"):
            archive.write(folder / name, name)
    return folder


def printed(command: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list]:
    code = main([command, *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "words",
    [
        ["b.nwb"],
        ["b.nwb", "--protocol", "{sweep}=none"],
        ["b.nwb", "--temperature", "25", "--junction-corrected", "yes"],
        ["b.nwb", "--enter", "seal_gohm=2.5", "--species", "human"],
        ["b.nwb", "--stimulus-unit", "A"],
        ["--group", "cell 7=a.nwb,b.nwb", "--protocol", "{sweep}=ramp"],
        ["--group", "cell 7=a.nwb,junk.abf"],
        ["day.zip"],
        ["junk.abf", "no-such-file.abf", "a.nwb"],
    ],
)
def test_features_messages_and_exit_codes_are_those_of_classify(words, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (plain,) = printed("extract", ["b.nwb"], capsys)[1]
    sweep = next(s["number"] for s in plain["sweeps"] if s["epochs"][0]["stimulus"] == "long_square")
    words = [word.format(sweep=sweep) for word in words]
    code, reports = printed("extract", words, capsys)
    expected_code, answers = printed("classify", [*words, "--no-reasons"], capsys)
    assert code == expected_code
    assert len(reports) == len(answers)
    for report, answer in zip(reports, answers, strict=True):
        assert report.get("error") == answer.get("error")
        assert report["source"] == answer["source"]
        assert report.get("cell") == answer.get("cell")
        if "error" not in report:
            assert report["features"] == answer["features"]
            assert report["missing"] == answer["missing_reasons"]
            for key in ("provenance", "sweeps", "qc"):
                assert report[key] == answer[key]
            assert set(report["warnings"]) <= set(answer["warnings"])
            assert report.get("conditions", {}) == answer["conditions"]


def test_corrections_change_what_extract_measures(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (plain,) = printed("extract", ["b.nwb"], capsys)[1]
    (warmed,) = printed("extract", ["b.nwb", "--temperature", "24", "--correct-temperature"], capsys)[1]
    changed = {name for name, value in warmed["features"].items() if value != plain["features"][name]}
    assert changed
    assert all(warmed["provenance"][name]["as_measured"] == plain["features"][name] for name in changed)
    assert any("Recorded at 24" in warning for warning in warmed["warnings"])
    (joined,) = printed("extract", ["--group", "c=a.nwb,b.nwb", "--species", "human"], capsys)[1]
    assert (joined["cell"], joined["path"]) == ("c", "a.nwb + b.nwb")
    assert len(joined["sweeps"]) > len(plain["sweeps"])


def test_a_table_of_features_is_no_recording(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (folder / "cells.csv").write_text("cell,vrest\na,-70\n", encoding="utf-8")
    code, (report,) = printed("extract", ["cells.csv"], capsys)
    assert code == 3 and report["error"]["type"] == "RecordingError"


def test_each_sweep_is_one_line_of_both_commands_in_words_and_json(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    (report,) = printed("extract", ["b.nwb"], capsys)[1]
    expected = [f"  sweep {one['number']}: {one['recognised']}" for one in report["sweeps"]]
    assert any("long square +" in line and "one level" in line for line in expected)
    for command in (["extract"], ["classify", "--no-reasons"]):
        assert main([*command, "b.nwb"]) == 0
        out = capsys.readouterr().out.splitlines()
        assert [line for line in out if line.startswith("  sweep ")] == expected
