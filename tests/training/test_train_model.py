"""``train_model``: what page, command line and notebooks call."""

import json
from dataclasses import fields

import numpy as np
import pytest

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.config import MODELS_DIR, DannSettings, LspinSettings, OptimiserSettings
from neuroclass.errors import SettingsError
from neuroclass.io.artifacts import PREDICTORS, load_model, read_card
from neuroclass.training.registry import SYSTEMS
from neuroclass.training.train import TRAINERS, train_model
from neuroclass.types.models import HUMAN_SUBCLASS, MODEL_OF_TASK, MODELS
from tests.planted import planted_cohort

QUICK = OptimiserSettings(steps=10, batch_cells=64, steps_an_epoch=5)


def test_every_model_is_declared_once_and_everything_else_follows():
    assert set(MODELS) == set(TRAINERS) == set(PREDICTORS) - {HUMAN_SUBCLASS.name}
    assert set(MODEL_OF_TASK) == set(TASK_CLASSES) - {HUMAN_SUBCLASS.task}
    assert PREDICTORS[HUMAN_SUBCLASS.name].spec is HUMAN_SUBCLASS
    for name, spec in MODELS.items():
        assert PREDICTORS[name].spec is spec
        assert SYSTEMS[name].tasks == (spec.task,)
        assert load_model(name).classes == spec.classes


@pytest.mark.parametrize("name", list(MODELS))
def test_a_model_is_trained_saved_and_described(name, tmp_path):
    cohort = planted_cohort(160)
    settings = MODELS[name].settings(n_members=2, inner_folds=2, optimiser=QUICK)
    epochs = []
    trained = train_model(name, cohort, settings, tmp_path, epochs.append)
    assert [one.done for one in epochs] == [1, 2]
    assert trained.folder == tmp_path / name
    assert json.loads(json.dumps(trained.card)) == read_card(tmp_path / name)
    assert trained.card["task"] == MODELS[name].task
    assert trained.card["training_cells"]["n_cells"] == len(cohort.labelled(MODELS[name].task))
    x = cohort.matrix()
    assert np.array_equal(load_model(name, tmp_path).predict_proba(x), trained.predictor.predict_proba(x))


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = LspinSettings(n_members=1, inner_folds=2, optimiser=QUICK)
    trained = train_model("lspin", planted_cohort(120), settings)
    assert trained.folder is None
    assert trained.card["settings"]["n_members"] == 1
    assert not list(tmp_path.iterdir())


def test_a_stranger_and_another_models_settings_are_refused():
    with pytest.raises(SettingsError, match="forest"):
        train_model("forest", planted_cohort(60))
    with pytest.raises(SettingsError, match="LspinSettings"):
        train_model("lspin", planted_cohort(60), DannSettings())


@pytest.mark.parametrize("name", list(MODELS))
def test_settings_of_a_shipped_card_are_those_of_the_recipe(name):
    """Cards also keep settings that a later recipe no longer has."""
    stored = read_card(MODELS_DIR / name)["settings"]
    assert {field.name for field in fields(MODELS[name].settings)} <= set(stored)
