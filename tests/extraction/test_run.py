"""A folder of recordings becomes a table: serially, on a cluster, and after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from neuroclass.classification.inputs import find_files
from neuroclass.config import PROJECT_DIR
from neuroclass.extraction import items
from neuroclass.extraction.items import ExtractionItem, ExtractionJob
from neuroclass.extraction.run import extract_many
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.allen import AllenCache
from neuroclass.types.progress import Progress
from tests.ephys import planted
from tests.io.nwb_files import write_nwb1

N_FILES = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of different cells, one of them damaged."""
    folder = tmp_path_factory.mktemp("recordings")
    for k in range(N_FILES):
        cell = planted.recording(planted.Cell(rate_hz=25_000.0, vrest_mv=-70.0 + k), planted.FEW_PA)
        write_nwb1(folder / f"cell{k}.nwb", replace(cell, sweeps=cell.sweeps[:4]))
    (folder / "broken.nwb").write_bytes((folder / "cell0.nwb").read_bytes()[:5000])
    return folder


@pytest.fixture(scope="module")
def recordings(folder: Path) -> list[ExtractionItem]:
    return [ExtractionItem((str(path),)) for path in find_files([folder])]


@pytest.fixture(scope="module")
def serial(recordings: list[ExtractionItem], tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("serial") / "features.parquet"
    extract_many(recordings, ExtractionJob(), out)
    return pd.read_parquet(out)


def test_one_bad_file_is_recorded_and_passed_over(serial: pd.DataFrame) -> None:
    assert len(serial) == N_FILES + 1
    bad = serial[serial["error"].notna()]
    assert list(bad["source"]) == ["broken.nwb"]
    assert list(bad["error"]) == ["RecordingError"]
    good = serial[serial["error"].isna()].sort_values("path")
    assert list(good["vrest"].round(2)) == [-70.0 + k for k in range(N_FILES)]
    assert set(FEATURE_NAMES) <= set(serial.columns)
    assert "seal_gohm" in json.loads(good["missing"].iloc[0])


def test_processes_equal_the_serial_run(recordings: list[ExtractionItem], serial: pd.DataFrame, tmp_path: Path) -> None:
    steps: list[Progress] = []
    out = tmp_path / "features.parquet"
    extract_many(recordings, ExtractionJob(), out, jobs=2, progress=steps.append)
    pd.testing.assert_frame_equal(pd.read_parquet(out), serial)
    assert steps[0] == Progress("extract", 0, N_FILES + 1, {"refused": 0})
    assert steps[-1] == Progress("extract", N_FILES + 1, N_FILES + 1, {"refused": 1})


def test_a_dask_cluster_equals_the_serial_run(
    recordings: list[ExtractionItem], serial: pd.DataFrame, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    out = tmp_path / "features.parquet"
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", local_directory=str(tmp_path)
    ) as cluster:
        extract_many(recordings, ExtractionJob(), out, scheduler=cluster.scheduler_address)
    pd.testing.assert_frame_equal(pd.read_parquet(out), serial)


def test_a_killed_run_resumes_without_redoing(folder: Path, serial: pd.DataFrame, tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    journal = tmp_path / "features.parquet.journal"
    program, first = [sys.executable, "-m", "neuroclass", "extract", "--out", str(out)], folder / "cell0.nwb"
    others = [tmp_path / f"{k}.nwb" for k in range(100)]  # so many that the kill comes before the last
    for path in others:
        os.link(first, path)
    command = [*program, str(folder / "broken.nwb"), str(first), *map(str, others)]
    process = subprocess.Popen(command, cwd=PROJECT_DIR, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    give_up = time.monotonic() + 120
    while (not journal.exists() or journal.read_bytes().count(b"\n") < 2) and time.monotonic() < give_up:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = journal.read_bytes().splitlines()
    assert 2 <= len(before) < 2 + len(others)
    assert not out.exists()
    journal.write_bytes(journal.read_bytes() + b'{"key": "cut sho')
    assert subprocess.run([*program, str(folder)], cwd=PROJECT_DIR, capture_output=True).returncode == 3
    after = journal.read_bytes().splitlines()
    assert after[: len(before)] == before
    after = [line for line in after if not line.startswith(b'{"key": "cut sho')]
    keys = [key for line in after if str(folder) in (key := json.loads(line)["key"])]
    assert len(keys) == len(set(keys)) == N_FILES + 1
    pd.testing.assert_frame_equal(pd.read_parquet(out), serial)


def test_a_changed_file_is_measured_again(tmp_path: Path) -> None:
    path, out = tmp_path / "cell.nwb", tmp_path / "features.parquet"
    for vrest in (-70.0, -60.0):
        cell = planted.recording(planted.Cell(rate_hz=25_000.0, vrest_mv=vrest), planted.FEW_PA)
        write_nwb1(path, replace(cell, sweeps=cell.sweeps[:3]))
        extract_many([ExtractionItem((str(path),))], ExtractionJob(), out)
        assert pd.read_parquet(out)["vrest"].round(2).tolist() == [vrest]


@pytest.mark.parametrize("keep", [False, True])
def test_a_specimen_is_downloaded_measured_and_deleted_unless_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool
) -> None:
    cache = AllenCache(tmp_path / "allen")

    def fetch(to: AllenCache, specimen: str) -> Path:
        path = to.nwb_path(specimen)
        path.parent.mkdir(parents=True)
        path.write_bytes((folder / "cell2.nwb").read_bytes())
        return path

    monkeypatch.setattr(items, "default_cache", lambda: cache)
    monkeypatch.setattr(items, "fetch_nwb", fetch)
    out = tmp_path / "features.parquet"
    extract_many([ExtractionItem(specimen="123", keep=keep)], ExtractionJob(), out)
    row = pd.read_parquet(out).iloc[0]
    assert row["path"] == "allen:123"
    assert row["vrest"] == pytest.approx(-68.0, abs=0.01)
    assert cache.nwb_path("123").is_file() is keep
