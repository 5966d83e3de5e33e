"""Every system can be kept: calibrated on donors that it has not seen, saved, loaded, trained again from its card."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from neuroclass.config import DannSettings, LspinSettings
from neuroclass.errors import ModelFileError, SettingsError
from neuroclass.io.artifacts import load_artifact, read_card, weights_of, weights_on
from neuroclass.predictors.calibration import Calibration
from neuroclass.training import systems
from neuroclass.training.registry import SYSTEMS
from tests.planted import planted_cohort
from tests.tiny_report import TinyDann, TinyLspin, tiny_sizes

ALL = [name for name in SYSTEMS if "nested" not in name]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(systems, "_RECIPES", {"dann-lambda0": TinyDann(reversal=0.0), "dann-shallow": TinyDann()})
    monkeypatch.setattr(systems, "DONOR_GROUPS", 2)
    with tiny_sizes():
        yield


@pytest.mark.parametrize("name", ALL)
def test_a_saved_system_judges_exactly_as_the_trained_one(name: str, tmp_path: Path) -> None:
    cohort = planted_cohort(160)
    trained = systems.train_system(name, cohort, folder=tmp_path, title="mine")
    again = load_artifact(tmp_path / name)
    x, species = cohort.matrix(), cohort.column("species").tolist()
    x[::3, :7] = np.nan
    assert np.array_equal(again.predict_proba(x, species), trained.predictor.predict_proba(x, species))
    assert again.prediction_set(x, species) == trained.predictor.prediction_set(x, species)
    assert np.array_equal(again.typicality_of(x), trained.predictor.typicality_of(x))
    card = read_card(tmp_path / name)
    assert (card["system"], card["name"], card["task"]) == (name, "mine", again.task)
    assert weights_on(card) == weights_of(again) != ""


@pytest.mark.parametrize("task", ["broad", "subclass"])
def test_sets_of_an_estimator_cover_donors_that_it_has_not_seen(task: str) -> None:
    cohort = planted_cohort(900, human_share=0.2)
    part = cohort.frame["donor"].isin(sorted(cohort.frame["donor"].unique())[::2])
    train, test = (cohort.take(np.flatnonzero(rows)) for rows in (part, ~part))
    model = systems.train_estimator("svc", train, task, 0)
    test = test.labelled(task)
    sets = model.prediction_set(test.matrix(), test.column("species").tolist(), allow_empty=True)
    covered = np.mean([truth in chosen for truth, chosen in zip(test.column(task), sets, strict=True)])
    assert 0.82 < covered < 0.97
    plain = replace(model, calibration=Calibration.none(len(model.classes)))
    stated, before = (one.predict_proba(test.matrix()).max(1).mean() for one in (model, plain))
    assert stated != before


def test_the_papers_lspin_is_calibrated_here_and_not_in_the_registry():
    cohort = planted_cohort(120).of_species("mouse")
    kept = systems.train_predictor("lspin-paper", cohort, "subclass", 0)
    plain = SYSTEMS["lspin-paper"].train(cohort, "subclass", 0, lambda _: None)
    assert not np.any(plain.calibration.parameters)
    assert np.any(kept.calibration.parameters)
    assert np.any(kept.calibration.thresholds < 1)


@pytest.mark.parametrize("name", ["lda", "dann-lambda0", "lspin"])
def test_a_card_says_how_to_train_the_model_again(name: str, tmp_path: Path) -> None:
    cohort = planted_cohort(160)
    systems.train_system(name, cohort, seed=3, folder=tmp_path)
    card = read_card(tmp_path / name)
    again = systems.trainer_of(card)(cohort.labelled(card["task"]), 3)
    x = cohort.matrix()
    assert np.allclose(again.predict_proba(x), load_artifact(tmp_path / name).predict_proba(x), atol=1e-6)


def test_settings_of_the_card_are_used_and_unknown_ones_refused():
    for kind, name in ((DannSettings, "dann"), (LspinSettings, "lspin")):
        settings = kind(n_members=3, dropout=0.25)
        card = {"model": name, "task": "broad", "settings": asdict(settings)}
        assert systems._rebuilt(kind, card["settings"]) == settings
        with pytest.raises(ModelFileError, match="momentum"):
            systems._rebuilt(kind, {**card["settings"], "momentum": 1})


def test_a_system_is_not_trained_for_what_it_does_not_tell():
    with pytest.raises(SettingsError, match="does not tell broad"):
        systems.train_system("lspin", planted_cohort(60), "broad")
    assert TinyLspin().n_members == 2
