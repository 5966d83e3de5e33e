"""Fit the boosted trees of the human subclass model, on the same inputs as its kernel experts."""

import json
from typing import Any

import numpy as np
import torch

from neuroclass.config import HumanSubclassSettings, TreeSettings
from neuroclass.nets.tree_experts import LEAVES, LEVELS, QUESTIONS, TreeExperts
from neuroclass.training.human_experts import ExpertCells, class_weights
from neuroclass.types.arrays import Floats, Integers, Mask

_ALWAYS = 1e30  # above any input


def fit_trees(
    z: Floats, truth: Integers, held_by: Mask, every: list[ExpertCells], settings: HumanSubclassSettings, n_classes: int
) -> TreeExperts:
    """Fit all experts.

    Parameters
    ----------
    z : ndarray, shape (n_cells, n_features)
        Standardised, completed features that the model uses.
    truth : ndarray of int, shape (n_cells,)
        Position of each cell's class.
    held_by : ndarray of bool, shape (n_members, n_cells)
        Which member may not see which cell.
    every : list of ExpertCells
        Inputs and cells of each expert.
    settings : HumanSubclassSettings
        Of the trees, and the weights of the classes.
    n_classes : int
        Number of classes.

    Returns
    -------
    TreeExperts
    """
    most = max(expert.inputs.shape[0] for expert in every)
    trees = TreeExperts(len(every), len(held_by), z.shape[1], most, settings.trees.rounds, n_classes)
    weights = class_weights(truth, settings.balance)
    for number, expert in enumerate(every):
        inputs = np.zeros((z.shape[1], most), dtype=np.float32)
        inputs[expert.columns, : len(expert.inputs)] = expert.inputs.T
        trees.inputs[number] = torch.as_tensor(inputs)
        x = (torch.as_tensor(z, dtype=torch.float32) @ trees.inputs[number])[:, : len(expert.inputs)].numpy()
        for member, held in enumerate(held_by):
            rows = np.flatnonzero(expert.cells & ~held)
            seed = settings.seed * len(held_by) + member
            grown = _boost(x[rows], truth[rows], weights[rows], settings.trees, n_classes, seed)
            for place, tree in enumerate(grown):
                _store(trees, (number, member, place % n_classes, place // n_classes), tree)
    return trees


def _boost(
    x: Floats, truth: Integers, weights: Floats, settings: TreeSettings, n_classes: int, seed: int
) -> list[dict[str, Any]]:
    """The trees in order: in each round one a class."""
    import xgboost

    parameters = {
        "objective": "multi:softprob",
        "num_class": n_classes,
        "base_score": 0.5,
        "max_depth": LEVELS,
        "eta": settings.rate,
        "subsample": settings.cells,
        "colsample_bytree": settings.inputs,
        "reg_lambda": settings.ridge,
        "max_bin": settings.bins,
        "seed": seed,
        "nthread": 1,
    }
    data = xgboost.QuantileDMatrix(x, truth, weight=weights / weights.mean(), max_bin=settings.bins)
    booster = xgboost.train(parameters, data, settings.rounds)
    model = json.loads(bytes(booster.save_raw("json")))
    found: list[dict[str, Any]] = model["learner"]["gradient_booster"]["model"]["trees"]
    return found


def _store(trees: TreeExperts, place: tuple[int, int, int, int], tree: dict[str, Any]) -> None:
    """Write a tree as a complete one."""
    asked, below, score = np.zeros(QUESTIONS, dtype=np.int16), np.full(QUESTIONS, _ALWAYS), np.zeros(LEAVES)
    left, right = tree["left_children"], tree["right_children"]
    value, inputs = tree["split_conditions"], tree["split_indices"]

    def fill(node: int, at: int) -> None:
        if at >= QUESTIONS:
            score[at - QUESTIONS] = value[node]
            return
        leaf = left[node] < 0
        if not leaf:
            asked[at], below[at] = inputs[node], value[node]
        fill(node if leaf else left[node], 2 * at + 1)
        fill(node if leaf else right[node], 2 * at + 2)

    fill(0, 0)
    trees.asked[place] = torch.as_tensor(asked)
    trees.below[place] = torch.as_tensor(below, dtype=torch.float32)
    trees.score[place] = torch.as_tensor(score, dtype=torch.float32)
