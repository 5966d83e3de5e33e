"""What any set of features is worth, estimated between random sets."""

import numpy as np
import pandas as pd
import pytest
from tests.evaluation.test_worth import ROWS

from neuroclass.cohort.demo import load_demo
from neuroclass.evaluation.expected_accuracy import best_sweep, worth_of
from neuroclass.evaluation.feature_subsets import ExpectedAccuracy, mask_outcomes, random_masks, summarise_masks
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from neuroclass.io.artifacts import load_model

GOOD = np.isin(FEATURE_NAMES, features_of(Stimulus.NOISE))
N_CELLS = 500


def true_accuracy(masks: np.ndarray) -> np.ndarray:
    """A made-up law: noise features help, the others little."""
    return 1 / (1 + np.exp(-(-0.5 + 0.25 * masks[:, GOOD].sum(1) + 0.02 * masks.sum(1))))


def table_of(masks: np.ndarray, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for mask, p in zip(masks, true_accuracy(masks), strict=True):
        share = rng.binomial(N_CELLS, p) / N_CELLS
        common = {
            "features": "".join("1" if known else "0" for known in mask),
            "species": "mouse",
            "n_cells": N_CELLS,
            "accuracy": share,
            "coverage": 0.9,
            "error": np.sqrt(share * (1 - share) / N_CELLS),
        }
        rows += [{**common, "class": "all"}, {**common, "class": "Sst"}]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def worth() -> ExpectedAccuracy:
    return ExpectedAccuracy(table_of(random_masks()))


def names(mask: np.ndarray) -> set[str]:
    return {name for name, known in zip(FEATURE_NAMES, mask, strict=True) if known}


def test_sets_are_reproducible_and_range_from_few_features_to_all():
    masks = random_masks()
    assert (masks == random_masks()).all()
    assert masks.sum(1).min() >= 3
    assert masks.sum(1).max() >= 38


def test_intervals_hold_the_accuracy_of_sets_that_were_not_fitted(worth):
    masks = random_masks(200, seed=3)
    told = [worth(names(mask), "mouse") for mask in masks]
    inside = [t["low"] <= p <= t["high"] for t, p in zip(told, true_accuracy(masks), strict=True)]
    assert np.mean(inside) >= 0.9
    assert np.mean([t["high"] - t["low"] for t in told]) < 0.2
    assert told[0]["n_features"] == masks[0].sum()
    assert set(told[0]["by_class"]) == {"Sst"}


def test_what_helps_is_worth_more(worth):
    few = set(features_of(Stimulus.LONG_SQUARE))
    assert worth(few | set(features_of(Stimulus.NOISE)), "mouse")["low"] > worth(few, "mouse")["high"]


def test_mouse_stands_in_and_too_few_features_are_worth_nothing(worth):
    assert worth(FEATURE_NAMES, "human")["species"] == "mouse"
    assert worth(FEATURE_NAMES[:2], "mouse") == {}


def test_whole_stimuli_are_looked_up_and_other_sets_estimated(worth):
    whole = features_of(Stimulus.LONG_SQUARE)
    assert worth_of(ROWS, worth, whole, "mouse")["accuracy"] == 0.6
    assert worth_of(ROWS, worth, whole[:-1], "mouse") == worth(whole[:-1], "mouse")
    assert worth_of(ROWS, None, whole[:-1], "mouse")["accuracy"] == 0.6
    assert best_sweep((), worth, whole[:-1], "mouse")["stimulus"] == "noise"
    assert best_sweep((), worth, FEATURE_NAMES, "mouse") is None


def test_cells_are_counted_by_donor_and_class():
    model = load_model("lspin")
    test = load_demo().labelled("subclass")
    masks = np.array([np.ones(41, bool), np.arange(41) < 3])
    table = summarise_masks(mask_outcomes(model, test, "subclass", masks), masks)
    whole = table[(table["class"] == "all") & (table["features"] == "1" * 41)]
    likeliest = model.predict_proba(test.matrix(), test.column("species").tolist()).argmax(1)
    right = np.array(model.classes)[likeliest] == test.column("subclass")
    assert whole["n_cells"].sum() == len(test)
    assert (whole["accuracy"] * whole["n_cells"]).sum() == pytest.approx(right.sum(), abs=0.05)
    assert whole["error"].between(0, 0.2).all()
    by_class = table[table["class"] != "all"]
    assert by_class.groupby("features")["n_cells"].sum().tolist() == [len(test)] * 2
