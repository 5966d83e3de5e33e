"""Every system trains by one call and gives probabilities; nothing is learned from shuffled labels."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.cohort.splits import donor_folds
from neuroclass.errors import SettingsError
from neuroclass.evaluation.names import SYSTEM_NAMES
from neuroclass.training.baselines import ESTIMATORS
from neuroclass.training.registry import SYSTEMS, system_named
from neuroclass.types.progress import ignore_progress
from tests.planted import planted_cohort


def test_names_for_the_parser_are_the_systems():
    assert tuple(SYSTEMS) == SYSTEM_NAMES


UNLABELLED = ("etypes", "circular")


@pytest.mark.parametrize("name", [name for name in ESTIMATORS if name not in UNLABELLED])
def test_baseline_learns_planted_classes_with_features_missing(name):
    cohort = planted_cohort(400).of_species("mouse")
    fold = donor_folds(cohort, "subclass")[0]
    model = system_named(name).train(cohort.take(fold.train), "subclass", 0, ignore_progress)
    test = cohort.take(fold.test)
    x = test.matrix()
    x[::3, 0] = np.nan
    p = model.predict_proba(x)
    assert np.allclose(p.sum(1), 1, atol=1e-5)
    predicted = np.array(model.classes)[p.argmax(1)]
    assert (predicted == test.column("subclass")).mean() > 0.5


def test_shuffled_labels_give_chance():
    cohort = planted_cohort(500)
    frame = cohort.frame.copy()
    frame["broad"] = np.random.default_rng(0).permutation(frame["broad"])
    cohort = replace(cohort, frame=frame)
    fold = donor_folds(cohort, "broad")[0]
    model = system_named("lda").train(cohort.take(fold.train), "broad", 0, ignore_progress)
    test = cohort.take(fold.test)
    right = np.array(model.classes)[model.predict_proba(test.matrix()).argmax(1)] == test.column("broad")
    assert right.mean() < (cohort.column("broad") == "inhibitory").mean() + 0.05


def test_paper_recipe_trains_and_leaves_most_gates_open():
    cohort = planted_cohort(120).of_species("mouse")
    seen = []
    model = system_named("lspin-paper").train(cohort, "subclass", 0, seen.append)
    assert len(seen) == seen[-1].done == seen[-1].total == 50
    assert np.median((model.gates(cohort.matrix()) > 0).sum(1)) > 25


def test_unknown_system_is_named():
    with pytest.raises(SettingsError, match="forest"):
        system_named("forest")
