"""How the parts of a verdict are pooled, reconciled, and weighed by the likeness to the database."""

import numpy as np
import pytest
from scipy.special import log_softmax

from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors import voices
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.voices import AWAY, BROAD, HOME, SUBCLASS


def log_probabilities(rng: np.random.Generator, n_cells: int, n_classes: int) -> np.ndarray:
    return log_softmax(3 * rng.standard_normal((n_cells, n_classes)), axis=1)


@pytest.fixture
def shapes() -> ClassShapes:
    means = np.array([[0.0, 0], [4, 0], [0, 4], [-4, 0], [0, -4]])
    return ClassShapes(means, np.tile(np.eye(2), (5, 1, 1)), np.array([60.0, 10, 10, 10, 10]))


def test_excitatory_is_exactly_glutamatergic(rng):
    broad, subclass = voices.reconciled(log_probabilities(rng, 50, 2), log_probabilities(rng, 50, 5))
    np.testing.assert_array_equal(broad[:, 0], subclass[:, 0])
    np.testing.assert_allclose(broad.sum(1), 1)
    np.testing.assert_allclose(subclass.sum(1), 1)


def test_the_mean_of_the_log_odds_decides():
    broad, subclass = np.log([[0.9, 0.1]]), np.log([[0.5, 0.2, 0.1, 0.1, 0.1]])
    excitatory = voices.reconciled(broad, subclass)[0][0, 0]
    assert np.log(excitatory / (1 - excitatory)) == pytest.approx(np.log(9) / 2)


def test_contradiction_ends_near_even_odds():
    excitatory = 0.97
    subclass = np.log([[1 - excitatory, *[excitatory / 4] * 4]])
    found, _ = voices.reconciled(np.log([[excitatory, 1 - excitatory]]), subclass)
    assert found[0, 0] == pytest.approx(0.5, abs=1e-9)


def test_the_other_subclasses_keep_their_shares(rng):
    before = log_probabilities(rng, 20, 5)
    _, after = voices.with_broad(rng.random(20), before)
    shares = [rows[:, 1:] / rows[:, 1:].sum(1, keepdims=True) for rows in (np.exp(before), after)]
    np.testing.assert_allclose(shares[0], shares[1])


def test_one_part_alone_is_the_pool(monkeypatch, rng):
    p = np.exp(log_probabilities(rng, 20, 5))
    monkeypatch.setitem(voices.WEIGHTS, HOME, {"net": 1.0})
    np.testing.assert_allclose(np.exp(voices.pooled(HOME, {"net": p})), p, atol=5e-3)


@pytest.mark.parametrize("voice", voices.VOICES)
def test_weights_add_up_and_agreeing_parts_give_their_own_answer(voice, rng):
    assert sum(voices.WEIGHTS[voice].values()) == pytest.approx(1)
    p = np.exp(log_probabilities(rng, 20, 5))
    np.testing.assert_allclose(np.exp(voices.pooled(voice, dict.fromkeys(voices.WEIGHTS[voice], p))), p, atol=5e-3)


def test_a_high_temperature_flattens_and_keeps_the_order(rng):
    parts = {name: np.exp(log_probabilities(rng, 20, 5)) for name in voices.WEIGHTS[HOME]}
    sharp, flat = voices.pooled(HOME, parts, 1.0), voices.pooled(HOME, parts, 3.0)
    assert (flat.max(1) < sharp.max(1)).all()
    np.testing.assert_array_equal(flat.argsort(1), sharp.argsort(1))


def test_home_grows_with_the_ratio_and_is_even_at_the_threshold():
    p = voices.probability_home(np.linspace(-30, 30, 101), 0.5)
    assert (np.diff(p) >= 0).all()
    assert p[0] < 1e-6 < 1 - 1e-6 < p[-1]
    assert voices.probability_home(np.array([0.5]), 0.5)[0] == 0.5


def test_away_every_class_is_equally_likely_beforehand(shapes):
    np.testing.assert_allclose(voices.component_proportions(SUBCLASS, AWAY, shapes), 1 / 5)
    np.testing.assert_allclose(voices.component_proportions(BROAD, AWAY, shapes), [1 / 2, *[1 / 8] * 4])
    for task in (SUBCLASS, BROAD):
        np.testing.assert_allclose(voices.component_proportions(task, HOME, shapes), shapes.proportions)


def test_the_t_posterior_of_the_broad_task_sums_the_subclasses(shapes, rng):
    likelihoods = voices.home_likelihoods(3 * rng.standard_normal((30, 2)), shapes)
    broad, subclass = (voices.t_posterior(task, HOME, likelihoods, shapes) for task in (BROAD, SUBCLASS))
    np.testing.assert_allclose(broad[:, 0], subclass[:, 0])
    np.testing.assert_allclose(broad[:, 1], subclass[:, 1:].sum(1))


def test_a_cell_of_the_database_is_likelier_at_home_and_a_moved_one_elsewhere(shapes, rng):
    z, _ = shapes.sample(shapes.proportions, 400, rng)
    lab = 9.0 * np.eye(2)

    def ratio(cells: np.ndarray) -> np.ndarray:
        home = voices.log_density(voices.home_likelihoods(cells, shapes), shapes.proportions)
        away = voices.away_likelihoods(cells, shapes, lab, np.zeros(2))
        return home - voices.log_density(away, voices.component_proportions(SUBCLASS, AWAY, shapes))

    assert (ratio(z) > 0).mean() > 0.85
    assert (ratio(z + 8.0) < 0).mean() > 0.9


def test_ratios_are_the_features_most_often_measured_otherwise():
    ratio = np.array(["ratio" in name for name in FEATURE_NAMES])
    assert voices.REMEASURED[ratio].min() > voices.REMEASURED[~ratio].max() > 0


def test_any_species_but_human_is_judged_by_the_mouse_shapes():
    assert [voices.shape_species(name) for name in ("mouse", "human", "unknown", "")] == ["mouse", "human"] + [
        "mouse"
    ] * 2


def test_subclasses_are_scaled_to_the_broad_answer_also_where_nothing_is_left_to_share():
    fine = np.log(np.maximum([[0.6, 0.2, 0.1, 0.1, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]], 1e-12))
    broad, found = voices.with_broad(np.array([0.2, 0.5]), fine)
    assert np.allclose(broad, [[0.2, 0.8], [0.5, 0.5]])
    assert np.allclose(found[0], [0.2, 0.4, 0.2, 0.2, 0.0], atol=1e-9)
    assert np.allclose(found[1], [0.5, 0.125, 0.125, 0.125, 0.125])
