"""What speaks against a healthy cortical neuron is ranked, with the value, the limit and what it suggests."""

import pytest

from neuroclass.ephys.quality import Severity
from neuroclass.reference.health import CRITERIA, NOT_HEALTHY, health_flags
from neuroclass.reference.ranges import load_ranges

HEALTHY = {name: usual.median for name, usual in load_ranges()["mouse"].items()}


@pytest.mark.parametrize("species", ["mouse", "human", ""])
def test_a_median_cell_and_the_usual_extremes_meet_no_criterion(species: str) -> None:
    ranges = load_ranges()[species or "mouse"]
    assert not health_flags({name: usual.median for name, usual in ranges.items()}, species)
    for one in CRITERIA:
        usual = ranges[one.feature]
        assert not one.beyond(usual.high if one.above else usual.low, one.limit), one.name


@pytest.mark.parametrize("criterion", CRITERIA, ids=lambda one: one.name)
def test_each_criterion_is_a_caution_and_serious_further_out(criterion) -> None:
    sign = 1.0 if criterion.above else -1.0
    mild = 0.5 * (criterion.limit + criterion.serious)
    flags = {f.name: f for f in health_flags({**HEALTHY, criterion.feature: mild})}
    assert flags[criterion.name].severity is Severity.CAUTION
    far = criterion.serious + sign * 0.1 * abs(criterion.serious)
    grave = health_flags({**HEALTHY, criterion.feature: far})
    assert grave[0].name == NOT_HEALTHY and grave[0].severity is Severity.SERIOUS
    assert criterion.name.replace("_", " ") in grave[0].message
    assert criterion.meaning in {f.name: f for f in grave}[criterion.name].message


def test_two_cautions_together_are_serious_and_one_is_not() -> None:
    one = health_flags({**HEALTHY, "vrest": -47.0})
    assert [f.name for f in one] == ["depolarised_rest"]
    two = health_flags({**HEALTHY, "vrest": -47.0, "ri": 800.0})
    assert two[0].name == NOT_HEALTHY and len(two) == 3


def test_a_small_spike_is_told() -> None:
    (flag,) = health_flags({"peak_v_long_square": -2.0, "threshold_v_long_square": -36.0})
    assert (flag.name, flag.value) == ("small_spike", 34.0)
