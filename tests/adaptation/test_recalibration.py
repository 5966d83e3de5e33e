"""Recalibration on simulated probabilities: a planted temperature and bias come back; no cell judges itself."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from neuroclass.adaptation import recalibration
from neuroclass.adaptation.recalibration import (
    LEAST_A_CLASS,
    calibrated_elsewhere,
    fit_recalibration,
    recalibrate,
    why_not_recalibrated,
)
from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.errors import CohortError


def simulated(n_cells, temperature=1.0, bias=(0.0,) * 5, seed=0, spread=1.5):
    """Stated probabilities that become true probabilities as softmax(log p / temperature + bias), and true classes."""
    rng = np.random.default_rng(seed)
    logits = spread * rng.normal(size=(n_cells, 5))
    true = softmax(logits, axis=1)
    truth = (true.cumsum(1) < rng.random((n_cells, 1))).sum(1)
    return softmax((logits - np.array(bias)) * temperature, axis=1), truth


def frame_of(p, truth, system="alone", laboratory="lab"):
    names = np.array(SUBCLASS_ORDER)
    frame = pd.DataFrame({f"p_{name}": p[:, k] for k, name in enumerate(SUBCLASS_ORDER)})
    return frame.assign(
        id=[f"{laboratory}{k}" for k in range(len(p))],
        laboratory=laboratory,
        species="mouse",
        system=system,
        truth=names[truth],
        predicted=names[p.argmax(1)],
        prediction_set=names[p.argmax(1)],
    )


def cells_of(n_cells):
    return np.array([f"c{k}" for k in range(n_cells)])


@pytest.mark.parametrize("temperature", [0.6, 2.0])
def test_a_planted_temperature_comes_back(temperature):
    p, truth = simulated(3000, temperature)
    fitted = fit_recalibration(p, truth, cells_of(len(p)))
    assert fitted.temperature == pytest.approx(temperature, rel=0.15)
    assert np.abs(fitted.bias).max() < 0.25


def test_a_planted_bias_comes_back_and_few_cells_shrink_it():
    planted = np.array([1.5, 0.0, 0.0, 0.0, -1.5])
    many, few = (
        fit_recalibration(*simulated(n, bias=planted), cells_of(n)).bias for n in (3000, 40)
    )  # fmt: skip
    assert many[0] - many[4] == pytest.approx(3.0, abs=0.5)
    assert 0 < few[0] - few[4] < many[0] - many[4]


def test_a_class_without_a_cell_keeps_no_bias():
    p, truth = simulated(600)
    kept = truth != 2
    fitted = fit_recalibration(p[kept], truth[kept], cells_of(kept.sum()))
    assert fitted.bias[2] == 0
    assert np.abs(fitted.bias[[0, 1, 3, 4]]).min() > 0


def test_overconfident_probabilities_are_mended_on_held_out_cells():
    p, truth = simulated(800, temperature=3.0)
    check = recalibrate(frame_of(p, truth), SUBCLASS_ORDER, cells_of(len(p)).tolist())
    assert check.before["stated"] - check.before["accuracy"] > 0.15
    assert check.after["stated"] == pytest.approx(check.after["accuracy"], abs=0.04)
    assert check.before["coverage"] == pytest.approx(check.before["accuracy"])
    assert check.after["coverage"] == pytest.approx(0.9, abs=0.03)
    assert check.after["set_size"] > check.before["set_size"] == 1
    assert (check.n_cells, check.n_folds, check.grouped_by) == (800, 5, "cell")


def test_labels_without_information_give_no_gain():
    """Cross-validated, a fit to shuffled labels cannot beat the commonest class by more than chance."""
    p, truth = simulated(300)
    shuffled = np.random.default_rng(1).permutation(truth)
    check = recalibrate(frame_of(p, shuffled), SUBCLASS_ORDER, cells_of(len(p)).tolist())
    assert check.after["accuracy"] < np.bincount(truth).max() / len(truth) + 0.06
    assert check.after["coverage"] == pytest.approx(0.9, abs=0.06)


def test_no_donor_stands_on_both_sides(monkeypatch):
    p, truth = simulated(200)
    donors = np.array([f"d{k % 20}" for k in range(200)])
    seen = []
    original = fit_recalibration

    def spy(p_train, truth_train, donors_train):
        seen.append(set(donors_train))
        return original(p_train, truth_train, donors_train)

    monkeypatch.setattr(recalibration, "fit_recalibration", spy)
    check = recalibrate(frame_of(p, truth), SUBCLASS_ORDER, donors.tolist())
    assert check.grouped_by == "donor"
    held_out = [set(donors) - one for one in seen if one != set(donors)]
    assert len(held_out) == check.n_folds
    assert sorted(donor for fold in held_out for donor in fold) == sorted(set(donors))


def test_few_donors_are_folded_by_cell():
    p, truth = simulated(100)
    check = recalibrate(frame_of(p, truth), SUBCLASS_ORDER, ["d1"] * 50 + ["d2"] * 50)
    assert check.grouped_by == "cell"


def test_too_few_cells_are_refused_with_the_reason():
    enough = ["Sst"] * LEAST_A_CLASS + ["Vip"] * LEAST_A_CLASS
    assert why_not_recalibrated(enough) == ""
    assert "fewer of Pvalb (1)" in why_not_recalibrated([*enough, "Pvalb"])
    assert "one class" in why_not_recalibrated(["Sst"] * 30)
    p, truth = simulated(6)
    with pytest.raises(CohortError, match="cannot be recalibrated"):
        recalibrate(frame_of(p, truth), SUBCLASS_ORDER, cells_of(6).tolist())


def test_a_laboratory_is_calibrated_on_the_others_only():
    """Changing a table's own labels changes neither its temperature nor its sets."""
    (p, truth), (q, other) = simulated(400, temperature=2.0), simulated(300, temperature=2.0, seed=1)
    tables = pd.concat([frame_of(p, truth), frame_of(q, other, laboratory="elsewhere")], ignore_index=True)
    rows = calibrated_elsewhere(tables, SUBCLASS_ORDER)
    assert [row["calibrated_on"] for row in rows] == [["elsewhere"], ["lab"]]
    assert rows[0]["temperature"] == pytest.approx(2.0, rel=0.2)
    wrong = tables.assign(truth=tables["truth"].where(tables["laboratory"] != "lab", "Sst"))
    again = calibrated_elsewhere(wrong, SUBCLASS_ORDER)
    assert again[0]["temperature"] == rows[0]["temperature"]
    assert again[0]["set_size_recalibrated"] == rows[0]["set_size_recalibrated"]
    assert again[1]["temperature"] != rows[1]["temperature"]
    assert calibrated_elsewhere(frame_of(p, truth), SUBCLASS_ORDER) == []
