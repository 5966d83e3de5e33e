"""Answers that are remembered are those of the same cells, and nobody changes them."""

import numpy as np
import pytest

from neuroclass.classification.classify import classify_cells
from neuroclass.classification.models import load_models
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors import remembered
from neuroclass.predictors.feature_set import FeatureSetModel
from neuroclass.predictors.preprocess import by_pattern
from neuroclass.predictors.remembered import Remembered
from tests import shipped
from tests.classification.test_many_cells import cells


def test_the_answer_is_that_of_the_cells_and_of_their_species():
    asked = []

    def compute(z, species):
        asked.append(1)
        return float(np.nansum(z)), tuple(species)

    some = Remembered(compute)
    z = np.arange(6.0).reshape(2, 3)
    z[0, 0] = np.nan
    for _ in range(2):
        assert some(z, ["mouse", "human"]) == (15.0, ("mouse", "human"))
        assert some(z, ["human", "mouse"]) == (15.0, ("human", "mouse"))
        assert some(z[::-1], ["mouse", "human"]) == (15.0, ("mouse", "human"))
        assert some(z + 1, ["mouse", "human"]) == (20.0, ("mouse", "human"))
    assert len(asked) == 4


def test_only_the_last_answers_are_remembered(monkeypatch):
    monkeypatch.setattr(remembered, "_KEPT", 2)
    asked = []
    some = Remembered(lambda z, _: asked.append(float(z[0, 0])) or z)
    for value in (1, 2, 3, 1, 3):
        some(np.full((1, 1), value), ["mouse"])
    assert asked == [1, 2, 3, 1]


def test_a_remembered_judgement_cannot_be_changed():
    model = shipped.library().model_for(shipped.library().shipped[0])
    z = np.zeros((1, len(FEATURE_NAMES)))
    for answer in (model.judge(z, ["mouse"]).broad, model.typicality(z, ["mouse"])):
        with pytest.raises(ValueError, match="read-only"):
            answer[0] = 0.5


def test_each_cell_is_judged_once_with_its_species_and_once_with_all(monkeypatch):
    judged = []
    judge = FeatureSetModel._judge
    monkeypatch.setattr(FeatureSetModel, "_judge", lambda self, z, s: judged.append(len(z)) or judge(self, z, s))
    load_models.__globals__["_loaded"].cache_clear()
    from neuroclass.training import library

    library._library.cache_clear()
    some = cells(3)
    classify_cells(some, load_models(), reasons=False)
    assert sum(judged) <= 2 * len(some)


def test_patterns_are_found_whatever_their_number(rng):
    present = rng.random((300, len(FEATURE_NAMES))) < 0.5
    present[10:20] = present[0]
    found = list(by_pattern(present))
    assert len(found) == len(np.unique(present, axis=0))
    assert np.sum([rows for _, rows in found], axis=0).tolist() == [1] * 300
    for pattern, rows in found:
        assert (present[rows] == pattern).all()
