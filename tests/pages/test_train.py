"""The Train page: what it starts, and which run it watches."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.cohort.demo import load_demo
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.runs import RunConfig
from neuroclass.training.settings import named_settings
from neuroclass.ui.train.plan import processes

Open = Callable[..., AppTest]


def finished(folder: Path, job_id: str) -> None:
    """A run that has ended, as it lies on disk."""
    job = folder / "jobs" / job_id
    job.mkdir(parents=True)
    (job / "job.json").write_text(json.dumps({"model": job_id.split("-")[2], "pid": 0, "born": "0"}))
    (job / "config.json").write_text(json.dumps(RunConfig(job_id.split("-")[2]).to_json()))
    (job / "status.json").write_text(json.dumps({"phase": "epoch", "epoch": 2, "of": 2, "seconds": 61.0}))
    epochs = [
        {"epoch": k, "of": 2, "label": 1.0 / k, "validation_label": 1.1, "training_accuracy": 0.5 + 0.1 * k,
         "validation_accuracy": 0.6, "validation_macro_f1": 0.6 - 0.1 * k} for k in (1, 2)
    ]  # fmt: skip
    (job / "history.json").write_text(json.dumps({"epochs": epochs}))
    (job / "result.json").write_text(json.dumps({"model": "lspin"}))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[RunConfig]:
    """What the page would start."""
    calls: list[RunConfig] = []

    def start(_: JobRegistry, config: RunConfig, owner: str, own: bytes | None) -> str:
        calls.append(config)
        return "20260101-000000-lspin-abcdef"

    monkeypatch.setattr(JobRegistry, "start", start)
    return calls


def test_only_changed_settings_are_passed_on(open_page: Open, tiny_models: Path, started: list[RunConfig]) -> None:
    app = open_page("train")
    app.number_input(key="lspin-steps").set_value(200).run()
    assert not any("Full report" in one for one in app.selectbox(key="protocol").options)
    assert "--set steps=200" in app.code[0].value
    app.button(key="start").click().run()
    assert not app.exception
    assert [dict(config.settings) for config in started] == [{"steps": 200}]


def test_the_recipe_as_it_is_may_be_evaluated(open_page: Open, tiny_models: Path, started: list[RunConfig]) -> None:
    app = open_page("train")
    app.selectbox(key="protocol").set_value("report").run()
    app.button(key="start").click().run()
    assert (started[0].report, started[0].validation.share) == (True, 0.0)


def test_every_setting_is_offered_with_its_range_and_the_paper_s_at_a_click(
    open_page: Open, tiny_models: Path, started: list[RunConfig]
) -> None:
    app = open_page("train")
    for system in ("lspin", "dann"):
        app.segmented_control(key="train_model").set_value(system).run()
        for name, one in named_settings(system).items():
            if isinstance(one.default, tuple):
                assert app.text_input(key=f"{system}-{name}").help.startswith(one.setting.meaning)
            else:
                field = app.number_input(key=f"{system}-{name}")
                assert (field.min, field.max) == (one.setting.low, one.setting.high)
    app.segmented_control(key="dann-preset").set_value("paper").run()
    app.text_input(key="dann-paper-hidden").set_value("32, 8").run()
    app.button(key="start").click().run()
    assert started[0].settings["hidden"] == (32, 8) and started[0].settings["reversal"] == 0.88
    assert app.segmented_control(key="train_section").value == "Runs"
    app.segmented_control(key="train_section").set_value("Train").run()
    assert app.text_input(key="dann-paper-hidden").value == "32, 8"
    app.text_input(key="dann-paper-hidden").set_value("many").run()
    assert not app.exception
    assert "whole numbers separated by commas" in app.error[0].value


@pytest.mark.parametrize(("address", "section"), [
    ({}, "Train"), ({"job": "x"}, "Runs"), ({"search": "shipped-dann"}, "Search"), ({"section": "Runs"}, "Runs"),
    ({"section": "nowhere"}, "Train"),
])  # fmt: skip
def test_the_address_opens_its_section(
    open_page: Open, tiny_models: Path, address: dict[str, str], section: str
) -> None:
    app = open_page("train", **address)
    assert not app.exception
    assert app.segmented_control(key="train_section").value == section


def test_evaluations_say_how_long_they_take_once_a_run_has_been_timed(
    open_page: Open, tiny_models: Path, tmp_path: Path
) -> None:
    import streamlit as st

    st.cache_resource.clear()
    untimed = open_page("train").selectbox(key="protocol").options
    assert untimed[0] == "On unseen donors, 5 folds" and untimed[-1] == "No evaluation"
    finished(tmp_path / "cache", run := "20260102-030405-lspin-aaaaaa")
    (tmp_path / "cache" / "jobs" / run / "metrics.json").write_text(json.dumps({"training_s": 120.0}))
    app = open_page("train")
    assert any(f"About {round(2 + 10 / processes())} min: training 2 min" in one.value for one in app.caption)
    app.selectbox(key="protocol").set_value("donor-cv").run()
    assert any(f"evaluation {round(50 / processes())} min" in one.value for one in app.caption)


def test_the_whole_time_is_the_sum_of_its_parts_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from neuroclass.ui.train import plan

    monkeypatch.setattr(plan, "training_s", lambda _: 45.0)
    monkeypatch.setattr(plan, "processes", lambda: 1)
    assert plan.time("lspin", plan.ONCE, False).startswith("About 5 min: training 45 s, evaluation 4 min.")


def test_a_run_is_evaluated_unless_that_is_declined(
    open_page: Open, tiny_models: Path, started: list[RunConfig]
) -> None:
    app = open_page("train")
    app.button(key="start").click().run()
    app = open_page("train")
    app.selectbox(key="protocol").set_value("none").run()
    assert any("no accuracy on held-out donors" in one.value for one in app.markdown)
    app.button(key="start").click().run()
    assert [(config.protocol, config.repeats) for config in started] == [("donor-cv", 1), ("", None)]


def test_the_form_says_on_how_many_cells_and_donors_by_class(open_page: Open, tiny_models: Path) -> None:
    app = open_page("train")
    (said,) = (one.value for one in app.markdown if one.value.startswith("**This run:**"))
    frame = load_demo().labelled("subclass").frame
    assert f"{len(frame):,} simulated mouse cells of {frame['donor'].nunique():,} donors" in said
    assert f"Pvalb {(frame['subclass'] == 'Pvalb').sum()}" in said and "**You get:**" in said


def test_a_run_shows_the_accuracy_of_its_protocol(open_page: Open, tiny_models: Path, tmp_path: Path) -> None:
    import streamlit as st

    st.cache_resource.clear()
    finished(tmp_path / "cache", run := "20260102-030405-lspin-aaaaaa")
    interval = {"mean": 0.875, "low": 0.85, "high": 0.9}
    found = {"protocol": "donor-cv", "n_cells": 90, "metrics": {"accuracy": interval, "macro_f1": {"mean": 0.8}}}
    (tmp_path / "cache" / "jobs" / run / "metrics.json").write_text(json.dumps({"protocol": found}))
    app = open_page("train", job=run)
    (said,) = (one.value for one in app.markdown if "held-out cells" in one.value)
    assert said.startswith("**Accuracy 87.5% (85.0–90.0)**, macro F1 80.0% on 90 held-out cells. Donor-grouped")


def test_the_run_in_the_address_is_watched(open_page: Open, tiny_models: Path, tmp_path: Path) -> None:
    import streamlit as st

    st.cache_resource.clear()
    runs = ("20260102-030405-lspin-aaaaaa", "20260203-040506-dann-bbbbbb")
    for run in runs:
        finished(tmp_path / "cache", run)
    newest = open_page("train", section="Runs")
    assert newest.selectbox(key="job").value == runs[1]
    older = open_page("train", job=runs[0])
    assert not older.exception
    assert older.selectbox(key="job").value == runs[0]
    assert "02 Jan 2026 03:04:05" in older.selectbox(key="job").options[1]
    assert "neuroclass classify FILE --models" in older.code[0].value


def test_a_damaged_run_hides_no_other(open_page: Open, tiny_models: Path, tmp_path: Path) -> None:
    good, bad = "20260102-030405-lspin-aaaaaa", "99999999-999999-dann-bbbbbb"
    finished(tmp_path / "cache", good)
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


def test_runs_are_compared_by_curves_and_settings(open_page: Open, tiny_models: Path, tmp_path: Path) -> None:
    import streamlit as st

    st.cache_resource.clear()
    first, second = "20260102-030405-lspin-aaaaaa", "20260203-040506-lspin-bbbbbb"
    for run, settings in ((first, {}), (second, {"gate_penalty": 0.5})):
        finished(tmp_path / "cache", run)
        config = RunConfig("lspin", settings, name=f"run {run[-3:]}")
        (tmp_path / "cache" / "jobs" / run / "config.json").write_text(json.dumps(config.to_json()))
    app = open_page("train", job=first)
    app.multiselect(key="compare").set_value([first, second]).run()
    assert not app.exception
    assert app.dataframe[0].value["Name"].tolist() == ["run bbb", "run aaa"]
    assert app.dataframe[0].value["Best epoch"].tolist() == [1, 1]
    assert app.dataframe[1].value["Setting"].tolist() == ["Gate penalty λ₁"]


@pytest.mark.parametrize("mark", ["paused", "cancelled", "", "failed"])
def test_a_run_that_stopped_is_resumed_from_the_page(
    open_page: Open, tiny_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    import streamlit as st

    st.cache_resource.clear()
    run = "20260102-030405-lspin-aaaaaa"
    finished(tmp_path / "cache", run)
    (tmp_path / "cache" / "jobs" / run / "result.json").unlink()
    if mark:
        (tmp_path / "cache" / "jobs" / run / mark).touch()
    resumed: list[str] = []
    monkeypatch.setattr(JobRegistry, "resume", lambda _, job_id, *__: resumed.append(job_id))
    app = open_page("train", job=run)
    next(button for button in app.button if button.label == "Resume").click().run()
    assert not app.exception and resumed == [run]
