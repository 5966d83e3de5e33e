"""The accuracy to expect with some of the features: measured for whole stimuli, estimated for other sets."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.evaluation.expected_accuracy import ExpectedAccuracy, SubsetRegression, stimuli_of
from neuroclass.evaluation.feature_subsets import random_subsets, stimulus_rows, subset_table
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from neuroclass.predictors.foundation import digits_of

GOOD = np.isin(FEATURE_NAMES, features_of(Stimulus.NOISE))
N_CELLS = 500
LONG, NOISE = features_of(Stimulus.LONG_SQUARE), features_of(Stimulus.NOISE)


def row(stimuli: str, mean: float, species: str = "mouse") -> dict:
    metrics = {"mean": mean, "sd": 0.01, "low": mean - 0.02, "high": mean + 0.02, "macro_f1": mean}
    return {"laboratory": stimuli, "species": species, "n_cells": 100, **metrics, "classes": {"Sst": mean}}


ROWS = [
    row("long_square", 0.6),
    row("long_square+ramp", 0.7),
    row("long_square+noise", 0.8),
    row("long_square", 0.5, "human"),
]


def true_accuracy(subsets: np.ndarray) -> np.ndarray:
    """A made-up law: noise features help, the others little."""
    return 1 / (1 + np.exp(-(-0.5 + 0.25 * subsets[:, GOOD].sum(1) + 0.02 * subsets.sum(1))))


def random_table(seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    subsets = random_subsets()
    rows = []
    for subset, p in zip(subsets, true_accuracy(subsets), strict=True):
        share = rng.binomial(N_CELLS, p) / N_CELLS
        common = {
            "features": digits_of(subset),
            "species": "mouse",
            "n_cells": N_CELLS,
            "accuracy": share,
            "coverage": 0.9,
            "error": np.sqrt(share * (1 - share) / N_CELLS),
        }
        rows += [{**common, "class": "all"}, {**common, "class": "Sst"}]
    return pd.DataFrame(rows)


def names(subset: np.ndarray) -> set[str]:
    return {name for name, known in zip(FEATURE_NAMES, subset, strict=True) if known}


@pytest.fixture(scope="module")
def estimate() -> SubsetRegression:
    return SubsetRegression(random_table())


@pytest.fixture(scope="module")
def expected() -> ExpectedAccuracy:
    human = random_table().assign(species="human")
    return ExpectedAccuracy(subset_table(stimulus_rows(ROWS), pd.concat([random_table(), human])))


def test_a_stimulus_counts_when_half_its_features_are_there() -> None:
    half = features_of(Stimulus.RAMP)[:3]
    assert stimuli_of(half) == {Stimulus.RAMP}
    assert stimuli_of(half[:2]) == frozenset()
    assert stimuli_of(FEATURE_NAMES) == set(Stimulus)


def test_unseen_sets_are_estimated_within_their_interval(estimate: SubsetRegression) -> None:
    subsets = random_subsets(200, seed=3)
    found = [estimate(names(subset), "mouse") for subset in subsets]
    inside = [t["low"] <= p <= t["high"] for t, p in zip(found, true_accuracy(subsets), strict=True)]
    assert np.mean(inside) >= 0.9
    assert np.mean([t["high"] - t["low"] for t in found]) < 0.2
    assert found[0]["n_features"] == subsets[0].sum()
    assert set(found[0]["by_class"]) == {"Sst"}


def test_more_is_expected_of_what_helps(estimate: SubsetRegression) -> None:
    few = set(LONG)
    assert estimate(few | set(NOISE), "mouse")["low"] > estimate(few, "mouse")["high"]


def test_mouse_stands_in_and_of_too_few_features_nothing_is_expected(estimate: SubsetRegression) -> None:
    assert estimate(FEATURE_NAMES, "human")["species"] == "mouse"
    assert estimate(FEATURE_NAMES[:2], "mouse") == {}


def test_whole_stimuli_are_looked_up_by_species_and_other_sets_estimated(
    expected: ExpectedAccuracy, estimate: SubsetRegression
) -> None:
    whole = expected(LONG, "mouse")
    assert (whole["accuracy"], whole["low"], whole["by_class"]) == (0.6, 0.58, {"Sst": 0.6})
    assert whole["stimuli"] == ["long_square"]
    assert whole["n_features"] == len(LONG)
    assert whole["coverage"] == estimate(LONG, "mouse")["coverage"]
    assert expected(LONG, "human")["accuracy"] == 0.5
    both = expected([*LONG, *features_of(Stimulus.RAMP)], "human")
    assert (both["accuracy"], both["species"]) == (0.7, "mouse")
    assert expected(LONG[:-1], "mouse") == estimate(LONG[:-1], "mouse")


def test_the_next_sweep_is_the_one_that_helps_most(expected: ExpectedAccuracy) -> None:
    ramp = [*LONG, *features_of(Stimulus.RAMP)]
    assert expected.next_sweep(LONG[:-1], "mouse")["stimulus"] == "noise"
    assert expected.next_sweep(ramp, "mouse")["now"] == 0.7
    assert expected.next_sweep(FEATURE_NAMES, "mouse") is None


def test_without_a_table_nothing_is_expected() -> None:
    nothing = ExpectedAccuracy()
    assert nothing(FEATURE_NAMES, "mouse") == {}
    assert nothing.next_sweep(LONG, "mouse") is None
