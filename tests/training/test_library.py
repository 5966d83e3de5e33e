"""Which models serve a set of features, and that a new set is fitted once and kept."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuroclass.errors import SettingsError
from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus
from neuroclass.io.feature_sets import FOUNDATION, file_name
from neuroclass.training import calibrate_set, feature_sets, fit_feature_set, library
from neuroclass.training.library import FeatureSetLibrary, whole_stimuli
from neuroclass.types.models import FEATURE_SETS
from tests import shipped

SMALL = shipped.of_stimuli(Stimulus.RAMP)
NEW = shipped.named("ri", "tau", "sag", "vrest")


def without(present: np.ndarray, n: int) -> np.ndarray:
    result = present.copy()
    result[np.flatnonzero(present)[:n]] = False
    return result


@pytest.fixture
def no_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No real cells; an empty cache, whose folder is given."""
    monkeypatch.setenv("NEUROCLASS_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the sets that are fitted, with 20 steps a network and one laboratory; how well is no matter here."""
    for key, recipe in fit_feature_set.RECIPES.items():
        monkeypatch.setitem(fit_feature_set.RECIPES, key, replace(recipe, steps=20))
    monkeypatch.setattr(calibrate_set, "N_LABORATORIES", 1)
    fitted: list[str] = []

    def counting(table, present, **settings):
        fitted.append(f"{file_name(present)} on {len(table.z)}")
        return feature_sets.fit_feature_set(table, present, **settings)

    monkeypatch.setattr(library, "fit_feature_set", counting)
    return fitted


def test_each_combination_of_stimuli_is_one_set():
    sets = whole_stimuli()
    assert len(sets) == len({one.tobytes() for one in sets}) == 31
    assert any(one.all() for one in sets) and all(one.any() for one in sets)
    stimulus = np.array([spec.stimulus for spec in FEATURES])
    for one in sets:
        assert not set(stimulus[one]) & set(stimulus[~one])


def test_all_combinations_of_stimuli_and_the_published_sets_ship():
    names = {file_name(one) for one in (*whole_stimuli(), *library.PUBLISHED_SETS)}
    assert {file_name(one) for one in shipped.library().shipped} == names


@pytest.mark.parametrize("present", shipped.library().shipped, ids=file_name)
def test_a_shipped_set_serves_itself(present):
    assert file_name(shipped.library().served_by(present)) == file_name(present)
    assert shipped.library().is_ready(present)


@pytest.mark.parametrize("n", [1, 2])
def test_up_to_two_features_of_ten_or_more_may_be_missing(n):
    present = without(shipped.of_stimuli(Stimulus.NOISE, Stimulus.RAMP), n)
    served = shipped.library().served_by(present)
    assert not (present & ~served).any()
    assert served.sum() - present.sum() <= n
    assert served.sum() >= 10


def test_three_missing_features_are_too_many():
    noise = shipped.of_stimuli(Stimulus.NOISE, Stimulus.RAMP)
    for present in (without(noise, 3), without(noise, 6)):
        assert file_name(shipped.library().served_by(present)) == file_name(present)


def test_of_a_small_set_none_may_be_missing():
    assert SMALL.sum() < 10
    present = without(SMALL, 1)
    assert file_name(shipped.library().served_by(present)) == file_name(present)


def test_a_further_feature_is_never_ignored():
    present = without(shipped.LONG_SQUARE, 1)
    present[np.flatnonzero(SMALL)[0]] = True
    served = shipped.library().served_by(present)
    assert not (present & ~served).any()


def test_the_set_with_fewest_missing_serves():
    """A set beside which one lacks one feature, and another two, is served by the former."""
    for present in shipped.library().shipped:
        less = without(present, 1)
        if less.sum() < 10:
            continue
        served = shipped.library().served_by(less)
        missing = [int((one & ~less).sum()) for one in shipped.library().shipped if not (less & ~one).any()]
        assert (served & ~less).sum() == min(missing)


def test_a_new_set_is_fitted_to_stand_ins_once_and_kept(no_tables, fits):
    first = FeatureSetLibrary()
    assert not first.is_ready(NEW)
    z = shipped.only(shipped.drawn("mouse")[0][:20], NEW)
    before = first.model_for(NEW).judge(z, ["mouse"] * 20).subclass
    first.model_for(NEW)
    n_cells = len(shipped.base()[1].sample(0)[0])
    assert fits == [f"{file_name(NEW)} on {n_cells}"]
    assert first.is_ready(NEW)
    kept = list((no_tables / FEATURE_SETS).rglob(f"{file_name(NEW)}.json"))
    assert len(kept) == 1 and "stand-ins" in kept[0].parent.name
    assert "stand-ins" in json.loads(kept[0].read_text())["source"]
    second = FeatureSetLibrary()
    assert second.is_ready(NEW)
    np.testing.assert_array_equal(second.model_for(NEW).judge(z, ["mouse"] * 20).subclass, before)
    assert len(fits) == 1
    kept[0].write_text("{")
    np.testing.assert_array_equal(FeatureSetLibrary().model_for(NEW).judge(z, ["mouse"] * 20).subclass, before)
    assert len(fits) == 2
    FeatureSetLibrary().model_for(NEW)
    assert len(fits) == 2, "a damaged file was not replaced"


def test_shipped_sets_are_loaded_not_fitted(no_tables, fits):
    one = FeatureSetLibrary()
    for present in (SMALL, without(shipped.LONG_SQUARE, 2)):
        one.model_for(present)
    assert fits == []
    assert not (no_tables / FEATURE_SETS).exists()


def test_a_cache_that_cannot_be_written_costs_no_verdict(no_tables, fits):
    no_tables.write_text("a file in the folder's place")
    one = FeatureSetLibrary()
    assert np.array_equal(one.model_for(NEW).columns, np.flatnonzero(NEW))
    assert len(fits) == 1


def test_an_empty_set_is_refused(no_tables, fits):
    with pytest.raises(SettingsError, match="at least one feature"):
        FeatureSetLibrary().model_for(np.zeros(len(FEATURE_NAMES), dtype=bool))


def test_few_models_stay_in_memory(no_tables, fits, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(library, "_KEPT", 3)
    one = FeatureSetLibrary()
    for present in one.shipped[:6]:
        one.model_for(present)
    assert len(one.__dict__["_models"]) == 3


def test_a_library_of_another_folder_ships_what_lies_there(tmp_path, no_tables, fits):
    place = tmp_path / "models" / FEATURE_SETS
    place.mkdir(parents=True)
    for name in (FOUNDATION, file_name(SMALL)):
        for suffix in (".json", ".safetensors"):
            shutil.copy(shipped.library().folder / f"{name}{suffix}", place)
    one = FeatureSetLibrary(tmp_path / "models")
    assert [file_name(present) for present in one.shipped] == [file_name(SMALL)]
    assert one.is_ready(SMALL) and not one.is_ready(shipped.LONG_SQUARE)
