"""Uploaded cells together: composition and place."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.charts import batch as charts
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.ui.classify.batch_summary import composition

CLASSES = ("excitatory", "inhibitory")


def verdict(p: float, abstain: str = "") -> CellVerdict:
    task = Prediction("dann", {"excitatory": 1 - p, "inhibitory": p}, abstain=abstain)
    return CellVerdict("f", "c", "mouse", task, task, {}, {})


def test_composition_is_estimated_without_the_training_cells_proportions():
    rng = np.random.default_rng(0)
    truth = rng.random(4000) < 0.8
    evidence = rng.normal(np.where(truth, 1.0, -1.0))
    odds = np.exp(2 * evidence) * (0.2 / 0.8)
    prior = pd.Series({"excitatory": 0.8, "inhibitory": 0.2})
    table = composition("broad", [verdict(p) for p in odds / (1 + odds)], prior).set_index("class")
    assert table.loc["inhibitory", "estimated"] == pytest.approx(0.8, abs=0.03)
    assert table.loc["inhibitory", "labels"] < 0.7
    assert table["estimated"].sum() == pytest.approx(1)


def test_cells_without_a_label_count_in_the_estimate_only():
    prior = pd.Series({"excitatory": 0.5, "inhibitory": 0.5})
    table = composition("broad", [verdict(0.99), verdict(0.5, "too few features")], prior).set_index("class")
    assert table.loc["inhibitory", "labels"] == 1.0
    assert table.loc["inhibitory", "estimated"] < 1.0


def test_figures_carry_units_and_escape_names():
    bars = charts.composition(
        pd.DataFrame({"class": CLASSES, "prior": [0.5, 0.5], "labels": [1.0, 0.0], "estimated": [0.9, 0.1]})
    )
    assert "fraction" in bars.layout.yaxis.title.text
    reference = pd.DataFrame({"id": ["1"], "species": ["mouse"], "truth": ["excitatory"], "x": [0.0], "y": [0.0]})
    uploaded = pd.DataFrame({"cell": ["<b>x"], "label": ["excitatory"], "x": [1.0], "y": [1.0]})
    fig = charts.among(reference, uploaded, simulated=True)
    assert "<b>" not in str(fig.data[-1].text)
    assert "simulated" in fig.layout.annotations[-1].text
