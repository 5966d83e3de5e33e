"""Small networks on planted cells: the adversary unlearns the species, gates open on what matters."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from neuroclass.cohort.splits import donor_folds
from neuroclass.config import AugmentSettings, DannSettings, LspinSettings, OptimiserSettings
from neuroclass.errors import CohortError
from neuroclass.evaluation.domains import domain_right
from neuroclass.features import FEATURE_NAMES
from neuroclass.training.fit_dann import train_dann
from neuroclass.training.fit_lspin import train_lspin
from tests.planted import planted_cohort

PLAIN = AugmentSettings(masked_share=0.0, shifted_share=0.0)
QUICK = OptimiserSettings(steps=250, batch_cells=128, learning_rate=1e-2, steps_an_epoch=50)
DANN = DannSettings(n_members=2, hidden=(24, 24), inner_folds=2, augment=PLAIN, optimiser=QUICK, dropout=0.0)
LSPIN = LspinSettings(n_members=4, inner_folds=4, augment=PLAIN, optimiser=QUICK, gate_penalty=0.02)
CAUSES = ("width", "sag", "tau", "ri")


@pytest.fixture(scope="module")
def cohort():
    return planted_cohort(900, class_features=CAUSES)


@pytest.fixture(scope="module")
def lspin(cohort):
    return train_lspin(cohort, LSPIN)


def domain_and_class_accuracy(cohort, reversal: float) -> tuple[float, float]:
    fold = donor_folds(cohort, "broad")[0]
    train, test = cohort.take(fold.train), cohort.take(fold.test)
    model = train_dann(train, replace(DANN, reversal=reversal))
    right = domain_right(
        model.embed(train.matrix()), train.column("species"), model.embed(test.matrix()), test.column("species")
    )
    predicted = np.array(model.classes)[model.predict_proba(test.matrix()).argmax(1)]
    return float(right.mean()), float((predicted == test.column("broad")).mean())


def test_adversary_takes_the_species_out_of_held_out_features(cohort):
    chance = float((cohort.column("species") == "mouse").mean())
    without, class_without = domain_and_class_accuracy(cohort, 0.0)
    against, class_against = domain_and_class_accuracy(cohort, 3.0)
    assert without > chance + 0.1
    assert against < chance + 0.1
    assert against < without - 0.07
    assert min(class_without, class_against) > 0.85


def test_gates_open_on_planted_features_and_shut_on_noise(cohort, lspin):
    mouse = cohort.of_species("mouse")
    gates = lspin.gates(mouse.matrix())
    planted = np.isin(FEATURE_NAMES, CAUSES)
    assert gates[:, planted].mean() > 0.3
    assert gates[:, ~planted].mean() < 0.01
    assert np.median((gates > 0).sum(1)) <= 6
    predicted = np.array(lspin.classes)[lspin.predict_proba(mouse.matrix()).argmax(1)]
    assert (predicted == mouse.column("subclass")).mean() > 0.8


def test_gates_of_missing_features_are_shut(cohort, lspin):
    x = cohort.matrix()[:20]
    x[:, FEATURE_NAMES.index("width")] = np.nan
    assert np.array_equal(lspin.gates(x)[:, FEATURE_NAMES.index("width")], np.zeros(20))


def test_similarity_term_is_off_by_default_and_reported_when_on(cohort):
    seen = []
    short = replace(LSPIN, optimiser=replace(QUICK, steps=2, steps_an_epoch=1))
    train_lspin(cohort, short, lambda progress: seen.append(progress.values))
    train_lspin(cohort, replace(short, similarity=0.5), lambda progress: seen.append(progress.values))
    assert "similarity" not in seen[0]
    assert seen[2]["similarity"] > 0


def test_same_seed_same_model_and_no_trace_on_the_global_generator(cohort):
    short = replace(DANN, optimiser=replace(QUICK, steps=10))
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = train_dann(cohort, short).predict_proba(cohort.matrix())
    assert torch.equal(torch.rand(1), expected)
    assert np.array_equal(first, train_dann(cohort, short).predict_proba(cohort.matrix()))
    other = train_dann(cohort, replace(short, seed=1)).predict_proba(cohort.matrix())
    assert not np.allclose(first, other)


def test_unlabelled_cells_take_part_in_the_adversary_only(cohort):
    frame = cohort.frame.copy()
    human = (frame["species"] == "human").to_numpy()
    frame.loc[human, "broad"] = None
    short = replace(DANN, optimiser=replace(QUICK, steps=60))
    with_human = train_dann(replace(cohort, frame=frame), short)
    frame = frame.copy()
    frame.loc[human, list(FEATURE_NAMES)] += 0.5
    moved = train_dann(replace(cohort, frame=frame), short)
    x = cohort.matrix()
    assert not np.allclose(with_human.predict_proba(x), moved.predict_proba(x))


def test_one_donor_a_class_is_refused():
    cohort = planted_cohort(60)
    frame = cohort.frame.assign(donor="one")
    with pytest.raises(CohortError, match="donor only"):
        train_lspin(replace(cohort, frame=frame), LSPIN)
