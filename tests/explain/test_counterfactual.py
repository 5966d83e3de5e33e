"""Counterfactuals: they flip the real model, stay within the other class' values, and find what is planted."""

import numpy as np
import pytest

from neuroclass.cohort.demo import load_demo
from neuroclass.explain.counterfactual import counterfactual, feature_groups
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import load_model
from neuroclass.predictors.preprocess import restore, transform
from neuroclass.reference.ranges import class_values


def cell(row: int) -> dict[str, float]:
    return dict(zip(FEATURE_NAMES, load_demo().matrix()[row].tolist(), strict=True))


class Planted:
    """A model that says B where tau is above 25 ms and sag below 0.1, else A."""

    name, classes = "planted", ("A", "B")

    def __init__(self):
        real = load_model("lspin")
        self.preprocessor, self.standardised_typicality = real.preprocessor, real.standardised_typicality

    def standardised_probabilities(self, z, species=None):
        x = self.preprocessor.stored_units(z)
        tau, sag = (x[:, FEATURE_NAMES.index(name)] for name in ("tau", "sag"))
        b = 1 / (1 + np.exp(-np.minimum((tau - 25) / 5, (0.1 - sag) / 0.03)))
        return np.stack([1 - b, b], axis=1)


def test_the_planted_features_are_found_and_moved_no_further_than_needed():
    values = np.full((3, 41), np.nan)
    for name, column in (("tau", (20, 40, 60)), ("sag", (0.3, 0.05, 0.01)), ("ri", (100, 200, 300))):
        values[:, FEATURE_NAMES.index(name)] = column
    start = {**cell(0), "tau": 12.0, "sag": 0.25}
    found = counterfactual(Planted(), start, "mouse", "B", values, "made up")
    then = {change.feature: change.then for change in found.changes}
    assert set(then) == {"tau", "sag"}
    assert then["tau"] == pytest.approx(25, abs=0.5)
    assert then["sag"] == pytest.approx(0.1, abs=0.005)
    assert {change.feature: change.now for change in found.changes} == {"tau": 12.0, "sag": 0.25}


def test_no_flip_where_the_allowed_values_do_not_reach_it():
    values = np.full((2, 41), np.nan)
    values[:, FEATURE_NAMES.index("tau")] = (10, 20)
    assert counterfactual(Planted(), {**cell(0), "tau": 12.0, "sag": 0.25}, "mouse", "B", values, "made up") is None


@pytest.mark.parametrize("joint", (False, True))
def test_the_model_itself_confirms_the_flip_within_the_other_class(joint):
    model = load_model("lspin")
    row = int(np.flatnonzero(load_demo().column("subclass") == "Sst")[0])
    features = cell(row)
    label = model.classes[int(model.predict_proba(load_demo().matrix()[[row]], ["mouse"]).argmax())]
    target = "Pvalb" if label != "Pvalb" else "Sst"
    allowed = class_values("mouse", target)
    found = counterfactual(model, features, "mouse", target, allowed, "quantiles", joint)
    assert found is not None and found.label == label
    changed = {**features, **{change.feature: change.then for change in found.changes}}
    x = np.array([[changed[name] for name in FEATURE_NAMES]])
    p = model.predict_proba(x, ["mouse"])[0]
    assert model.classes[int(p.argmax())] == target
    assert p[model.classes.index(target)] == pytest.approx(found.probability_then, abs=1e-6)
    for change in found.changes:
        column = allowed[:, FEATURE_NAMES.index(change.feature)]
        low, high = min(change.now, column.min()), max(change.now, column.max())
        assert low - 1e-9 <= change.then <= high + 1e-9
    assert len(found.changes) <= 6 or joint


def test_a_cell_of_the_target_class_needs_no_change():
    model = load_model("dann")
    features = cell(int(np.flatnonzero(load_demo().column("broad") == "excitatory")[0]))
    assert counterfactual(model, features, "mouse", "excitatory", class_values("mouse", "excitatory"), "q") is None
    with pytest.raises(KeyError):
        counterfactual(model, features, "mouse", "purple", class_values("mouse", "excitatory"), "q")


def test_one_quantity_under_all_stimuli_is_one_unit():
    grouped = feature_groups(True)
    assert len(grouped) < len(feature_groups(False)) == 41
    thresholds = {FEATURE_NAMES.index(name) for name in FEATURE_NAMES if name.startswith("threshold_v")}
    assert thresholds in [set(group) for group in grouped]


def test_stored_units_come_back_from_the_transform():
    x = load_demo().matrix()[:40]
    assert restore(transform(x)) == pytest.approx(x, rel=1e-9, abs=1e-9)
