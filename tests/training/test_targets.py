"""Weights balance classes within domains, by labels or by posteriors."""

import numpy as np
import pytest

from neuroclass.training.targets import balanced_weights


def test_every_class_of_every_domain_weighs_the_same():
    domains = np.array([0, 0, 0, 0, 1, 1, 1])
    truth = np.array([0, 0, 0, 1, 0, 1, 1])
    weights = balanced_weights(domains, np.eye(2)[truth])
    totals = [weights[(domains == d) & (truth == k)].sum() for d in (0, 1) for k in (0, 1)]
    assert totals == pytest.approx([totals[0]] * 4)
    assert weights.mean() == pytest.approx(1)


def test_posteriors_stand_in_for_labels():
    domains = np.array([0, 0, 1, 1, 1])
    shares = np.array([[1, 0], [0, 1], [0.9, 0.1], [0.8, 0.2], [0.1, 0.9]])
    weights = balanced_weights(domains, shares)
    assert weights[2:].sum() == pytest.approx(weights[:2].sum())
    assert weights[4] > weights[3] > weights[2]


def test_a_domain_of_unknown_cells_weighs_nothing():
    weights = balanced_weights(np.array([0, 0, 1]), np.array([[1.0, 0], [0, 1], [0, 0]]))
    assert weights[2] == 0
    assert np.isfinite(weights).all()
