"""What stands on a model's card beside its accuracy."""

import pytest

from neuroclass.ui.models.shipped import yardstick


def card(classes: dict[str, int], n_cells: int | None) -> dict[str, object]:
    return {"training_cells": {"classes": classes}, "metrics": {"n_cells": n_cells}}


def test_the_commonest_class_is_the_yardstick_by_species_where_there_are_two():
    one = {"mouse Glutamatergic": 70, "mouse Pvalb": 20, "mouse Sst": 10}
    assert yardstick(card(one, 100)) == "always naming the commonest class is right in 70% of these cells"
    two = {"human excitatory": 30, "human inhibitory": 10, "mouse excitatory": 45, "mouse inhibitory": 55}
    assert yardstick(card(two, 140)).endswith("right in 55% of mouse cells and 75% of human cells")


@pytest.mark.parametrize("n_cells", [None, 40])
def test_there_is_none_where_other_cells_gave_the_score(n_cells):
    assert yardstick(card({"mouse Sst": 50, "mouse Vip": 50}, n_cells)) == ""


def test_there_is_none_without_counts():
    assert yardstick({}) == ""
