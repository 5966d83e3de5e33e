"""Summaries of predictions, against figures worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.evaluation import summaries

PREDICTIONS = pd.DataFrame(
    {
        "id": ["1", "2", "3", "4"],
        "truth": ["a", "a", "b", "b"],
        "predicted": ["a", "b", "b", "b"],
        "p_a": [0.9, 0.4, 0.2, 0.1],
        "p_b": [0.1, 0.6, 0.8, 0.9],
    }
)


def test_confusion_and_scores() -> None:
    assert summaries.confusion_counts(PREDICTIONS, ["a", "b"]).to_numpy().tolist() == [[1, 1], [0, 2]]
    scores = summaries.class_scores(PREDICTIONS, ["a", "b"]).set_index("class")
    assert scores.loc["a", ["precision", "recall"]].tolist() == [1.0, 0.5]
    assert scores.loc["b", "f1"] == pytest.approx(0.8)


def test_a_class_never_predicted_scores_zero() -> None:
    scores = summaries.class_scores(PREDICTIONS, ["a", "b", "c"]).set_index("class")
    assert scores.loc["c", ["precision", "recall", "f1", "cells"]].tolist() == [0, 0, 0, 0]


def test_wilson_interval_of_nine_in_ten() -> None:
    low, high = summaries.wilson_interval([9], [10])
    assert (low[0], high[0]) == (pytest.approx(0.5958, abs=1e-3), pytest.approx(0.9821, abs=1e-3))


def test_groups_average_repeats_of_a_cell_first() -> None:
    twice = pd.concat([PREDICTIONS, PREDICTIONS.assign(predicted="b")])
    table = summaries.group_accuracy(twice, pd.Series({"1": "x", "2": "x", "3": "y"})).set_index("group")
    assert table.loc["x", "accuracy"] == pytest.approx(0.25)
    assert table.loc["x", "cells"] == 2
    assert "4" not in table.index


def test_reliability_in_bins_of_equal_numbers() -> None:
    bins = summaries.reliability_bins(PREDICTIONS, ["a", "b"], n_bins=2)
    assert bins["predictions"].tolist() == [2, 2]
    assert bins["stated"].tolist() == pytest.approx([0.7, 0.9])
    assert bins["observed"].tolist() == [0.5, 1.0]


def test_percentile_counts_ties_half() -> None:
    assert summaries.percentile_in([1, 2, 2, 3, np.nan], 2) == 50.0
    assert np.isnan(summaries.percentile_in([np.nan], 2))


def test_results_flatten_to_rows() -> None:
    metrics = {"accuracy": {"mean": 0.9, "low": 0.8, "high": 0.95}}
    results = [{"model": "svc", "protocol": "donor-cv", "metrics": metrics, "groups": {"mouse": {"accuracy": 0.8}}}]
    table = summaries.flatten_results(results, published=True)
    assert table[["system", "group", "mean"]].to_numpy().tolist() == [["svc", "all", 0.9], ["svc", "mouse", 0.8]]
    assert table["published"].all()
