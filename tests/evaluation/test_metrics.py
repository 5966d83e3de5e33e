"""Metrics against scikit-learn and planted coverage."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from neuroclass.evaluation.metrics import expected_calibration_error, paired_difference, summarise
from neuroclass.predictors.label_shift import adapt_to_proportions

CLASSES = ("a", "b", "c")


def planted(n_donors: int, right: float, seed: int, repeats: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = n_donors * 3
    truth = rng.choice(CLASSES, n)
    frames = []
    for repeat in range(repeats):
        predicted = np.where(rng.random(n) < right, truth, rng.choice(CLASSES, n))
        frame = pd.DataFrame({"id": np.arange(n).astype(str), "donor": np.arange(n) // 3, "truth": truth})
        frames.append(frame.assign(predicted=predicted, repeat=repeat, fold=np.arange(n) % 5))
    return pd.concat(frames, ignore_index=True)


def test_means_agree_with_sklearn():
    table = planted(40, 0.7, 0)
    result = summarise(table, CLASSES)
    by_repeat = [f1_score(t["truth"], t["predicted"], average="macro") for _, t in table.groupby("repeat")]
    assert result["macro_f1"]["mean"] == pytest.approx(np.mean(by_repeat))
    assert result["accuracy"]["mean"] == pytest.approx((table["truth"] == table["predicted"]).mean())
    assert result["accuracy"]["low"] < result["accuracy"]["mean"] < result["accuracy"]["high"]


def test_interval_covers_the_truth_about_as_often_as_stated():
    covered = []
    for seed in range(40):
        value = summarise(planted(60, 0.55, seed, repeats=1), CLASSES)["accuracy"]
        covered.append(value["low"] <= 0.55 + 0.45 / 3 <= value["high"])
    assert np.mean(covered) >= 0.85


def test_cells_of_one_donor_widen_the_interval():
    table = planted(40, 0.7, 1, repeats=1)
    right = np.repeat(np.arange(40) % 10 < 7, 3)
    table["predicted"] = np.where(right, table["truth"], "none")
    table["truth"] = table["truth"].where(right, "b")
    table["predicted"] = table["predicted"].replace("none", "a")
    clustered = summarise(table, CLASSES)["accuracy"]
    alone = summarise(table.assign(donor=table["id"]), CLASSES)["accuracy"]
    assert clustered["high"] - clustered["low"] > 1.4 * (alone["high"] - alone["low"])


def test_calibration_error_of_planted_overconfidence():
    table = pd.DataFrame({"truth": ["a"] * 7 + ["b"] * 3, "predicted": "a", "p_a": 0.9, "p_b": 0.1})
    assert expected_calibration_error(table, ("a", "b")) == pytest.approx(0.2)


def test_paired_difference_finds_the_better_system():
    ours, theirs = planted(150, 0.9, 2), planted(150, 0.6, 2)
    gap = paired_difference(ours, theirs)
    assert gap["low"] > 0.1
    assert gap["p"] < 0.01
    assert paired_difference(ours, ours)["difference"] == 0


def test_proportions_are_recovered():
    rng = np.random.default_rng(0)
    truth = (rng.random(4000) < 0.8).astype(int)
    score = rng.standard_normal(4000) + 2 * truth - 1
    p = 1 / (1 + np.exp(-2 * score))
    adapted, proportions = adapt_to_proportions(np.stack([1 - p, p], 1), np.array([0.5, 0.5]))
    assert proportions[1] == pytest.approx(0.8, abs=0.03)
    assert (adapted.argmax(1) == truth).mean() > ((p > 0.5) == truth).mean()
