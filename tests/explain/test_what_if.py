"""Altered cells: what is asked, and within which range."""

import pytest

from neuroclass.classification.models import load_models
from neuroclass.explain.what_if import altered_features, ask, shown_range
from neuroclass.features import BY_NAME
from neuroclass.predictors.priors import Prior
from neuroclass.reference.ranges import load_ranges

CELL = {"tau": 20.0, "sag": 0.1, "vrest": -70.0, "ri": 150.0, "latency": 0.05}


def test_values_are_replaced_and_features_left_out_without_touching_the_cell():
    assert altered_features(CELL, {"sag": 0.3, "width": 1.0}, ["ri"]) == {
        "tau": 20.0, "sag": 0.3, "vrest": -70.0, "latency": 0.05
    }  # fmt: skip
    assert CELL["sag"] == 0.1


def test_the_range_is_the_databases_in_shown_units_and_holds_the_cells_own_value():
    own = load_ranges()["mouse"]["latency"]
    factor = BY_NAME["latency"].display_factor
    assert shown_range("latency", own.median, "mouse") == pytest.approx((own.low * factor, own.high * factor))
    assert shown_range("latency", 2 * own.high, "mouse")[1] == pytest.approx(2 * own.high * factor)


def test_an_unaltered_cell_gets_the_verdicts_answer_and_a_prior_counts():
    model = load_models().dann.predictor
    plain = ask(model, CELL, "mouse", Prior())
    moved = ask(model, altered_features(CELL, {"tau": 8.0, "ri": 60.0}), "mouse", Prior())
    assert sum(plain.probabilities.values()) == pytest.approx(1.0)
    assert moved.probabilities != plain.probabilities
    assert ask(model, CELL, "mouse", Prior({"excitatory": 0.0})).probabilities["excitatory"] == 0.0
