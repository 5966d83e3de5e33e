"""Scaling and imputation against planted values."""

import numpy as np
import pytest

from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.preprocess import Preprocessor, transform
from tests.planted import planted_cohort, stored


def test_shift_of_conditions_is_an_offset_after_transforming():
    z = np.random.default_rng(0).standard_normal((20, 41))
    x = stored(z)
    slower = x.copy()
    width = FEATURE_NAMES.index("width")
    slower[:, width] *= 2.0
    assert np.allclose((transform(slower) - transform(x))[:, width], np.log(2))


def test_standardised_training_cells_have_mean_0_and_sd_1():
    x = planted_cohort(500).matrix()
    z = Preprocessor.fit(x).standardise(x)
    assert np.abs(z.mean(0)).max() < 0.05
    assert np.abs(z.std(0) - 1).max() < 0.1


def test_missing_value_is_its_regression_on_those_present():
    rng = np.random.default_rng(1)
    z = 0.7 * rng.standard_normal((4000, 1)) + 0.7 * rng.standard_normal((4000, 41))
    a, b = FEATURE_NAMES.index("peak_v"), FEATURE_NAMES.index("peak_v_ramp")
    z[:, b] = z[:, a] + 0.2 * rng.standard_normal(4000)
    preprocessor = Preprocessor.fit(stored(z))
    x = stored(z[:200])
    x[:, b] = np.nan
    completed, present = preprocessor(x)
    assert not present[:, b].any()
    assert present[:, a].all()
    slope = np.polyfit(completed[:, a], completed[:, b], 1)[0]
    assert slope == pytest.approx(0.98, abs=0.06)


def test_no_features_gives_the_mean_and_infinities_count_as_missing():
    preprocessor = Preprocessor.fit(planted_cohort(200).matrix())
    x = np.full((1, 41), np.nan)
    x[0, 3] = np.inf
    completed, present = preprocessor(x)
    assert not present.any()
    assert np.array_equal(completed, np.zeros((1, 41)))
