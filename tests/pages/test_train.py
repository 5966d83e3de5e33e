"""The Train page: what it starts, and which run it watches."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.training.jobs import JobRegistry

Open = Callable[..., AppTest]


def _finished(folder: Path, job_id: str) -> None:
    """A run that has ended, as it lies on disk."""
    job = folder / "jobs" / job_id
    job.mkdir(parents=True)
    (job / "job.json").write_text(json.dumps({"model": job_id.split("-")[2], "pid": 0, "born": "0"}))
    (job / "status.json").write_text(
        json.dumps({"phase": "epoch", "epoch": 2, "of": 2, "seconds": 61.0, "history": []})
    )
    (job / "result.json").write_text(json.dumps({"model": "lspin"}))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What the page would start."""
    calls: list[tuple[str, list[str]]] = []

    def start(_: JobRegistry, model: str, arguments: list[str], owner: str) -> str:
        calls.append((model, arguments))
        return "20260101-000000-lspin-abcdef"

    monkeypatch.setattr(JobRegistry, "start", start)
    return calls


def test_only_changed_settings_are_passed_on(open_page: Open, tiny_models: Path, started: list) -> None:
    app = open_page("train")
    app.number_input(key="lspin-steps").set_value(200).run()
    assert app.toggle(key="report").disabled
    app.button(key="start").click().run()
    assert not app.exception
    assert started == [("lspin", ["--steps", "200"])]


def test_the_recipe_as_it_is_may_be_evaluated(open_page: Open, tiny_models: Path, started: list) -> None:
    app = open_page("train")
    app.toggle(key="report").set_value(True).run()
    app.button(key="start").click().run()
    assert started == [("lspin", ["--report", "--jobs", "1"])]


def test_the_run_in_the_address_is_watched(open_page: Open, tiny_models: Path, tmp_path: Path) -> None:
    import streamlit as st

    st.cache_resource.clear()
    runs = ("20260102-030405-lspin-aaaaaa", "20260203-040506-dann-bbbbbb")
    for run in runs:
        _finished(tmp_path / "cache", run)
    newest = open_page("train")
    assert newest.selectbox(key="job").value == runs[1]
    older = open_page("train", job=runs[0])
    assert not older.exception
    assert older.selectbox(key="job").value == runs[0]
    assert "02 Jan 2026 03:04:05" in older.selectbox(key="job").options[1]
    assert "neuroclass classify FILE --models" in older.code[0].value


def test_a_damaged_run_hides_no_other(open_page: Open, tiny_models: Path, tmp_path: Path) -> None:
    good, bad = "20260102-030405-lspin-aaaaaa", "99999999-999999-dann-bbbbbb"
    _finished(tmp_path / "cache", good)
    (tmp_path / "cache" / "jobs" / bad).mkdir()
    (tmp_path / "cache" / "jobs" / bad / "job.json").write_text('{"pid": "x", "started": []}')
    status = '{"epoch": "x", "of": [], "seconds": {}, "history": 7}'
    (tmp_path / "cache" / "jobs" / bad / "status.json").write_text(status)
    for job in (good, bad):
        app = open_page("train", job=job)
        assert not app.exception
        assert app.selectbox(key="job").value == job
        assert len(app.selectbox(key="job").options) == 2


@pytest.mark.parametrize(("shared", "offered"), [("", False), ("yes", True)])
def test_cancelling_is_offered_to_who_started_a_run_or_to_all_where_the_lab_shares(
    open_page: Open, tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: str, offered: bool
) -> None:
    monkeypatch.setenv("NEUROCLASS_HISTORY_SHARED", shared)
    run = "20260102-030405-lspin-aaaaaa"
    folder = tmp_path / "cache" / "jobs" / run
    folder.mkdir(parents=True)
    started = psutil.Process().create_time()
    (folder / "job.json").write_text(
        json.dumps({"model": "lspin", "pid": os.getpid(), "started": started, "owner": "a" * 64})
    )
    app = open_page("train", job=run)
    assert not app.exception
    assert any(button.label == "Cancel" for button in app.button) == offered
