"""The chart of labels that cross-species matches carry."""

import pandas as pd
import pytest

from neuroclass.charts.human_matches import agreement
from neuroclass.charts.theme import ordered


def test_every_space_has_its_points_and_chance_is_drawn_once():
    table = pd.DataFrame(
        {
            "space": ["a", "a", "b", "b"],
            "subclass": ["Sst", "Htr3a"] * 2,
            "partner": ["Sst", "Lamp5/Pax6"] * 2,
            "n_cells": [10, 20] * 2,
            "same": [0.5, 0.1, 0.3, 0.2],
            "low": [0.4, 0.0, 0.2, 0.1],
            "high": [0.7, 0.3, 0.4, 0.4],
            "chance": [0.25, 0.08] * 2,
        }
    )
    fig = agreement(table)
    assert [trace.name for trace in fig.data] == ["a", "b", "chance level"]
    assert list(fig.data[1].x) == [0.3, 0.2]
    assert list(fig.data[0].error_x.array) == pytest.approx([0.2, 0.2])
    assert list(fig.data[0].error_x.arrayminus) == pytest.approx([0.1, 0.1])
    assert fig.layout.yaxis.ticktext[1] == "Htr3a+|Vip− → Lamp5/Pax6 (20)"
    assert fig.data[0].y[1] != fig.data[1].y[1], "the spaces of a row lie apart"
    assert list(fig.data[2].y) == list(fig.layout.yaxis.tickvals)


def test_human_subclasses_come_in_their_order():
    assert ordered(["Lamp5/Pax6", "Glutamatergic", "Vip", "Pvalb"]) == ["Glutamatergic", "Pvalb", "Vip", "Lamp5/Pax6"]
