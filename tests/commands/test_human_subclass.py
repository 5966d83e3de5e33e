"""``train human-subclass`` and ``evaluate human-subclass``, and the page that shows the report."""

import json
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from neuroclass.cli import main
from neuroclass.cohort import human
from neuroclass.config import PROJECT_DIR
from neuroclass.evaluation import human_answer
from neuroclass.evaluation import human_subclass as evaluation
from neuroclass.io.artifacts import load_human_subclass
from neuroclass.reports import store
from neuroclass.reports.store import Document, ReportStore, Table
from neuroclass.training.fit_human_subclass import train_human_subclass
from neuroclass.ui.performance.human_subclass import VIEWS
from tests.evaluation.test_human_subclass import planted_library
from tests.planted import planted_human_cohort
from tests.predictors.test_human_subclass import QUICK

STEPS = ["--steps", "20", "--members", "2"]


@pytest.fixture
def quick(monkeypatch):
    """Planted cells and a small recipe."""
    monkeypatch.setattr(human, "load_human_cells", lambda _: planted_human_cohort(400))
    small = replace(QUICK, lspin=replace(QUICK.lspin, optimiser=replace(QUICK.lspin.optimiser, steps=20)))
    monkeypatch.setattr(evaluation, "train_human_subclass", lambda cells, _: train_human_subclass(cells, small))
    monkeypatch.setattr(human_answer, "feature_set_library", planted_library)
    monkeypatch.setattr(evaluation, "N_REPEATS", 1)
    monkeypatch.setattr(evaluation, "SHARES", (0.5,))


def test_a_model_is_trained_and_its_report_shown(quick, tmp_path, capsys, monkeypatch):
    from neuroclass.commands import train

    monkeypatch.setattr(train, "HumanSubclassSettings", lambda: QUICK)
    assert main(["train", "human-subclass", "--out", str(tmp_path), "--report", "--jobs", "1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["classes"][-1] == "Lamp5/Pax6"
    model = load_human_subclass(tmp_path)
    assert len(model.card["expected_accuracy"]) == 7
    report = ReportStore("human-subclass", tmp_path / "human-subclass")
    predictions = report.predictions()
    assert {"id", "condition", "p_Lamp5/Pax6", "prediction_set"} <= set(predictions)
    assert report.table(Table.COMPARISONS)["system"].nunique() == 3
    assert len(report.match_labels()) == 12
    assert report.has(Document.LEARNING)
    assert report.table(Table.MATCHES)["same"].dtype == bool
    assert {"id", "truth", "x", "y"} <= set(report.table(Table.EMBEDDING))
    assert set(model.card["answer"]["sets"]["classes"]) == {"Pvalb", "Sst", "Vip", "Lamp5/Pax6"}

    monkeypatch.setattr(store, "MODELS_DIR", tmp_path)
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    for view in VIEWS.values():
        app = AppTest.from_file(str(PROJECT_DIR / "pages" / "performance.py"), default_timeout=300)
        app.query_params["model"], app.query_params["view"] = "Human subclass", view
        app.run()
        assert not app.exception, view
        assert not app.error, view
        shown = next(m for m in app.metric if m.label.startswith("Balanced accuracy"))
        share = float(shown.value.removesuffix("%")) / 100
        assert share == pytest.approx(answer["metrics"]["metrics"]["balanced_accuracy"]["mean"], abs=6e-4)


def test_without_a_report_the_page_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MODELS_DIR", tmp_path)
    monkeypatch.delenv("NEUROCLASS_DATA", raising=False)
    app = AppTest.from_file(str(PROJECT_DIR / "pages" / "performance.py"), default_timeout=300)
    app.query_params["model"] = "Human subclass"
    app.run()
    assert not app.exception
    assert any("Whoever runs the server can make one" in info.value for info in app.info)


def test_evaluate_prints_ours_and_the_baselines(quick, capsys):
    assert main(["evaluate", "human-subclass", "--protocol", "donor-cv", "--jobs", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result["baselines"]) == {"lr", "lda", "svc"}
    assert 0 <= result["sets"]["shown"] <= 1
    assert main(["evaluate", "human-subclass", "--jobs", "1"]) == 0
    assert "GABAergic cells" in capsys.readouterr().out


def test_other_protocols_are_refused(quick, capsys):
    assert main(["evaluate", "human-subclass", "--protocol", "masked"]) == 2
    assert "donor-cv only" in capsys.readouterr().err


def test_settings_reach_the_model(quick, tmp_path, capsys):
    assert main(["train", "human-subclass", "--out", str(tmp_path), "--seed", "5", *STEPS, "--json"]) == 0
    card = json.loads((tmp_path / "human-subclass" / "card.json").read_text())
    assert card["seeds"] == [5]
    assert card["settings"]["lspin"]["n_members"] == 2
    assert card["scaler"]["mean"][0] is None  # a noise feature, which it does not use
