"""A folder of recordings becomes a dataset, whoever does the work, whatever dies on the way, wherever it is cut off."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from neuroclass.cli import main
from neuroclass.config import PROJECT_DIR
from neuroclass.errors import SettingsError, WorkError
from neuroclass.extraction.dataset import CELLS, FAILED, Dataset, read_dataset
from neuroclass.extraction.fill import fill_dataset
from neuroclass.extraction.items import ExtractionItem, ExtractionJob, feature_rows
from neuroclass.extraction.table import DATASET_COLUMNS
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress
from neuroclass.work.base import Here, Work
from neuroclass.work.dask_cluster import DaskCluster
from neuroclass.work.processes import Processes
from tests.ephys import planted
from tests.extraction.jobs import ONCE, POISON, rows_or_death
from tests.io.nwb_files import write_nwb1

JOB = ExtractionJob()
NAMES = ("a", "b", "c", ONCE, POISON)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of different cells, one damaged, one that kills its process once and one that does so always."""
    folder = tmp_path_factory.mktemp("recordings")
    for k, name in enumerate(NAMES):
        cell = planted.recording(planted.Cell(rate_hz=25_000.0, vrest_mv=-70.0 + k), planted.FEW_PA)
        write_nwb1(folder / f"{name}.nwb", replace(cell, sweeps=cell.sweeps[:3]))
    (folder / "broken.nwb").write_bytes((folder / "a.nwb").read_bytes()[:5000])
    return folder


def items(folder: Path, *without: str) -> list[ExtractionItem]:
    return [ExtractionItem((str(path),)) for path in sorted(folder.glob("*.nwb")) if path.stem not in without]


def filled(
    out: Path, some: list[ExtractionItem], work: Work, rows_of=None, progress: ProgressCallback = ignore_progress, **how
) -> dict:
    rows_of = rows_of or partial(feature_rows, job=JOB)
    with Dataset(out, DATASET_COLUMNS, JOB.facts()) as dataset:
        return fill_dataset(some, rows_of, dataset, work, progress=progress, **how)


@pytest.fixture(scope="module")
def local(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("local")
    filled(out, items(folder), Here())
    return read_dataset(out)


def without(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    return table[~table["path"].map(lambda path: Path(path).stem).isin(names)].reset_index(drop=True)


def test_cells_and_failures_are_apart_and_nothing_is_measured_twice(folder: Path, tmp_path: Path) -> None:
    measured = []

    def counted(item: ExtractionItem) -> list[dict]:
        measured.append(item.name)
        return feature_rows(item, JOB)

    steps: list[Progress] = []
    some = items(folder)
    summary = filled(tmp_path / "out", some, Here(), counted, steps.append, rows_a_part=2)
    assert summary["n_cells"] == len(NAMES) and summary["failed"] == {"RecordingError": 1}
    assert len(list((tmp_path / "out" / CELLS).glob("*.parquet"))) == 3
    failed = pd.read_parquet(tmp_path / "out" / FAILED)
    assert [Path(path).name for path in failed["path"]] == ["broken.nwb"] and failed["message"].iloc[0]
    assert steps[-1] == Progress("extract", len(some), len(some), {"refused": 1})
    again: list[Progress] = []
    filled(tmp_path / "out", some, Here(), counted, again.append)
    assert len(measured) == len(some)
    assert again == [Progress("extract", len(some), len(some), {"refused": 1})]
    filled(tmp_path / "out", some, Here(), counted, retry_failed=True)
    assert [Path(path).name for path in measured[len(some) :]] == ["broken.nwb"]
    assert len(pd.read_parquet(tmp_path / "out" / FAILED)) == 1


def test_a_changed_file_takes_the_place_of_its_old_row(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "a.nwb", tmp_path / "a.nwb")
    shutil.copy(folder / "b.nwb", tmp_path / "b.nwb")
    filled(tmp_path / "out", items(tmp_path), Here())
    shutil.copy(folder / "c.nwb", tmp_path / "a.nwb")
    filled(tmp_path / "out", items(tmp_path), Here())
    assert read_dataset(tmp_path / "out")["vrest"].round(2).tolist() == [-68.0, -69.0]


def test_a_folder_of_other_settings_or_other_things_is_left_alone(folder: Path, tmp_path: Path) -> None:
    filled(tmp_path / "out", items(folder)[:1], Here())
    with pytest.raises(SettingsError, match="other settings or models"), Dataset(tmp_path / "out", {}, {"what": 1}):
        pass
    with Dataset(tmp_path / "out", {}, JOB.facts()), pytest.raises(SettingsError, match="Another process"):
        Dataset(tmp_path / "out", {}, JOB.facts()).__enter__()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(SettingsError, match="holds other files"), Dataset(tmp_path / "mine", {}, {}):
        pass


def test_a_kill_between_two_files_of_a_part_leaves_no_half(tmp_path: Path) -> None:
    archive = {"path": "day.zip", "stamp": "1", "source": "day.zip"}
    with Dataset(tmp_path, DATASET_COLUMNS, {}) as dataset:
        dataset.add([{**archive, "vrest": -70.0}, {**archive, "error": "RecordingError"}])
        assert dataset.keys(CELLS) == dataset.keys(FAILED) == {("day.zip", "1")}
    for path in (tmp_path / CELLS).glob("*.parquet"):
        path.unlink()
    with Dataset(tmp_path, DATASET_COLUMNS, {}) as dataset:
        assert dataset.keys() == set()


def test_processes_give_the_same_dataset_around_a_poisoned_file(
    folder: Path, local: pd.DataFrame, tmp_path: Path
) -> None:
    summary = filled(tmp_path / "out", items(folder), Processes(2), partial(rows_or_death, job=JOB, marks=tmp_path))
    assert summary["failed"] == {"RecordingError": 1, "WorkError": 1}
    pd.testing.assert_frame_equal(read_dataset(tmp_path / "out"), without(local, POISON))


def test_a_cluster_gives_the_same_dataset_around_a_poisoned_file_and_a_killed_worker(
    folder: Path, local: pd.DataFrame, tmp_path: Path
) -> None:
    dask, distributed = pytest.importorskip("dask"), pytest.importorskip("distributed")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", local_directory=str(tmp_path), silence_logs=50
        ) as cluster,
        DaskCluster(cluster.scheduler_address) as work,
    ):
        rows_of = partial(rows_or_death, job=JOB, marks=tmp_path)
        summary = filled(tmp_path / "out", items(folder), work, rows_of)
    assert (tmp_path / ONCE).exists()
    assert summary["failed"] == {"RecordingError": 1, "WorkError": 1}
    pd.testing.assert_frame_equal(read_dataset(tmp_path / "out"), without(local, POISON))


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def scheduler(port: int, folder: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A scheduler and a worker, each in a process of its own."""
    address, quiet = f"tcp://127.0.0.1:{port}", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    program = [sys.executable, "-m"]
    words = [
        [*program, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"],
        [*program, "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"],
    ]
    words[1] += ["--local-directory", str(folder), "--death-timeout", "60"]
    started = [subprocess.Popen(one, cwd=PROJECT_DIR, **quiet) for one in words]
    try:
        yield address, started[0]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


def test_a_scheduler_that_is_killed_is_told_and_a_new_one_finishes(
    folder: Path, local: pd.DataFrame, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    some, port = items(folder), free_port()
    with scheduler(port, tmp_path) as (address, process):

        def kill(progress: Progress) -> None:
            if progress.done == 2:
                process.send_signal(signal.SIGKILL)

        with DaskCluster(address) as work, pytest.raises(WorkError, match="is gone"):
            filled(tmp_path / "out", some, work, progress=kill)
    finished = len(pd.read_parquet(tmp_path / "out" / CELLS)) + len(pd.read_parquet(tmp_path / "out" / FAILED))
    assert 2 <= finished < len(some)
    steps: list[Progress] = []
    with scheduler(port, tmp_path) as (address, _), DaskCluster(address) as work:
        filled(tmp_path / "out", some, work, progress=steps.append)
    assert steps[0].done == finished
    pd.testing.assert_frame_equal(read_dataset(tmp_path / "out"), local)


def test_both_commands_write_datasets_and_keep_their_tables(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    one, two = tmp_path / "features", tmp_path / "verdicts"
    for _ in range(2):
        assert main(["extract", "a.nwb", "broken.nwb", "--out", str(one)]) == 3
        said = capsys.readouterr().out
        assert "1 cells" in said and "1 refused, with the reasons: 1 RecordingError" in said
    assert main(["extract", "a.nwb", "--out", str(tmp_path / "table.parquet")]) == 0
    table = pd.read_parquet(tmp_path / "table.parquet")
    assert table["vrest"].tolist() == read_dataset(one)["vrest"].tolist()
    capsys.readouterr()
    words = ["classify", "a.nwb", "--no-reasons", "--species", "mouse"]
    assert main([*words, "--out", str(two), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n_cells"] == 1
    assert main([*words, "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    (row,) = read_dataset(two).to_dict("records")
    assert row["path"] == str(folder / "a.nwb")
    assert {name: row[f"broad_p_{name}"] for name in answer["broad"]} == answer["broad"]
    assert row["subclass_set"].split("|") == answer["set"]["subclass"]
    assert row["fingerprint"] == answer["fingerprint"]
    assert main([*words, "--prior", "Sst=0", "--out", str(two)]) == 2
    assert "other settings or models" in capsys.readouterr().err
    assert main(["classify", "a.nwb", "--workers", "2"]) == 2
    assert main(["extract", "a.nwb", "--out", str(one), "--workers", "0"]) == 2
