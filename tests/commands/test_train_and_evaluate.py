"""``train`` and ``evaluate`` end to end on planted cells: files, status, JSON, exit codes."""

import json

import numpy as np
import pandas as pd
import pytest

from neuroclass.cli import main
from neuroclass.commands import evaluate, train
from neuroclass.config import DannSettings, LspinSettings, OptimiserSettings
from neuroclass.evaluation.protocols import plan_protocol
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import load_model
from neuroclass.training import registry
from tests.planted import planted_cohort

SHORT = OptimiserSettings(steps=40, batch_cells=64, steps_an_epoch=10)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Small models on planted cells."""
    cohort = planted_cohort(240)
    dann = DannSettings(n_members=2, inner_folds=2, optimiser=SHORT)
    lspin = LspinSettings(n_members=2, inner_folds=2, optimiser=SHORT)
    for module in (train, evaluate):
        monkeypatch.setattr(module, "load_cohort", lambda _: cohort)
    monkeypatch.setattr(train, "DannSettings", lambda: dann)
    monkeypatch.setattr(train, "LspinSettings", lambda: lspin)
    monkeypatch.setitem(registry.SYSTEMS, "lspin", registry.System("lspin", "", ("subclass",), registry._lspin(lspin)))
    return cohort


@pytest.mark.parametrize("name", ["dann", "lspin"])
def test_train_writes_a_model_and_its_progress(name, tmp_path, capsys, quick):
    status = tmp_path / "jobs" / "status.json"
    assert main(["train", name, "--out", str(tmp_path), "--status", str(status), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["training_cells"]["sha256"] == quick.labelled("broad" if name == "dann" else "subclass").digest()
    told = json.loads(status.read_text())
    assert (told["epoch"], told["of"]) == (4, 4)
    assert [entry["epoch"] for entry in told["history"]] == [1, 2, 3, 4]
    assert {"total", "label", "domain" if name == "dann" else "gate_penalty"} <= set(told)
    p = load_model(name, tmp_path).predict_proba(quick.matrix())
    assert np.allclose(p.sum(1), 1)


def test_settings_of_a_run_reach_the_model(tmp_path, capsys, quick):
    chosen = ["--seed", "7", "--steps", "20", "--members", "3"]
    assert main(["train", "lspin", "--out", str(tmp_path), *chosen, "--json"]) == 0
    card = json.loads((tmp_path / "lspin" / "card.json").read_text())
    assert card["seeds"] == [7]
    assert (card["settings"]["n_members"], card["settings"]["optimiser"]["steps"]) == (3, 20)
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


def test_report_holds_what_the_pages_read(tmp_path, monkeypatch, quick):
    from neuroclass.evaluation import comparisons
    from neuroclass.reports import build

    monkeypatch.setattr(comparisons, "ABLATIONS", {"lspin": ("lda",)})
    monkeypatch.setattr(
        build, "plan_protocol", lambda protocol, cells, task, _=None: plan_protocol(protocol, cells, task, 1)
    )
    assert main(["train", "lspin", "--out", str(tmp_path), "--report", "--jobs", "1"]) == 0
    out = tmp_path / "lspin" / "evaluation"
    predictions = pd.read_parquet(out / "predictions.parquet")
    assert {"id", "species", "donor", "fold", "repeat", "truth", "predicted", "p_Pvalb"} <= set(predictions)
    mouse = int((quick.column("species") == "mouse").sum())
    gates, shap = pd.read_parquet(out / "gates.parquet"), pd.read_parquet(out / "shap.parquet")
    assert len(gates) == mouse
    assert len(shap) == 5 * mouse
    assert set(FEATURE_NAMES) <= set(gates) & set(shap) & set(pd.read_parquet(out / "deciles.parquet"))
    total = shap.groupby("id")[["base_value", *FEATURE_NAMES]].sum().sum(axis=1)
    assert np.allclose(total, 1, atol=1e-2)
    assert len(json.loads((out / "masked.json").read_text())["laboratories"]) == 30
    metrics = json.loads((out / "metrics.json").read_text())
    assert [(row["model"], row["protocol"]) for row in metrics] == [
        ("lspin", "donor-cv"),
        ("lspin", "paper-split"),
        ("lda", "donor-cv"),
    ]
    assert set(metrics[2]["ours_minus_this"]) == {"all", "mouse"}
    assert 0 < metrics[2]["ours_minus_this"]["all"]["p_holm"] <= 1
    groups = json.loads((out / "groups.json").read_text())
    assert set(groups["complete"]["systems"]) <= {"lspin", "lda"}
    assert "line" not in groups["by"], "the planted cells have no driver line"
    assert json.loads((tmp_path / "lspin" / "card.json").read_text())["protocol"] == "donor-cv"
    load_model("lspin", tmp_path)
