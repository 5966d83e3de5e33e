"""``fetch --dandi`` and ``classify dandi:…`` through the program's own entrance, against a loopback archive."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuroclass.cli import main
from neuroclass.config import PROJECT_DIR
from tests.docs.archive import files
from tests.io.allen_server import nobody
from tests.io.dandi_server import CITATION, VERSION, Archive, Stored, dandi_server

FETCH = ["fetch", "--dandi", "20"]


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Archive]:
    """Two recordings, a Zarr folder and a file that is none."""
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    others = (Stored("sub-9/a.zarr", b"x", zarr=True, subject="9"), Stored("sub-9/b.nwb", b"x" * 99, subject="9"))
    with dandi_server(*files(), *others) as (url, archive):
        monkeypatch.setenv("NEUROCLASS_DANDI_URL", url)
        yield archive


def test_files_are_listed_with_version_and_citation(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FETCH, "--list"]) == 0
    text = capsys.readouterr().out
    assert f"version {VERSION}" in text
    assert CITATION in text
    assert "Zarr, not read" in text
    assert archive.served == 0


def test_a_listing_is_json(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FETCH, "--version", "draft", "--subject", "2", "--list", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["dandiset"]["version"] == "draft"
    assert [one["subject"] for one in answer["assets"]] == ["2"]


def test_sweeps_are_listed_and_what_that_took(archive: Archive, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FETCH, "--subject", "2", "9", "--sweeps", "--json"]) == 3
    assets = json.loads(capsys.readouterr().out)["assets"]
    assert len(assets[0]["sweeps"]) == 8
    assert assets[0]["transferred"] < assets[0]["size"] / 10
    assert [one["error"]["type"] for one in assets[1:]] == ["UnreadableAssetError"] * 2


def test_everything_is_fetched_on_request_only(
    archive: Archive, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(FETCH) == 2
    told = capsys.readouterr().err
    assert "--all" in told
    assert archive.served == 0
    assert main([*FETCH, "--all", "--to", str(tmp_path / "here")]) == 3
    assert len(list((tmp_path / "here" / "000020").rglob("*.nwb"))) == 2
    assert capsys.readouterr().out.count("refused (UnreadableAssetError)") == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["fetch", "--subject", "1"], "say which with --dandi"),
        (["fetch", "--dandi", "x"], "six digits"),
        ([*FETCH, "--limit", "0"], "1 or more"),
        ([*FETCH, "--paths-from", "/nowhere"], "expected a text file"),
        ([*FETCH, "--archive", "http://example.org/api"], "expected one such as https://"),
        (["classify", "dandi:20"], "dandi:000020/sub-1"),
    ],
)
def test_wrong_words_are_refused_without_asking(
    archive: Archive, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main(words) == 2
    assert told in capsys.readouterr().err
    assert archive.requests == []


@pytest.mark.parametrize(
    ("words", "told"), [(["--subject", "77"], "holds no file"), (["--version", "1"], "Check number")]
)
def test_what_is_not_there_is_said(
    archive: Archive, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert main([*FETCH, *words, "--list"]) == 1
    assert told in capsys.readouterr().err


def test_without_network_it_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with nobody() as url:
        assert main([*FETCH, "--list", "--archive", f"{url}/api"]) == 1
    captured = capsys.readouterr()
    assert "cannot be reached" in captured.err
    assert "Traceback" not in captured.err


def test_an_asset_is_classified_in_one_step_and_cited(
    archive: Archive, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    words = ["classify", "dandi:000020/sub-2", "--no-reasons", "--json", "--report", str(report)]
    assert main(words) == 0
    (verdict,) = json.loads(capsys.readouterr().out)
    assert verdict["species"] == "mouse"
    assert verdict["origin"]["citation"] == CITATION
    text = report.read_text()
    assert CITATION in text
    assert "its current-clamp sweeps were read" in text


def _batch(out: Path) -> "subprocess.Popen[str]":
    words = ["fetch", "--dandi", "20", "--all", "--classify", str(out)]
    return subprocess.Popen(
        [sys.executable, "-m", "neuroclass", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=PROJECT_DIR,
        env={**os.environ, "PYTHONPATH": str(PROJECT_DIR), "OMP_NUM_THREADS": "1"},
    )


def test_a_killed_batch_goes_on_where_it_was(archive: Archive, tmp_path: Path) -> None:
    out = tmp_path / "verdicts.jsonl"
    with _batch(out) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("  sub-1"))
        process.send_signal(signal.SIGKILL)
    first = out.read_bytes()
    assert first.count(b"\n") >= 1
    archive.requests.clear()
    with _batch(out) as process:
        text = process.stdout.read() if process.stdout else ""
    assert process.returncode == 3
    assert out.read_bytes().startswith(first)
    done = [json.loads(line)["reports"][0] for line in out.read_bytes().splitlines()]
    assert [one["path"] for one in done] == [one.path for one in archive.files[:2]] + ["sub-9/a.zarr", "sub-9/b.nwb"]
    assert not [path for path, _ in archive.requests if archive.files[0].id in path]
    assert text.count("refused") == 2
