"""``reproduce``: bad folders and wrong words are refused before anything is computed."""

from pathlib import Path

import pytest

from neuroclass.cli import main


def test_bad_folders_are_refused_before_anything_is_computed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["reproduce", "paper", "--data", str(tmp_path / "none"), "--out", str(tmp_path)]) == 1
    assert "TableError" in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["reproduce", "paper", "--out", str(tmp_path / "file")]) == 2
    assert "Name another folder with --out" in capsys.readouterr().err
    assert main(["reproduce", "paper", "--jobs", "0", "--out", str(tmp_path)]) == 2


def test_a_table_of_one_species_is_refused_in_words(
    real_data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    name = "actb_mouse_ephys_features.csv"
    (tmp_path / name).write_bytes((real_data_dir / name).read_bytes())
    assert main(["reproduce", "paper", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "no human cell" in capsys.readouterr().err
