"""What differs between two verdicts' features, in standard deviations."""

import numpy as np

from neuroclass.classification.differences import differences
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.preprocess import Preprocessor, transform

SD = 2.0


def verdict(**features: float) -> CellVerdict:
    task = Prediction("dann", {"excitatory": 0.5, "inhibitory": 0.5})
    return CellVerdict("f", "c", "mouse", task, task, features, {})


def scaler() -> Preprocessor:
    n = len(FEATURE_NAMES)
    typical = np.array([[{"vrest": -70.0, "sag": 0.1}.get(name, 1.0) for name in FEATURE_NAMES]])
    return Preprocessor(transform(typical)[0], np.full(n, SD), np.eye(n))


def test_features_that_appear_are_gone_or_moved():
    before, after = verdict(vrest=-70.0, sag=0.1, ri=1.0), verdict(vrest=-74.0, sag=0.1, tau=1.0)
    found = differences(before, after, scaler())
    assert (found.appeared, found.gone) == (("tau",), ("ri",))
    (moved,) = found.moved
    assert (moved.feature, moved.first, moved.second) == ("vrest", -70.0, -74.0)
    assert moved.sd == -4.0 / SD


def test_equal_cells_do_not_differ():
    assert not differences(verdict(vrest=-70.0), verdict(vrest=-70.0), scaler())


def test_the_largest_difference_comes_first():
    found = differences(verdict(vrest=-70.0, sag=0.1), verdict(vrest=-69.0, sag=5.1), scaler())
    assert [one.feature for one in found.moved] == ["sag", "vrest"]
