"""Uploaded cells together: composition and place."""

import pandas as pd
import pytest

from neuroclass.adaptation.batch_model import Proportion
from neuroclass.cell_types import COLOURS
from neuroclass.charts import batch as charts
from neuroclass.classification.result import CellVerdict, Prediction
from neuroclass.ui.classify.batch_summary import composition

CLASSES = ("excitatory", "inhibitory")


def verdict(p: float, abstain: str = "") -> CellVerdict:
    task = Prediction("dann", {"excitatory": 1 - p, "inhibitory": p}, abstain=abstain)
    return CellVerdict("f", "c", "mouse", task, task, {}, {})


def test_composition_is_withheld_where_it_cannot_be_estimated():
    prior = pd.Series({"excitatory": 0.5, "inhibitory": 0.5})
    table = composition("broad", [verdict(0.99), verdict(0.5, "too few features")], prior, None).set_index("class")
    assert table.loc["inhibitory", "labels"] == 1.0
    assert table["estimated"].isna().all()
    assert "estimated" not in " ".join(bar.name for bar in charts.composition(table.reset_index()).data)


def test_an_estimated_composition_has_its_intervals():
    prior = pd.Series({"excitatory": 0.5, "inhibitory": 0.5})
    estimate = {"excitatory": Proportion(0.2, 0.1, 0.35), "inhibitory": Proportion(0.8, 0.65, 0.9)}
    bars = charts.composition(composition("broad", [verdict(0.99)], prior, estimate)).data[-1]
    assert list(bars.y) == [0.2, 0.8]
    assert list(bars.error_y.array) == pytest.approx([0.15, 0.1])


def test_figures_carry_units_and_escape_names():
    bars = charts.composition(
        pd.DataFrame(
            {
                "class": CLASSES,
                "prior": [0.5, 0.5],
                "labels": [1.0, 0.0],
                "estimated": [0.9, 0.1],
                "low": 0.0,
                "high": 1.0,
            }
        )
    )
    assert "fraction" in bars.layout.yaxis.title.text
    reference = pd.DataFrame({"id": ["1"], "species": ["mouse"], "truth": ["excitatory"], "x": [0.0], "y": [0.0]})
    uploaded = pd.DataFrame(
        {"cell": ["<b>x"], "class": ["excitatory"], "label": ["excitatory"], "x": [1.0], "y": [1.0]}
    )
    fig = charts.among(reference, uploaded, simulated=True)
    assert "<b>" not in str(fig.data[-1].text)
    assert fig.data[-1].marker.color == fig.data[0].marker.color == COLOURS["excitatory"]
    assert "simulated cells" in str(fig.layout)
