"""Figures of other laboratories and of partial recordings: units, values in their places, names escaped."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.cell_types import COLOURS, SUBCLASS_ORDER
from neuroclass.charts import other_laboratories as charts
from tests.charts.axis_titles import axis_titles, without_unit

SYSTEMS = pd.DataFrame(
    {
        "laboratory": ["V1", "V1", "M1", "M1", "<b>mine", "<b>mine"],
        "system": ["Ours", "SVC"] * 3,
        "ours": [True, False] * 3,
        "value": [0.9, 0.6, 0.8, 0.5, 0.7, 0.4],
        "cells": [100, 100, 200, 200, 30, 30],
    }
)
PROMISES = pd.DataFrame(
    {
        "laboratory": ["V1", "V1"],
        "system": ["alone", "adapted"],
        "promised": [0.76, np.nan],
        "stated": [0.66, 0.82],
        "observed": [0.73, 0.85],
        "low": [0.71, 0.83],
        "high": [0.75, 0.87],
        "cells": [2275, 2275],
    }
)
BINS = pd.DataFrame({"stated": [0.5, 0.9], "observed": [0.6, 0.9], "low": 0.4, "high": 0.95, "predictions": [25, 25]})
COUNTS = pd.DataFrame([[3, 1], [0, 0]], ["Sst", "Htr3a"], ["Sst", "Htr3a"])
SETS = pd.DataFrame(
    {
        "name": ["ramp", "long square"],
        "cells": [1000, 1400],
        "accuracy": [0.7, 0.8],
        "low": [0.68, 0.78],
        "high": [0.72, 0.82],
        "svc": [0.71, 0.79],
        "promised": [0.69, 0.81],
    }
)
SIMULATED = pd.DataFrame(
    {
        "laboratory": ["steps of 50 pA", "steps of 50 pA", "25 °C"],
        "species": ["mouse", "human", "mouse"],
        "cells": [1424, 299, 1424],
        "accuracy": [0.9, 0.8, 0.7],
        "low": [0.88, 0.75, 0.68],
        "high": [0.92, 0.85, 0.72],
    }
)
FIGURES = {
    "by_system": lambda: charts.by_system(SYSTEMS, "Accuracy"),
    "simulated": lambda: charts.simulated(SIMULATED),
    "promises": lambda: charts.promises(PROMISES),
    "reliability": lambda: charts.reliability({"alone": BINS, "adapted": BINS}),
    "confusions": lambda: charts.confusions({"alone": COUNTS, "adapted": COUNTS}),
    "by_set": lambda: charts.by_set(SETS),
}


@pytest.mark.parametrize("name", FIGURES)
def test_titles_carry_units_and_no_class_colour_stands_for_anything_else(name):
    figure = FIGURES[name]()
    assert axis_titles(figure)
    assert not without_unit(figure)
    drawn = "".join(trace.to_json() for trace in figure.data)
    assert not any(COLOURS[one] in drawn for one in SUBCLASS_ORDER)


def test_each_laboratory_has_a_row_and_ours_stands_out():
    theirs, ours = charts.by_system(SYSTEMS, "Accuracy").data
    assert list(ours.y) == list(theirs.y) == ["V1 (100)", "M1 (200)", "&lt;b&gt;mine (30)"]
    assert (ours.name, list(ours.x), list(theirs.x)) == ("Ours", [0.9, 0.8, 0.7], [0.6, 0.5, 0.4])
    assert ours.marker.color != theirs.marker.color and ours.marker.symbol != theirs.marker.symbol
    assert ours.legendrank < theirs.legendrank


def test_a_simulated_laboratory_has_one_row_for_both_species():
    mouse, human = charts.simulated(SIMULATED).data
    assert list(mouse.y) == ["steps of 50 pA", "25 °C"] and list(human.y) == ["steps of 50 pA"]
    assert mouse.marker.color != human.marker.color


def test_what_nothing_promised_has_no_promise():
    observed, stated, promised = charts.promises(PROMISES).data
    assert list(observed.x) == [0.73, 0.85]
    assert list(stated.x) == [0.66, 0.82]
    assert (list(promised.x), list(promised.y)) == ([0.76], ["V1, alone (2,275)"])
    assert observed.error_x.array[0] == pytest.approx(0.02)


def test_fields_of_both_matrices_hold_share_and_number():
    before, after = charts.confusions({"alone": COUNTS, "adapted": COUNTS}).data
    assert before.text[0][0] == "75%<br>3"
    assert before.z[0][1] == 25
    assert list(after.y) == ["Sst", "Htr3a+|Vip−"]
    assert before.text[1][0] == ""


def test_sets_are_ordered_by_accuracy():
    ours, svc, promised = charts.by_set(SETS).data
    assert list(ours.y) == ["long square (1,400)", "ramp (1,000)"]
    assert list(svc.x) == [0.79, 0.71]
    assert list(promised.x) == [0.81, 0.69]
