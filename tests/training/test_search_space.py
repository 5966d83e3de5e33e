"""What a search may try lies within what the settings declare, and the recipe is among it."""

import pytest

from neuroclass.errors import SettingsError
from neuroclass.training.search_space import SPACES, Choice, as_tried, as_value, search_space
from neuroclass.training.settings import all_values, checked, named_settings, recipe


@pytest.mark.parametrize("system", SPACES)
def test_every_end_and_option_is_a_setting_that_training_accepts(system: str) -> None:
    for name, one in SPACES[system].items():
        ends = one.options if isinstance(one, Choice) else (one.low, one.high)
        for end in ends:
            checked(system, {name: as_value(system, name, one, end)})
        assert name in named_settings(system)


@pytest.mark.parametrize("system", SPACES)
def test_the_recipe_is_tried_as_it_is(system: str) -> None:
    space = search_space(system, {})
    values = all_values(system, recipe(system))
    for name, tried in as_tried(system, space).items():
        one = space[name]
        assert tried in one.options if isinstance(one, Choice) else one.low <= tried <= one.high
        assert as_value(system, name, one, tried) == values[name]


def test_what_is_fixed_is_not_searched() -> None:
    assert "steps" in search_space("lspin", {"n_members": 3})
    assert "steps" not in search_space("lspin", {"steps": 100})
    everything = {name: value for name, value in all_values("dann", recipe("dann")).items() if name in SPACES["dann"]}
    with pytest.raises(SettingsError, match="are fixed"):
        search_space("dann", everything)
    with pytest.raises(SettingsError, match="no setting 'speed'"):
        search_space("dann", {"speed": 1})
