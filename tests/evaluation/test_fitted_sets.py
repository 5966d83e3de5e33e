"""Sets of features are judged on donors that their fits have not seen, beside an SVC on the same features."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.cohort.cohort import Cohort
from neuroclass.evaluation import fitted_sets, protocols
from neuroclass.evaluation.evaluate import Evaluation
from neuroclass.features import FEATURE_NAMES, Stimulus
from neuroclass.training import calibrate_set, fit_feature_set, fit_kernel
from neuroclass.training.library import whole_stimuli
from tests import shipped
from tests.planted import planted_cohort

SETS = (shipped.named("width", "sag", "tau", "ri", "vrest"), shipped.of_stimuli(Stimulus.NONE))
N_FOLDS = 2


class Recorded:
    """Donors of each fit's training cells."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.donors: list[set[str]] = []
        self.sets: list[np.ndarray] = []
        table, fit = fitted_sets.training_table, fitted_sets.fit_feature_set

        def recording(cohort: Cohort):
            self.donors.append(set(cohort.column("donor")))
            return table(cohort)

        def fitting(of, present, seed):
            self.sets.append(present)
            return fit(of, present, seed)

        monkeypatch.setattr(fitted_sets, "training_table", recording)
        monkeypatch.setattr(fitted_sets, "fit_feature_set", fitting)


def run(name: str, cohort: Cohort) -> tuple[Evaluation, Recorded]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocols, "N_FOLDS", N_FOLDS)
        for key, recipe in fit_feature_set.RECIPES.items():
            patch.setitem(fit_feature_set.RECIPES, key, replace(recipe, steps=40))
        patch.setattr(calibrate_set, "N_LABORATORIES", 1)
        patch.setattr(fit_kernel, "N_RANDOM", 30)
        recorded = Recorded(patch)
        return fitted_sets.evaluate_sets(name, cohort, sets=SETS, jobs=1), recorded


def some_missing() -> Cohort:
    """A seventh of the cells lacks the resting potential."""
    cohort = planted_cohort(200, seed=3)
    frame = cohort.frame.copy()
    frame.loc[np.arange(len(frame)) % 7 == 0, "vrest"] = np.nan
    return replace(cohort, frame=frame)


@pytest.fixture(scope="module", params=["dann", "lspin"])
def evaluated(request: pytest.FixtureRequest) -> tuple[str, Evaluation, Recorded]:
    return request.param, *run(request.param, some_missing())


def test_no_test_donor_trains(evaluated):
    _, evaluation, recorded = evaluated
    assert len(recorded.donors) == N_FOLDS * len(SETS)
    for number, donors in enumerate(recorded.donors):
        tested = evaluation.predictions
        tested = tested[tested["fold"] == number // len(SETS)]
        assert len(tested) and donors
        assert not donors & set(tested["donor"])


def test_each_fit_is_to_exactly_the_features(evaluated):
    _, _, recorded = evaluated
    for number, present in enumerate(recorded.sets):
        np.testing.assert_array_equal(present, SETS[number % len(SETS)])


def test_every_cell_with_all_features_is_tested_once(evaluated):
    name, evaluation, _ = evaluated
    frame = some_missing().frame
    frame = frame if name == "dann" else frame[frame["species"] == "mouse"]
    for present in SETS:
        whole = frame.loc[:, np.array(FEATURE_NAMES)[present]].notna().all(axis=1)
        found = evaluation.predictions.loc[evaluation.predictions["laboratory"] == fitted_sets.set_name(present), "id"]
        assert sorted(found) == sorted(frame.loc[whole, "id"])


def test_rows_hold_what_is_documented(evaluated):
    name, evaluation, _ = evaluated
    result = evaluation.result
    assert result["model"] == name
    assert result["n_cells"] == evaluation.predictions["id"].nunique()
    species = ["mouse", "human"] if name == "dann" else ["mouse"]
    named = {(row["laboratory"], row["species"]) for row in result["laboratories"]}
    assert named == {(fitted_sets.set_name(present), one) for present in SETS for one in species}
    for row in result["laboratories"]:
        assert row["low"] <= row["mean"] <= row["high"]
        assert row["difference"] == pytest.approx(row["mean"] - row["svc"])
        for key in ("svc", "coverage", "promised", "taken_as_home", "macro_f1", "calibration_error"):
            assert 0 <= row[key] <= 1, key
        assert row["set_size"] > 0
        assert ("open_gates" in row) == (name == "lspin")
        part = evaluation.predictions
        part = part[(part["laboratory"] == row["laboratory"]) & (part["species"] == row["species"])]
        assert row["mean"] == pytest.approx((part["truth"] == part["predicted"]).mean())
        assert row["n_cells"] == len(part)


def test_planted_classes_are_found_where_their_features_are(evaluated):
    name, evaluation, _ = evaluated
    rows = {row["laboratory"]: row for row in evaluation.result["laboratories"] if row["species"] == "mouse"}
    with_classes, without = (rows[fitted_sets.set_name(present)] for present in SETS)
    assert with_classes["mean"] > without["mean"] + 0.1
    if name == "lspin":
        assert with_classes["mean"] > 0.7
        assert with_classes["svc"] > 0.7


def test_random_sets_have_sizes_between_the_bounds():
    sets = fitted_sets.random_sets(200, 5, 30)
    sizes = [int(one.sum()) for one in sets]
    assert (min(sizes), max(sizes)) == (5, 30)
    assert len({one.tobytes() for one in sets}) == 200
    np.testing.assert_array_equal(sets, fitted_sets.random_sets(200, 5, 30))


def test_sets_are_named_by_their_stimuli():
    names = [fitted_sets.set_name(present) for present in whole_stimuli()]
    assert len(set(names)) == len(names) == 31
    assert fitted_sets.set_name(shipped.LONG_SQUARE) == "long_square"
    partial = shipped.LONG_SQUARE.copy()
    partial[np.flatnonzero(partial)[0]] = False
    assert fitted_sets.set_name(partial).startswith("12 features: ")
