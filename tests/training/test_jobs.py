"""Training runs: found again by id, cancelled with their children, failures told apart."""

import json
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from neuroclass.errors import SettingsError
from neuroclass.training import jobs
from neuroclass.training.jobs import JobRegistry, State

SLEEP = "import sys, time; print('{\"a\": 1}'); sys.stdout.flush(); time.sleep(60)"


@pytest.fixture
def fake_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the trainer: runs the script that ``fake.py`` holds."""
    script = tmp_path / "fake.py"
    launcher = tmp_path / "launcher"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(jobs.sys, "executable", str(launcher))
    return script


def _wait(registry: JobRegistry, job_id: str, state: State) -> None:
    deadline = time.monotonic() + 60
    while registry.look(job_id).state is not state and time.monotonic() < deadline:
        time.sleep(0.05)
    assert registry.look(job_id).state is state


def test_a_run_ends_with_its_result_and_history(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(
        "import json, sys\n"
        "path = sys.argv[sys.argv.index('--status') + 1]\n"
        "json.dump({'epoch': 2, 'of': 2, 'history': [{'epoch': 1}, {'epoch': 2}]}, open(path, 'w'))\n"
        "print(json.dumps({'model': sys.argv[4]}))\n"
    )
    registry = JobRegistry(tmp_path / "jobs")
    job_id = registry.start("lspin")
    _wait(registry, job_id, State.DONE)
    job = JobRegistry(tmp_path / "jobs").look(job_id)
    assert job.result == {"model": "lspin"}
    assert [entry["epoch"] for entry in job.history] == [1, 2]


def test_another_registry_sees_and_cancels_a_running_job(
    tmp_path: Path, fake_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_python.write_text(SLEEP)
    first, second = JobRegistry(tmp_path / "jobs"), JobRegistry(tmp_path / "jobs")
    job_id = first.start("dann")
    assert second.look(job_id).state is State.RUNNING
    waited, sleep = [0.0], time.sleep
    monkeypatch.setattr(jobs.time, "sleep", lambda s: (waited.append(s), sleep(s)))
    second.cancel(job_id)
    assert sum(waited) < 2.5
    _wait(first, job_id, State.CANCELLED)
    pid = json.loads((tmp_path / "jobs" / job_id / "job.json").read_text())["pid"]
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)


def test_a_crash_is_a_failure_with_its_last_words(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text("raise SystemExit('no cells')")
    registry = JobRegistry(tmp_path / "jobs")
    job_id = registry.start("dann")
    _wait(registry, job_id, State.FAILED)
    assert "no cells" in registry.look(job_id).message


def test_only_so_many_at_once(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(SLEEP)
    registry = JobRegistry(tmp_path / "jobs")
    running = [registry.start("dann") for _ in range(jobs.MAX_RUNNING)]
    with pytest.raises(SettingsError, match="under way"):
        registry.start("dann")
    for job_id in running:
        registry.cancel(job_id)


@pytest.mark.parametrize("job_id", ["../../etc", "20260101-000000-dann-abcdef", ""])
def test_ids_from_outside_reach_no_other_folder(tmp_path: Path, job_id: str) -> None:
    with pytest.raises(SettingsError):
        JobRegistry(tmp_path / "jobs").look(job_id)


def test_a_later_process_of_the_same_id_is_not_the_job(tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "20260101-000000-dann-abcdef"
    folder.mkdir(parents=True)
    started = psutil.Process().create_time()
    registry = JobRegistry(tmp_path / "jobs")
    for when, state in ((started, State.RUNNING), (started - 3600, State.FAILED)):
        record = {"model": "dann", "pid": os.getpid(), "started": when}
        (folder / "job.json").write_text(json.dumps(record))
        assert registry.look(folder.name).state is state
