"""``train`` and ``evaluate`` end to end on planted cells: files, status, JSON, exit codes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from neuroclass.cli import main
from neuroclass.commands import evaluate, train, training_run
from neuroclass.config import MODELS_DIR
from neuroclass.evaluation.evaluate import run_trials
from neuroclass.evaluation.feature_subsets import of_whole_stimuli
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import plan_protocol
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import load_model
from neuroclass.reports import other_laboratories
from neuroclass.reports.store import ReportStore, Table
from neuroclass.training import library
from neuroclass.types.models import DANN, LSPIN, MODELS
from tests.planted import planted_cohort
from tests.tiny_report import TinyDann, TinyLspin, tiny_cohort, tiny_sizes


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    """Small models on planted cells."""
    cohort = planted_cohort(240)
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    for module in (train, training_run, evaluate):
        monkeypatch.setattr(module, "load_cohort", lambda _: cohort)
    for spec, settings in ((DANN, TinyDann), (LSPIN, TinyLspin)):
        monkeypatch.setitem(MODELS, spec.name, replace(spec, settings=settings))
    return cohort


@pytest.mark.parametrize("name", ["dann", "lspin"])
def test_train_writes_a_model_and_its_progress(name, tmp_path, capsys, quick):
    status = tmp_path / "jobs" / "status.json"
    assert main(["train", name, "--out", str(tmp_path), "--status", str(status), "--validation", "0", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["training_cells"]["sha256"] == quick.labelled("broad" if name == "dann" else "subclass").digest()
    written = json.loads(status.read_text())
    assert (written["epoch"], written["of"]) == (3, 3)
    assert [entry["epoch"] for entry in written["history"]] == [1, 2, 3]
    assert {"total", "label", "domain" if name == "dann" else "gate_penalty", "training_accuracy"} <= set(written)
    assert "validation_accuracy" not in written
    p = load_model(name, tmp_path).predict_proba(quick.matrix())
    assert np.allclose(p.sum(1), 1)


def test_settings_of_a_run_reach_the_model(tmp_path, capsys, quick):
    chosen = ["--seed", "7", "--steps", "20", "--members", "3", "--set", "gating=8,8"]
    assert main(["train", "lspin", "--out", str(tmp_path), *chosen, "--json"]) == 0
    card = json.loads((tmp_path / "lspin" / "card.json").read_text())
    assert card["seeds"] == [7]
    assert (card["settings"]["n_members"], card["settings"]["optimiser"]["steps"]) == (3, 20)
    assert card["settings"]["gating"] == [8, 8]
    assert main(["train", "lspin", "--out", str(tmp_path), "--report", *chosen]) == 2
    assert "as it ships" in capsys.readouterr().err


def test_evaluate_prints_one_object(capsys):
    assert main(["evaluate", "lspin", "--repeats", "1", "--jobs", "1", "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    assert result["protocol"] == "donor-cv"
    assert set(result["groups"]) == {"mouse"}
    assert 0 <= result["metrics"]["accuracy"]["low"] <= result["metrics"]["accuracy"]["high"] <= 1
    assert 0 <= result["open_gates"]["median"] <= 41
    assert "trial 5 of 5" in captured.err


def test_evaluate_prints_text(capsys):
    assert main(["evaluate", "lda", "--task", "broad", "--repeats", "1", "--jobs", "1"]) == 0
    text = capsys.readouterr().out
    assert "human" in text
    assert "macro_f1" in text


@pytest.fixture
def reported(monkeypatch, tmp_path):
    """What would be measured for the report of the sets of features, instead of half an hour of it."""
    calls = []
    for name in ("write_partial", "write_outside"):
        monkeypatch.setattr(other_laboratories, name, lambda *_, name=name: calls.append(name))
    monkeypatch.setattr(library, "build_library", lambda *_: calls.append("build") or 3)
    monkeypatch.setattr(train, "_same_cells", lambda *_: None)
    (tmp_path / "outside").mkdir()
    monkeypatch.setenv("NEUROCLASS_DATA", str(tmp_path))
    return calls


@pytest.mark.parametrize(
    ("asked", "done"),
    [
        ([], ["build"]),
        (["--report"], ["build", "write_partial", "write_outside"]),
        (["--report-only"], ["write_partial", "write_outside"]),
        (["--report-only", "outside"], ["write_outside"]),
        (["--report-only", "partial"], ["write_partial"]),
    ],
)
def test_the_report_of_the_sets_can_be_written_without_fitting_them(asked, done, reported, capsys):
    assert main(["train", "feature-sets", "--out", str(MODELS_DIR), *asked, "--json"]) == 0
    assert reported == done
    answer = json.loads(capsys.readouterr().out)
    assert answer["reports"] == [name.removeprefix("write_") for name in done if name != "build"]


def test_a_report_is_not_written_on_sets_of_other_cells_or_other_models(tmp_path, capsys):
    assert main(["train", "feature-sets", "--out", str(MODELS_DIR), "--report-only", "partial"]) == 2
    assert "were not trained on the cells of planted" in capsys.readouterr().err
    assert main(["train", "feature-sets", "--out", str(tmp_path), "--report-only", "partial"]) == 1
    assert "foundation" in capsys.readouterr().err
    assert main(["train", "lspin", "--out", str(tmp_path), "--report-only"]) == 2
    assert "found lspin" in capsys.readouterr().err


def test_a_report_that_would_lack_something_is_refused_before_the_fits(tmp_path, capsys, reported, monkeypatch):
    assert main(["train", "feature-sets", "--out", str(tmp_path / "empty"), "--report"]) == 1
    assert "empty" in capsys.readouterr().err
    (tmp_path / "outside").rmdir()
    assert main(["train", "feature-sets", "--out", str(MODELS_DIR), "--report"]) == 1
    assert "no folder outside" in capsys.readouterr().err
    assert reported == []


def test_report_holds_what_the_pages_read(tiny_reports):
    cohort = tiny_cohort()
    mouse = int((cohort.column("species") == "mouse").sum())
    report = ReportStore("lspin", tiny_reports / "lspin")
    predictions = report.predictions()
    assert {"id", "species", "donor", "fold", "repeat", "truth", "predicted", "p_Pvalb"} <= set(predictions)
    assert predictions.groupby("repeat")["id"].nunique().tolist() == [mouse, mouse]
    gates, shap = report.table(Table.GATES), report.table(Table.SHAP)
    assert len(gates) == mouse
    assert len(shap) == 5 * mouse
    assert set(FEATURE_NAMES) <= set(gates) & set(shap) & set(report.table(Table.DECILES))
    total = shap.groupby("id")[["base_value", *FEATURE_NAMES]].sum().sum(axis=1)
    assert np.allclose(total, 1, atol=1e-2)
    subsets = report.feature_subsets()
    assert len(of_whole_stimuli(subsets)) == 30
    assert subsets["stimuli"].isna().any()
    metrics = report.metrics()
    assert [(row["model"], row["protocol"]) for row in metrics] == [
        ("lspin", "donor-cv"),
        ("lspin", "paper-split"),
        ("svc", "donor-cv"),
        ("svc", "paper-split"),
    ]
    assert set(metrics[2]["ours_minus_this"]) == {"all", "mouse"}
    assert 0 < metrics[2]["ours_minus_this"]["all"]["p_holm"] <= 1
    groups = report.groups()
    assert set(groups["complete"]["systems"]) == {"lspin", "svc"}
    assert {"line", "layer"} <= set(groups["by"])
    assert report.card()["protocol"] == "donor-cv"
    load_model("lspin", tiny_reports)


def test_the_first_repeat_is_as_a_run_of_its_own_would_predict_it(tiny_reports):
    """The report trains each fold's network once, for the predictions and for all else."""
    with tiny_sizes():
        plan = plan_protocol(Protocol.DONOR_CV, tiny_cohort(), "subclass", 1)
        alone = run_trials("lspin", "subclass", plan, jobs=1)
    stored = ReportStore("lspin", tiny_reports / "lspin").predictions()
    first = stored[stored["repeat"] == 0].reset_index(drop=True)
    assert first["id"].tolist() == alone["id"].tolist()
    assert first["predicted"].tolist() == alone["predicted"].tolist()
    columns = [name for name in first if name.startswith("p_")]
    assert np.allclose(first[columns], alone[columns], atol=1e-5)


def test_the_status_is_kept_for_the_train_page(tiny_reports):
    """The stages after training keep the epochs' history; the page reads these keys."""
    status = json.loads((tiny_reports.parent / "lspin-status.json").read_text())
    assert {"model", "seconds", "phase", "epoch", "of", "history"} <= set(status)
    assert (status["phase"], status["epoch"], status["of"]) == ("taxonomies", 1, 1)
    assert [entry["epoch"] for entry in status["history"]] == [1, 2, 3]
    assert {"total", "label", "gate_penalty", "agreement"} <= set(status["history"][0])
