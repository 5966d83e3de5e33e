"""Human cells: what the human subclass model says of them reaches the answer, however far out they lie."""

import numpy as np
import pytest

from neuroclass.classification.models import load_models
from neuroclass.explain.shap_values import shap_values
from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.predictors.human_cells import DANN_WEIGHT
from neuroclass.predictors.human_subclass import STIMULI

FAR = {"sag": 0.8, "ri": 2500.0, "threshold_v_short_square": 40.0, "upstroke_downstroke_ratio_long_square": 9.0}
USED = np.array([spec.stimulus in STIMULI for spec in FEATURES])


@pytest.fixture(scope="module")
def models():
    return load_models()


@pytest.fixture(scope="module")
def cells(models):
    """Prototypes of the database in stored units, as they are and with one feature far out each."""
    foundation = models.dann.predictor.models.foundation
    x = np.where(USED, foundation.preprocessor.stored_units(foundation.background), np.nan)
    moved = np.repeat(x[:1], len(FAR), axis=0)
    for row, (name, value) in enumerate(FAR.items()):
        moved[row, FEATURE_NAMES.index(name)] = value
    return np.concatenate([x, moved])


def log_odds(p):
    return np.log(p + 1e-6) - np.log(1 - p + 1e-6)


def test_the_answer_rests_on_the_features_as_measured(models, cells):
    human, species = models.human, ["human"] * len(cells)
    own, answer = human.network.predict_proba(cells, species), human.predictor.predict_proba(cells, species)
    shares = own[:, 1:] / own[:, 1:].sum(1, keepdims=True)
    np.testing.assert_allclose(answer[:, 1:] / answer[:, 1:].sum(1, keepdims=True), shares, atol=1e-4)


def test_dann_weighs_a_fifth(models, cells):
    species = ["human"] * len(cells)
    own = log_odds(models.human.network.predict_proba(cells, species)[:, 0])
    answer = log_odds(models.human.predictor.predict_proba(cells, species)[:, 0])
    library = models.dann.predictor.models
    z = library.foundation.preprocessor.standardise(cells)
    dann = log_odds(library.model_for(np.isfinite(cells[0])).judge(z, species).of("broad")[:, 0])
    np.testing.assert_allclose(answer, DANN_WEIGHT * dann + (1 - DANN_WEIGHT) * own, atol=1e-2)


def test_both_tasks_agree(models, cells):
    species = ["human"] * len(cells)
    broad = models.dann.predictor.predict_proba(cells, species)
    np.testing.assert_allclose(broad[:, 0], models.human.predictor.predict_proba(cells, species)[:, 0])


def test_reasons_add_up_for_a_cell_far_out(models, cells):
    far = cells[-2:]
    found = shap_values(models.human.predictor, far, ["human"] * 2, pairs=1)
    answer = models.human.predictor.predict_proba(far, ["human"] * 2)
    np.testing.assert_allclose(found.base + found.values.sum(1), answer, atol=2e-3)


def test_cells_of_mouse_are_judged_as_without_the_human_model(models, cells):
    species = ["mouse"] * len(cells)
    library = models.dann.predictor.models
    z = library.foundation.preprocessor.standardise(cells)
    plain = library.model_for(np.isfinite(cells[0])).judge(z, species).of("broad")
    np.testing.assert_allclose(models.dann.predictor.predict_proba(cells, species), plain)
