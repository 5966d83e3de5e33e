"""Training runs: found again by id, cancelled with their children, failures told apart."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from neuroclass.config import ValidationSettings
from neuroclass.errors import SettingsError
from neuroclass.training import jobs
from neuroclass.training.job import State
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.runs import Cells, RunConfig

DANN, LSPIN = RunConfig("dann"), RunConfig("lspin")
FOLDER = "import json, pathlib, sys, time\nfolder = pathlib.Path(sys.argv[sys.argv.index('--resume') + 1])\n"
FINISH = FOLDER + "(folder / 'result.json').write_text(json.dumps({'model': 'x'}))\n"
SLEEP = "import time; time.sleep(60)"


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
        FINISH + "(folder / 'history.json').write_text(json.dumps({'epochs': [{'epoch': 1}, {'epoch': 2}]}))\n"
    )
    registry = JobRegistry(tmp_path / "jobs")
    job_id = registry.start(LSPIN)
    _wait(registry, job_id, State.DONE)
    job = JobRegistry(tmp_path / "jobs").look(job_id)
    assert job.result == {"model": "x"}
    assert job.config["system"] == "lspin"
    assert [entry["epoch"] for entry in job.history] == [1, 2]


def test_another_registry_sees_and_cancels_a_running_job(
    tmp_path: Path, fake_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_python.write_text(SLEEP)
    first, second = JobRegistry(tmp_path / "jobs"), JobRegistry(tmp_path / "jobs")
    job_id = first.start(DANN)
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
    fake_python.write_text(FOLDER + "(folder / 'failed').touch()\nraise SystemExit('no cells')")
    registry = JobRegistry(tmp_path / "jobs")
    job_id = registry.start(DANN)
    _wait(registry, job_id, State.FAILED)
    assert "no cells" in registry.look(job_id).message


def test_only_so_many_at_once_though_six_start_together(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(SLEEP)
    registries = [JobRegistry(tmp_path / "jobs") for _ in range(6)]
    started: list[str] = []
    threads = [threading.Thread(target=lambda r=r: started.append(r.start(DANN, owner="me"))) for r in registries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = [registries[0].look(job_id).state for job_id in started]
    assert (states.count(State.RUNNING), states.count(State.QUEUED)) == (jobs.MAX_RUNNING, 6 - jobs.MAX_RUNNING)
    first = next(job_id for job_id in started if registries[0].look(job_id).state is State.RUNNING)
    registries[0].cancel(first, "me")
    registries[0].advance()
    assert [registries[0].look(job_id).state for job_id in started].count(State.RUNNING) == jobs.MAX_RUNNING
    for job_id in sorted(started, key=lambda one: registries[0].look(one).state is State.RUNNING):
        registries[0].cancel(job_id, "me")
    assert {registries[0].look(job_id).state for job_id in started} == {State.CANCELLED}


def test_visitors_take_turns(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(SLEEP)
    registry = JobRegistry(tmp_path / "jobs")
    mine = [registry.start(DANN, owner="me") for _ in range(4)]
    theirs = registry.start(LSPIN, owner="you")
    assert registry.look(theirs).state is State.QUEUED
    ended = next(job_id for job_id in mine if registry.look(job_id).state is State.RUNNING)
    registry.cancel(ended, "me")
    registry.advance()
    assert registry.look(theirs).state is State.RUNNING
    for job_id in reversed(mine):
        registry.cancel(job_id, "me")
    registry.cancel(theirs, "you")


def test_the_next_starts_when_one_has_ended_though_nobody_looks(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(FINISH + "time.sleep(0.2)")
    registry = JobRegistry(tmp_path / "jobs")
    started = [registry.start(DANN) for _ in range(jobs.MAX_RUNNING + 1)]
    deadline = time.monotonic() + 30
    while (tmp_path / "jobs" / started[-1] / "queued").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    for job_id in started:
        _wait(registry, job_id, State.DONE)


def test_a_visitor_has_only_so_many_waiting(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(SLEEP)
    registry = JobRegistry(tmp_path / "jobs")
    started = [registry.start(DANN, owner="me") for _ in range(jobs.MAX_RUNNING + jobs.MAX_WAITING)]
    with pytest.raises(SettingsError, match="are waiting"):
        registry.start(DANN, owner="me")
    registry.start(DANN, owner="you")
    for job in sorted(registry.recent(20), key=lambda job: job.state is State.RUNNING):
        registry.cancel(job.id, shared=True)
    assert len(started) == 7


def test_only_who_started_a_run_cancels_it_or_all_where_the_lab_shares(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(SLEEP)
    registry = JobRegistry(tmp_path / "jobs")
    job_id = registry.start(DANN, owner="me")
    for other in ("you", ""):
        with pytest.raises(SettingsError, match="Another visitor"):
            registry.cancel(job_id, other)
    assert registry.look(job_id).state is State.RUNNING
    assert "me" not in json.loads((tmp_path / "jobs" / job_id / "job.json").read_text())["owner"].split()
    registry.cancel(job_id, "you", shared=True)
    _wait(registry, job_id, State.CANCELLED)


@pytest.mark.parametrize(
    "record",
    ["", "[", "[1]", "null", '{"pid": "x"}', '{"pid": 1e400}', '{"pid": 99999999999999}', '{"pid": [], "started": {}}'],
)
def test_a_damaged_record_hides_no_other_run(tmp_path: Path, fake_python: Path, record: str) -> None:
    fake_python.write_text(FINISH)
    registry = JobRegistry(tmp_path / "jobs")
    good = registry.start(LSPIN)
    _wait(registry, good, State.DONE)
    for name in ("20260101-000000-dann-abcdef", "99999999-999999-dann-abcdef"):
        (tmp_path / "jobs" / name).mkdir()
        (tmp_path / "jobs" / name / "job.json").write_text(record)
        (tmp_path / "jobs" / name / "status.json").write_text('{"left_s": [], "epoch": "x"}')
        (tmp_path / "jobs" / name / "history.json").write_text('{"epochs": 7}')
    found = {job.id: job for job in registry.recent()}
    assert found[good].state is State.DONE and len(found) == 3
    assert found["20260101-000000-dann-abcdef"].state is State.FAILED


@pytest.mark.parametrize("job_id", ["../../etc", "20260101-000000-dann-abcdef", ""])
def test_ids_from_outside_reach_no_other_folder(tmp_path: Path, job_id: str) -> None:
    with pytest.raises(SettingsError):
        JobRegistry(tmp_path / "jobs").look(job_id)


def test_a_later_process_of_the_same_id_is_not_the_job(tmp_path: Path) -> None:
    folder = tmp_path / "jobs" / "20260101-000000-dann-abcdef"
    folder.mkdir(parents=True)
    started = psutil.Process().create_time()
    registry = JobRegistry(tmp_path / "jobs")
    for when, state in ((started, State.RUNNING), (started - 3600, State.INTERRUPTED)):
        (folder / "config.json").write_text(json.dumps(DANN.to_json()))
        record = {"model": "dann", "pid": os.getpid(), "started": when}
        (folder / "job.json").write_text(json.dumps(record))
        assert registry.look(folder.name).state is state


def test_a_paused_run_and_a_killed_one_continue_in_their_folder(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(SLEEP)
    registry = JobRegistry(tmp_path / "jobs")
    paused, killed = registry.start(DANN, owner="me"), registry.start(LSPIN, owner="me")
    with pytest.raises(SettingsError, match="is running; only"):
        registry.resume(paused, "me")
    with pytest.raises(SettingsError, match="only they can pause"):
        registry.pause(paused, "you")
    registry.pause(paused, "me")
    os.killpg(json.loads((tmp_path / "jobs" / killed / "job.json").read_text())["pid"], signal.SIGKILL)
    _wait(registry, paused, State.PAUSED)
    _wait(registry, killed, State.INTERRUPTED)
    fake_python.write_text(FINISH)
    later = JobRegistry(tmp_path / "jobs")
    for job_id in (paused, killed):
        with pytest.raises(SettingsError, match="only they can resume"):
            later.resume(job_id, "you")
        later.resume(job_id, "me")
        _wait(later, job_id, State.DONE)
        with pytest.raises(SettingsError, match="is done"):
            later.resume(job_id, "me")


def test_a_waiting_run_is_paused_without_ever_starting(tmp_path: Path, fake_python: Path) -> None:
    fake_python.write_text(SLEEP)
    registry = JobRegistry(tmp_path / "jobs")
    started = [registry.start(DANN) for _ in range(jobs.MAX_RUNNING + 1)]
    registry.pause(started[-1])
    assert registry.look(started[-1]).state is State.PAUSED
    registry.resume(started[-1])
    assert registry.look(started[-1]).state is State.QUEUED
    for job_id in reversed(started):
        registry.cancel(job_id)


def test_a_run_that_cannot_be_trained_is_refused_before_it_waits() -> None:
    for words, wrong in (
        ("no model svm", {"system": "svm"}),
        ("has no setting 'hiden'", {"system": "dann", "settings": {"hiden": (4,)}}),
        ("dropout is 2.0; expected a number from 0 to 0.9", {"system": "dann", "settings": {"dropout": 2}}),
        ("hidden is 4; expected whole numbers, one a layer", {"system": "dann", "settings": {"hidden": 4}}),
        ("steps is 2.5; expected a whole number", {"system": "lspin", "settings": {"steps": 2.5}}),
        ("report evaluates the recipe", {"system": "lspin", "settings": {"steps": 25}, "report": True}),
        ("needs a labelled table", {"system": "lspin", "cells": Cells.BOTH}),
        ("at most 60", {"system": "lspin", "name": "x" * 61}),
    ):
        with pytest.raises(SettingsError, match=words):
            RunConfig(**wrong)
    with pytest.raises(SettingsError, match="without validation donors"):
        ValidationSettings(share=0, patience=3)
