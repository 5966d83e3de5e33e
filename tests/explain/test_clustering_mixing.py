"""Clustering puts like beside like; mixing finds what is planted."""

import numpy as np
import pytest

from neuroclass.explain.clustering import cluster
from neuroclass.explain.mixing import neighbour_agreement


def test_like_items_stand_together() -> None:
    items = np.array([[0.0], [10.0], [0.1], [10.1], [0.2]])
    order = cluster(items).order.tolist()
    assert sorted(order) == [0, 1, 2, 3, 4]
    low = [order.index(k) for k in (0, 2, 4)]
    assert max(low) - min(low) == 2


def test_dendrogram_has_a_merge_less_than_items_and_its_height() -> None:
    tree = cluster(np.array([[0.0], [3.0], [3.5]]))
    assert np.isnan(tree.height).sum() == 2
    assert np.nanmax(tree.height) == pytest.approx(3.25)


def test_groups_keep_their_order() -> None:
    names = ["a", "a", "b", "b"]
    order = cluster(np.array([[0.0], [5.0], [0.1], [5.1]]), names).order
    assert [names[k] for k in order] == names


def test_one_item_is_its_own_tree() -> None:
    assert cluster(np.ones((1, 3))).order.tolist() == [0]


def test_separate_groups_agree_and_mixed_ones_are_at_chance() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(["a", "b"], [400, 100])
    apart = rng.normal(size=(500, 2)) + np.where(labels == "a", 0, 50)[:, None]
    mixed = rng.normal(size=(500, 2))
    assert neighbour_agreement(apart, labels) == (1.0, 0.5)
    assert neighbour_agreement(mixed, labels)[0] == pytest.approx(0.5, abs=0.06)
