"""The Train page's search for settings: what it starts, what it shows, and how its setting is used."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.config import SearchSettings, ValidationSettings
from neuroclass.reports.store import Document, ReportStore
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.runs import RunConfig
from neuroclass.training.search_space import SPACES, Span
from neuroclass.training.settings import all_values, recipe

Open = Callable[..., AppTest]
RUN = "20260102-030405-lspin-aaaaaa"


def found(simulated: bool = True) -> dict[str, Any]:
    """What a search leaves, of two trials a study."""
    space = {name: vars(one) if isinstance(one, Span) else {"options": one.options} for name, one in
             SPACES["lspin"].items()}  # fmt: skip
    usual = {name: all_values("lspin", recipe("lspin"))[name] for name in space}
    better = {**usual, "dropout": 0.25, "gating": (25, 25), "steps": 300}
    trials = [
        {"number": k, "state": "complete", "settings": one, "inner": [score, score], "score": score}
        for k, (one, score) in enumerate(((usual, 0.7), (better, 0.8)))
    ]
    interval = {"mean": 0.75, "low": 0.7, "high": 0.79, "sd": 0.02}
    figures = dict.fromkeys(("balanced_accuracy", "accuracy", "macro_f1"), interval)
    studies = [
        {"outer": k, "n_cells": 90, "n_donors": 30, "trials": trials, "importance": {"dropout": 0.9, "steps": 0.1},
         "chosen": better, "inner_score": 0.8, "outer_score": None if k is None else 0.75} for k in (0, 1, None)
    ]  # fmt: skip
    return {
        "system": "lspin", "task": "subclass", "score": "balanced accuracy", "search": vars(SearchSettings()),
        "cells": {"source": "a table", "simulated": simulated, "n_cells": 120, "n_donors": 40}, "fixed": {},
        "space": space, "studies": studies, "chosen": better, "inner": {"balanced_accuracy": {"mean": 0.8, "sd": 0.0}},
        "outer": {**figures, "open_gates": 6.0}, "recipe": figures,
        "difference": {"difference": 0.01, "low": -0.02, "high": 0.04, "p": 0.5},
    }  # fmt: skip


@pytest.fixture
def run(tiny_models: Path, tmp_path: Path) -> Path:
    """A search that has ended, beside no training run."""
    folder = tmp_path / "cache" / "jobs" / RUN
    folder.mkdir(parents=True)
    config = RunConfig("lspin", {}, ValidationSettings(0.0), name="wide", search=SearchSettings(trials=2))
    (folder / "job.json").write_text(json.dumps({"model": "lspin", "pid": 0}))
    (folder / "config.json").write_text(json.dumps(config.to_json()))
    (folder / "search.json").write_text(json.dumps(found()))
    (folder / "result.json").write_text(json.dumps({"model": "lspin", "outer": {}}))
    return folder


def test_a_search_is_queued_as_the_form_says(
    open_page: Open, tiny_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[RunConfig] = []

    def start(_: JobRegistry, config: RunConfig, owner: str, own: bytes | None = None) -> str:
        calls.append(config)
        return RUN

    monkeypatch.setattr(JobRegistry, "start", start)
    app = open_page("train", section="Search")
    app.number_input(key="search-trials").set_value(7).run()
    assert any("train search lspin --trials 7" in code.value for code in app.code)
    app.button(key="start_search").click().run()
    assert not app.exception
    assert [config.search for config in calls] == [SearchSettings(trials=7)]
    assert calls[0].validation.share == 0


def test_inner_and_outer_scores_stand_side_by_side(open_page: Open, run: Path) -> None:
    app = open_page("train", section="Search")
    assert not app.exception
    assert app.selectbox(key="search").value == RUN
    scores = next(one.value for one in app.table if "Balanced accuracy" in one.value)
    assert scores["Balanced accuracy"].tolist() == ["80.0%", "75.0% (70.0–79.0)", "75.0% (70.0–79.0)"]
    assert scores["Evaluated on"].tolist() == [
        "Inner folds, which chose the settings",
        "Outer folds, never seen by the search",
        "Outer folds, built-in settings",
    ]
    assert any("optimistic" in one.value and "never seen by the search" in one.value for one in app.markdown)
    assert scores["Features used (median)"].tolist() == ["–", "6 of 41", "–"]
    (said,) = (one.value for one in app.markdown if "Searched minus built-in" in one.value)
    assert "+1.0 percentage points (95% CI −2.0 to +4.0); no detectable difference" in said
    assert any("20 trials in each of 3 outer folds" in one.value for one in app.caption)
    assert "job" not in [one.key for one in app.selectbox]  # it is no training run


def test_its_setting_fills_the_form_of_training(open_page: Open, run: Path) -> None:
    app = open_page("train", search=RUN)
    app.button(key=f"use-{RUN}").click().run()
    assert not app.exception
    assert app.segmented_control(key="train_model").value == "lspin"
    assert app.number_input(key="lspin-dropout").value == 0.25
    assert app.text_input(key="lspin-gating").value == "25, 25"
    assert "train lspin" in app.code[0].value
    assert {"steps=300", "gating=25,25", "dropout=0.25"} <= set(app.code[0].value.split())
    assert app.code[0].value.count("--set") == 3


def test_a_shipped_search_is_shown_where_there_is_no_other(open_page: Open, tiny_models: Path) -> None:
    app = open_page("train", section="Search")
    assert not app.exception and any("No search yet" in one.value for one in app.info)
    shipped = found(simulated=False)
    del shipped["chosen"]
    shipped["studies"][-1] = {**shipped["studies"][-1], "trials": []}  # without a search on all cells
    ReportStore("lspin", tiny_models / "lspin").write(Document.SEARCH, shipped)
    ReportStore("dann", tiny_models / "dann").write(Document.SEARCH, {**shipped, "system": "dann"})
    app = open_page("train", section="Search")
    assert not app.exception
    held_out = ["Outer fold 1 held out", "Outer fold 2 held out"]
    assert app.segmented_control(key="study-shipped-lspin").options == held_out
    assert app.selectbox(key="search").options == ["LSPIN, built-in search"]
    app.segmented_control(key="search_model").set_value("dann").run()
    assert not app.exception
    assert app.selectbox(key="search").options == ["DANN, built-in search"]
    linked = open_page("train", search="shipped-dann")
    assert linked.segmented_control(key="search_model").value == "dann"


def test_a_search_under_way_shows_its_trials_but_no_score_of_the_whole(open_page: Open, run: Path) -> None:
    (run / "result.json").unlink()
    (run / "paused").touch()
    part = {key: value for key, value in found().items() if key not in ("inner", "outer", "recipe", "difference")}
    for study in part["studies"]:
        for key in ("importance", "chosen", "inner_score", "outer_score"):
            study.pop(key)
    (run / "search.json").write_text(json.dumps(part))
    app = open_page("train", section="Search")
    assert not app.exception
    assert any("to the same trials" in one.value for one in app.info)
    assert any(button.label == "Resume" for button in app.button)
    assert not any("Balanced accuracy" in one.value for one in app.table)
