"""Unusual cells score low, usual ones evenly, whatever features are there."""

import numpy as np
import pytest

from neuroclass.config import AugmentSettings
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.predictors.typicality import Typicality
from neuroclass.training.crossfit import hide_features
from tests.planted import stored


@pytest.fixture(scope="module")
def fitted() -> tuple[Typicality, Preprocessor]:
    x = stored(np.random.default_rng(0).standard_normal((1500, 41)))
    preprocessor = Preprocessor.fit(x)
    held_out = hide_features(preprocessor.standardise(x), AugmentSettings(), 0)
    return Typicality.fit(held_out.z, preprocessor), preprocessor


@pytest.mark.parametrize("n_hidden", [0, 14, 25])
def test_false_alarms_are_as_stated(fitted, n_hidden):
    typicality_scale, preprocessor = fitted
    x = stored(np.random.default_rng(1).standard_normal((1500, 41)))
    x[:, :n_hidden] = np.nan
    scores = typicality_scale(preprocessor.standardise(x), preprocessor)
    assert (scores < 0.05).mean() == pytest.approx(0.05, abs=0.03)


def test_a_stranger_scores_near_zero(fitted):
    typicality_scale, preprocessor = fitted
    z = np.random.default_rng(2).standard_normal((50, 41)) * 3
    assert typicality_scale(z, preprocessor).max() < 0.01
