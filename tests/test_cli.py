"""The command line: what it prints and how it exits."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from neuroclass.classification.classify import classify_input
from neuroclass.classification.inputs import CellInput
from neuroclass.cli import CLOSED_PIPE, COMMANDS, main


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    path = tmp_path / "cells.csv"
    path.write_text("cell,species,vrest,tau,ri,sag,width\na,mouse,-70,12,150,0.05,0.0004\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_helps(command, capsys):
    with pytest.raises(SystemExit) as ending:
        main([command, "--help"])
    assert ending.value.code == 0
    assert ("--json" in capsys.readouterr().out) is (command != "app")  # which prints nothing


@pytest.mark.parametrize("words", [[], ["no-such-command"], ["classify"], ["evaluate", "lspin", "--protocol", "none"]])
def test_wrong_usage_exits_with_2(words):
    with pytest.raises(SystemExit) as ending:
        main(words)
    assert ending.value.code == 2


def test_wrong_settings_exit_with_2_and_say_why(cells, capsys):
    assert main(["classify", str(cells), "--enter", "vrest=-70"]) == 2
    assert "seal_gohm" in capsys.readouterr().err


def test_classify_prints_the_numbers_of_the_workflow(cells, capsys):
    assert main(["classify", str(cells), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    answers = classify_input(CellInput.single(str(cells), cells))
    assert printed == json.loads(json.dumps([answer.to_json() for answer in answers]))


def test_a_refused_file_exits_with_3_and_the_rest_goes_on(cells, tmp_path, capsys):
    junk = tmp_path / "junk.nwb"
    junk.write_bytes(b"junk")
    assert main(["classify", str(junk), str(cells), "--json"]) == 3
    refused, verdict = json.loads(capsys.readouterr().out)
    assert refused["source"] == str(junk)
    assert set(refused["error"]) == {"type", "message"}
    assert verdict["cell"] == "a"


def test_words_for_people_name_class_probability_and_set(cells, capsys):
    assert main(["classify", str(cells)]) == 0
    text = capsys.readouterr().out
    assert "broad class" in text
    assert "5 of 41 features" in text


def test_cohort_counts_the_real_tables(real_data_dir, capsys):
    assert main(["cohort", "--data", str(real_data_dir), "--json"]) == 0
    species = json.loads(capsys.readouterr().out)
    mouse, human = species["mouse"], species["human"]
    assert (mouse["n_cells"], mouse["n_donors"], human["n_cells"], human["n_donors"]) == (1424, 809, 299, 41)
    assert mouse["subclass"] == {"Glutamatergic": 700, "Pvalb": 231, "Sst": 173, "Vip": 121, "Htr3a": 199}
    assert human["broad"] == {"excitatory": 231, "inhibitory": 68}


def test_cohort_without_data_is_the_simulated_one(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path))
    assert main(["cohort", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["simulated"] is True
    assert "simulated" in answer["source"]


def test_a_missing_data_folder_is_named(capsys, tmp_path):
    assert main(["cohort", "--data", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_enough_ends_the_command_without_a_word(unbuffered):
    # Buffered, the whole output meets the closed pipe at the end; unbuffered, its first line does.
    command = [sys.executable, "-m", "neuroclass", "cohort"]
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=120, env=environment)
    os.close(writing)
    assert (done.returncode, done.stderr) == (CLOSED_PIPE, "")
