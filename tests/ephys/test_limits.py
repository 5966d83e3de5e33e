"""Every feature has physiological limits with a source; nothing measured on a neuron lies outside."""

import numpy as np
import pytest

from neuroclass.cohort.cohort import Cohort
from neuroclass.ephys.limits import LIMITS, impossible
from neuroclass.features import FEATURE_NAMES, with_unit
from neuroclass.reference.ranges import load_ranges


def test_every_feature_has_limits_and_their_source() -> None:
    assert set(LIMITS) == set(FEATURE_NAMES)
    for name, limits in LIMITS.items():
        assert limits.low < limits.high, name
        assert len(limits.source) > 20, name


@pytest.mark.parametrize("name", FEATURE_NAMES)
def test_a_value_beyond_either_limit_is_told_with_the_limits(name: str) -> None:
    limits = LIMITS[name]
    span = limits.high - limits.low
    assert impossible({name: limits.low, "vrest": float("nan")}) == impossible({name: limits.high}) == {}
    for value in (limits.low - 0.1 * span, limits.high + 0.1 * span):
        (why,) = impossible({name: value}).values()
        assert with_unit(name, value, 5) in why and limits.source in why


def test_the_databases_usual_range_lies_within() -> None:
    for ranges in load_ranges().values():
        for name, usual in ranges.items():
            assert LIMITS[name].low < usual.low and usual.high < LIMITS[name].high, name


def test_published_cells_lie_within_but_for_values_that_cannot_be(real_cohort: Cohort) -> None:
    frame = real_cohort.frame
    found = {
        name: int(sum(bool(impossible({name: v})) for v in frame[name].to_numpy(float) if np.isfinite(v)))
        for name in FEATURE_NAMES
    }
    assert {name: n for name, n in found.items() if n} == {"seal_gohm": 1}  # a negative resistance
