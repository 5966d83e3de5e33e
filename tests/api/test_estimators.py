"""The classifiers keep scikit-learn's contract, and are the shipped systems on the 41 features."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

import neuroclass as nc
from neuroclass.config import LspinSettings
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES
from neuroclass.training.train import train_model

SMALL: dict[str, Any] = {"n_members": 2, "steps": 80}


@parametrize_with_checks([nc.LSPINClassifier(**SMALL), nc.DANNClassifier(**SMALL)])
def test_scikit_learns_contract(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def cells() -> pd.DataFrame:
    return nc.load_cohort().labelled("subclass").to_frame()


def test_on_the_41_features_it_is_the_shipped_recipe(cells: pd.DataFrame) -> None:
    recipe = LspinSettings()
    settings = replace(recipe, n_members=2, optimiser=replace(recipe.optimiser, steps=40))
    trained = train_model("lspin", nc.load_cohort(), settings).predictor
    model = nc.LSPINClassifier(n_members=2, steps=40)
    x = cells[list(FEATURE_NAMES)]
    model.fit(x, cells["subclass"], groups=cells["donor"])
    gates = pd.DataFrame(model.gates(x), columns=list(x))
    assert (gates.to_numpy() > 0).any()
    assert model.predictor_.architecture == {**trained.architecture}
    agree = (
        model.classes_[model.predict_proba(x).argmax(1)]
        == np.array(trained.classes)[trained.predict_proba(x.to_numpy()).argmax(1)]
    )  # the classes' order differs, and with it the networks' first weights
    assert agree.mean() > 0.8


def test_a_planted_cause_opens_its_gate() -> None:
    rng = np.random.default_rng(0)
    x = pd.DataFrame(rng.normal(size=(400, 6)), columns=list("abcdef"))
    y = np.where(x["c"] > 0, "high", "low")
    model = nc.LSPINClassifier(n_members=3, steps=300, gate_penalty=0.05).fit(x, y)
    open_share = (model.gates(x) > 0).mean(0)
    assert open_share.argmax() == 2 and open_share[2] > 0.9 and np.delete(open_share, 2).max() < 0.5
    assert model.score(x, y) > 0.9


def test_missing_values_and_unknown_labels_are_taken() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 4))
    y = np.where(x[:, 0] > 0, "a", "b").astype(object)
    domains = np.repeat(["here", "there"], 100)
    x[domains == "there"] += 1.0
    y[150:] = None
    x[::7, 1] = np.nan
    model = nc.DANNClassifier(**SMALL).fit(x, y, domains=domains)
    assert model.embed(x).shape[0] == 200
    assert model.classes_.tolist() == ["a", "b"]
    np.testing.assert_allclose(model.predict_proba(x).sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("kind", [nc.LSPINClassifier, nc.DANNClassifier])
@pytest.mark.parametrize("published", [True, False])
def test_saved_and_loaded_it_answers_alike(kind: Any, published: bool, cells: pd.DataFrame, tmp_path: Path) -> None:
    x = cells[["tau", "ri", "width"]] if published else cells[["tau", "ri", "width"]].to_numpy()
    model = kind(**SMALL).fit(x, cells["subclass"], groups=cells["donor"])
    again = kind.load(model.save(tmp_path / "model"))
    np.testing.assert_array_equal(again.predict_proba(x), model.predict_proba(x))
    assert again.get_params() == model.get_params()
    assert again.prediction_set(x.head(5) if published else x[:5]) == model.prediction_set(
        x.head(5) if published else x[:5]
    )
    other = nc.DANNClassifier if kind is nc.LSPINClassifier else nc.LSPINClassifier
    with pytest.raises(ModelFileError, match="holds no saved"):
        other.load(tmp_path / "model")


def test_it_is_evaluated_by_donors(cells: pd.DataFrame) -> None:
    cohort = nc.load_cohort()
    found = nc.evaluate(clone(nc.LSPINClassifier(n_members=1, steps=40)), cohort, repeats=1)
    assert found.predictions["id"].nunique() == len(cells)
    assert found.result["metrics"]["accuracy"]["mean"] > 0.4


def test_a_gate_matrix_is_drawn(cells: pd.DataFrame) -> None:
    x = cells[["tau", "ri", "width", "sag"]]
    model = nc.LSPINClassifier(n_members=1, steps=20).fit(x, cells["subclass"])
    assert nc.plot.gates(model, x.head(30)).data
