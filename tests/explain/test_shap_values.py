"""SHAP values sum to the output, find planted causes and are 0 for missing features."""

import numpy as np
import pytest

from neuroclass.config import AugmentSettings, LspinSettings, OptimiserSettings
from neuroclass.explain.shap_values import shap_values
from neuroclass.features import FEATURE_NAMES
from neuroclass.training.fit_lspin import train_lspin
from tests.planted import planted_cohort

CAUSES = ("width", "sag", "tau", "ri")


@pytest.fixture(scope="module")
def model():
    settings = LspinSettings(
        n_members=2,
        inner_folds=2,
        augment=AugmentSettings(masked_share=0.0, shifted_share=0.0),
        optimiser=OptimiserSettings(steps=250, batch_cells=128, learning_rate=1e-2),
        agreement=0.0,
        consensus=0.0,
    )
    return train_lspin(planted_cohort(700, class_features=CAUSES), settings)


def test_values_sum_to_the_probabilities(model):
    x = planted_cohort(4, seed=5).matrix()
    x[2:, 3:20] = np.nan
    explained = shap_values(model, x, ["mouse"] * 4)
    total = explained.base + explained.values.sum(1)
    assert np.abs(total - model.predict_proba(x, ["mouse"] * 4)).max() < 1e-3
    assert explained.error.max() < 1e-3
    assert np.array_equal(explained.values[2:, 3:20], np.zeros((2, 17, 5)))


def test_planted_cause_of_each_class_is_found(model):
    cohort = planted_cohort(30, seed=7, human_share=0.0)
    explained = shap_values(model, cohort.matrix())
    for number, cause in enumerate(CAUSES, start=1):
        cells = cohort.column("subclass") == model.classes[number]
        towards = explained.values[cells, :, number].mean(0)
        assert FEATURE_NAMES[int(towards.argmax())] == cause


def test_no_feature_at_all_leaves_the_base(model):
    explained = shap_values(model, np.full((1, 41), np.nan))
    assert np.array_equal(explained.values, np.zeros((1, 41, 5)))
    assert explained.error.max() < 1e-6


def test_values_agree_with_the_permutation_explainer_of_shap(model):
    shap = pytest.importorskip("shap")
    x = planted_cohort(3, seed=9).matrix()
    ours = shap_values(model, x, ["mouse"] * 3, pairs=20).values
    masker = shap.maskers.Independent(model.background, max_samples=len(model.background))
    explainer = shap.explainers.Permutation(
        lambda rows: model.standardised_probabilities(rows, ["mouse"] * len(rows)), masker, seed=0
    )
    theirs = explainer(model.preprocessor.standardise(x), max_evals=20 * (2 * 41 + 1), silent=True).values
    assert np.sqrt(((ours - theirs) ** 2).mean()) < 0.01
    assert np.abs(ours).max() > 0.05
