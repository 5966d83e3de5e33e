"""What a set of features is worth."""

from neuroclass.evaluation.expected_accuracy import expected_accuracy, next_sweep, stimuli_of
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of


def row(laboratory: str, mean: float, species: str = "mouse") -> dict:
    return {
        "laboratory": laboratory,
        "species": species,
        "n_cells": 100,
        "mean": mean,
        "low": mean - 0.02,
        "high": mean + 0.02,
        "classes": {"Pvalb": mean},
    }


ROWS = [
    row("as recorded", 0.9),
    row("long_square", 0.6),
    row("long_square+ramp", 0.7),
    row("long_square+noise", 0.8),
    row("long_square", 0.5, "human"),
]
LONG = frozenset({Stimulus.LONG_SQUARE})


def test_a_stimulus_counts_when_half_its_features_are_there():
    half = features_of(Stimulus.RAMP)[:3]
    assert stimuli_of(half) == {Stimulus.RAMP}
    assert stimuli_of(half[:2]) == frozenset()
    assert stimuli_of(FEATURE_NAMES) == set(Stimulus)


def test_the_row_of_this_combination_and_species_is_found():
    assert expected_accuracy(ROWS, LONG, "human")["accuracy"] == 0.5
    found = expected_accuracy(ROWS, LONG | {Stimulus.RAMP}, "human")
    assert (found["accuracy"], found["species"]) == (0.7, "mouse")
    assert expected_accuracy(ROWS, frozenset(), "mouse") == {}


def test_the_next_sweep_is_the_one_that_helps_most():
    assert next_sweep(ROWS, LONG, "mouse") == {"stimulus": "noise", "accuracy": 0.8, "now": 0.6}
    assert next_sweep(ROWS, LONG | {Stimulus.NOISE}, "mouse") is None
