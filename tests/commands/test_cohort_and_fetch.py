"""The commands that list and fetch cells, through the program's own entrance."""

import json
from pathlib import Path

import pytest

from neuroclass.cli import main
from tests.io.allen_server import SPECIMEN, allen_server, nobody


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))


def test_cohort_prints_only_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cohort", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["simulated"] is True
    assert answer["n_cells"] == answer["mouse"]["n_cells"] + answer["human"]["n_cells"]
    assert set(answer["mouse"]["subclass"]) == {"Glutamatergic", "Pvalb", "Sst", "Vip", "Htr3a"}
    assert sum(answer["mouse"]["subclass"].values()) == answer["mouse"]["n_cells"]


def test_cohort_reads_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cohort"]) == 0
    text = capsys.readouterr().out
    assert "(simulated)" in text
    assert "Htr3a+|Vip−" in text


def test_cohort_says_which_folder_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["cohort", "--data", str(tmp_path / "gone")]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "gone" in captured.err


@pytest.mark.usefixtures("allensdk")
def test_fetch_then_cohort_is_the_database(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with allen_server() as (url, _):
        assert main(["fetch", "--cells", "--nwb", str(SPECIMEN), "--url", url, "--json"]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert answer["n_cells"] == 4
    assert Path(answer["nwb"][str(SPECIMEN)]).stat().st_size == answer["cache_bytes"]
    assert "MB" in captured.err
    assert main(["cohort", "--json"]) == 0
    assert "Allen Cell Types Database" in json.loads(capsys.readouterr().out)["source"]


@pytest.mark.usefixtures("allensdk")
def test_fetch_without_a_server_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with nobody() as url:
        assert main(["fetch", "--url", url]) == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_fetch_refuses_what_is_no_address(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "--url", "ftp://x"]) == 2
    assert "not an address" in capsys.readouterr().err
