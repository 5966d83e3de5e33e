"""Figures of the Performance page: units, order, and fields that can be clicked."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from neuroclass.charts import curves, evaluation, taxonomies
from tests.charts.axis_titles import axis_titles, without_unit

COUNTS = pd.DataFrame([[3, 1], [0, 4]], ["Sst", "Vip"], ["Sst", "Vip"])
LINES = pd.DataFrame(
    {
        "class": ["Sst", "Sst"],
        "threshold": [np.inf, 0.0],
        "false_positives": [0, 1],
        "recall": [0, 1],
        "precision": [1, 0.5],
    }
)
AREAS = pd.DataFrame({"class": ["Sst"], "roc_auc": [0.9], "average_precision": [0.8]})
NUMBERS = pd.DataFrame({"model": ["svc", "svc"], "number": [400, 100], "mean": [0.8, 0.7], "low": 0.6, "high": 0.9})
CELLS = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "truth": ["Sst", "Vip", "Sst"],
        "etype": [1, 2, 2],
        "angle": [0, 90, -95],
        "distance": [1, 2, 3],
    }
)
FIGURES: dict[str, Callable[[], go.Figure]] = {
    "roc": lambda: curves.roc(LINES, AREAS),
    "precision_recall": lambda: curves.precision_recall(LINES, AREAS),
    "against_number": lambda: curves.against_number(NUMBERS, {"svc": "SVC"}, "Cells (number)", "Accuracy"),
    "contingency": lambda: taxonomies.contingency(CELLS),
    "bic": lambda: taxonomies.bic_curve({"2": 5.0, "3": 4.0}),
    "angles": lambda: taxonomies.angle_densities(CELLS),
}


@pytest.mark.parametrize("name", FIGURES)
def test_axis_titles_carry_units(name: str) -> None:
    figure = FIGURES[name]()
    assert axis_titles(figure)
    assert not without_unit(figure)


def test_every_field_of_the_confusion_can_be_clicked() -> None:
    handles = [trace for trace in evaluation.confusion(COUNTS).data if trace.type == "scatter"]
    assert len(handles) == 1
    assert [tuple(pair) for pair in handles[0].customdata] == [
        ("Sst", "Sst"),
        ("Sst", "Vip"),
        ("Vip", "Sst"),
        ("Vip", "Vip"),
    ]
    assert list(handles[0].y) == ["Sst", "Sst", "Vip", "Vip"]


def test_curves_are_drawn_in_order_of_their_number() -> None:
    assert list(FIGURES["against_number"]().data[0].x) == [100, 400]


def test_the_lowest_bic_is_marked() -> None:
    assert list(FIGURES["bic"]().data[1].x) == [3]


def test_contingency_counts_cells_and_shades_by_type() -> None:
    heat = FIGURES["contingency"]().data[0]
    assert np.asarray(heat.text).tolist() == [[1, 1], [0, 1]]
    assert np.asarray(heat.z)[:, 1].tolist() == [50, 50]


def test_a_cell_is_drawn_at_its_angle() -> None:
    fig = taxonomies.circle(CELLS, simulated=True)
    assert list(fig.data[0].theta) == [0, -95]
    assert "simulated cells" in str(fig.layout)


def test_groups_are_drawn_from_best_to_worst_whatever_their_class() -> None:
    table = pd.DataFrame(
        {"group": ["x", "y", "z"], "truth": ["Vip", "Sst", "Vip"], "cells": 5, "accuracy": [0.2, 0.5, 0.9]}
    )
    fig = evaluation.by_group(table.assign(low=0.1, high=1.0), "Line")
    assert list(fig.layout.yaxis.categoryarray) == ["z (5)", "y (5)", "x (5)"]
    assert {trace.name for trace in fig.data} == {"Sst", "Vip"}
