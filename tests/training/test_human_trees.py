"""Boosted trees as tensors say what XGBoost says."""

import numpy as np
import pytest
import torch
import xgboost

from neuroclass.config import HumanSubclassSettings, LspinSettings, TreeSettings
from neuroclass.nets.tree_experts import TreeExperts
from neuroclass.training.human_experts import ExpertCells, class_weights
from neuroclass.training.human_trees import fit_trees

TREES = TreeSettings(rounds=12, rate=0.3, cells=1.0, inputs=1.0)
SETTINGS = HumanSubclassSettings(trees=TREES, lspin=LspinSettings(seed=3))


@pytest.fixture(scope="module")
def cells():
    """Standardised features and a class that needs two of them."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((240, 6))
    truth = (z[:, 1] > 0).astype(int) + 2 * (z[:, 4] * z[:, 1] > 0.5)
    return z, np.minimum(truth, 2)


@pytest.fixture(scope="module")
def expert(cells):
    """Sees features 1, 2 and 4, and the difference of two of them; not the first forty cells."""
    z, _ = cells
    columns = np.array([False, True, True, False, True, False])
    inputs = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, -1, 0]])
    return ExpertCells(columns, inputs, np.arange(len(z)) >= 40)


@pytest.fixture(scope="module")
def trees(cells, expert):
    z, truth = cells
    held = np.arange(len(z)) % 3 == np.arange(2)[:, None]
    return fit_trees(z, truth, held, [expert], SETTINGS, 3)


def test_tensors_give_the_boosters_probabilities(cells, expert, trees):
    z, truth = cells
    x = (z[:, expert.columns] @ expert.inputs.T).astype(np.float32)
    weights = class_weights(truth, SETTINGS.balance)
    for member in range(2):
        rows = expert.cells & (np.arange(len(z)) % 3 != member)
        own = weights[rows] / weights[rows].mean()
        data = xgboost.QuantileDMatrix(x[rows], truth[rows], weight=own, max_bin=TREES.bins)
        parameters = {
            "objective": "multi:softprob",
            "num_class": 3,
            "max_depth": 3,
            "eta": TREES.rate,
            "reg_lambda": TREES.ridge,
            "max_bin": TREES.bins,
            "base_score": 0.5,
        }
        expected = xgboost.train(parameters, data, TREES.rounds).predict(xgboost.DMatrix(x))
        logs = trees(torch.as_tensor(z, dtype=torch.float32), torch.ones(len(z), 1))[member]
        assert np.allclose(logs.exp().numpy(), expected, atol=1e-4)


def test_shares_weigh_experts_and_none_heard_says_nothing(cells, trees):
    z, _ = cells
    x = torch.as_tensor(z[:5], dtype=torch.float32)
    whole = trees(x, torch.ones(5, 1))
    assert torch.allclose(trees(x, torch.full((5, 1), 0.5)), whole / 2)
    assert not trees(x, torch.zeros(5, 1)).any()


def test_a_tree_that_stops_early_is_completed():
    trees = TreeExperts(1, 1, 1, 1, 1, 1)
    from neuroclass.training import human_trees

    stump = {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_conditions": [0.5, -2.0, 3.0],
        "split_indices": [0, 0, 0],
    }
    human_trees._store(trees, (0, 0, 0, 0), stump)
    trees.inputs.fill_(1.0)
    scores = trees._scores(0, torch.tensor([[0.4], [0.5], [0.6]]))
    assert scores.flatten().tolist() == [-2.0, 3.0, 3.0]
