"""Calibration repairs planted overconfidence; sets cover as stated."""

import numpy as np
import pytest
from scipy.special import softmax

from neuroclass.predictors.calibration import Calibration


def planted(n_cells: int, seed: int, sharpening: float) -> tuple[np.ndarray, np.ndarray]:
    """Overconfident probabilities and the truth drawn from the honest ones."""
    rng = np.random.default_rng(seed)
    logits = 1.5 * rng.standard_normal((n_cells, 3))
    honest = softmax(logits, axis=1)
    truth = (rng.random(n_cells)[:, None] > honest.cumsum(1)).sum(1)
    return softmax(sharpening * logits, axis=1), truth


def test_overconfidence_is_undone():
    probabilities, truth = planted(6000, 0, 3.0)
    hidden, species = np.zeros(6000), ["mouse"] * 6000
    calibration = Calibration.fit(probabilities, hidden, truth, species)
    assert np.exp(calibration.parameters[0, 0]) == pytest.approx(3.0, rel=0.12)
    tested, answers = planted(4000, 1, 3.0)
    p = calibration(tested, np.zeros(4000), ["mouse"] * 4000)
    assert p.max(1).mean() == pytest.approx((p.argmax(1) == answers).mean(), abs=0.03)
    assert tested.max(1).mean() > (p.argmax(1) == answers).mean() + 0.1


@pytest.mark.parametrize("coverage", [0.8, 0.9, 0.95])
def test_sets_cover_as_stated(coverage):
    probabilities, truth = planted(4000, 2, 2.0)
    calibration = Calibration.fit(probabilities, np.zeros(4000), truth, ["human"] * 4000)
    tested, answers = planted(4000, 3, 2.0)
    p = calibration(tested, np.zeros(4000), ["human"] * 4000)
    inside = calibration.sets(p, np.zeros(4000), ["human"] * 4000, coverage)
    assert inside[np.arange(4000), answers].mean() == pytest.approx(coverage, abs=0.02)
    assert inside.any(1).all()


def test_sets_of_a_model_that_is_nearly_always_right_cover_as_stated_when_they_may_be_empty():
    rng = np.random.default_rng(6)
    logits = 8 * rng.standard_normal((8000, 2))
    honest = softmax(logits, axis=1)
    truth = (rng.random(8000)[:, None] > honest.cumsum(1)).sum(1)
    nothing, species = np.zeros(4000), ["mouse"] * 4000
    calibration = Calibration.fit(honest[:4000], nothing, truth[:4000], species)
    p, rows = calibration(honest[4000:], nothing, species), np.arange(4000)
    exact = calibration.sets(p, nothing, species, 0.9, allow_empty=True)
    assert exact[rows, truth[4000:]].mean() == pytest.approx(0.9, abs=0.02)
    assert not exact.any(1).all()
    shown = calibration.sets(p, nothing, species, 0.9)
    assert shown.any(1).all()
    assert shown[rows, truth[4000:]].mean() > 0.93


def test_species_are_calibrated_apart():
    probabilities, truth = planted(4000, 4, 3.0)
    softer, other = planted(4000, 5, 1.0)
    calibration = Calibration.fit(
        np.concatenate([probabilities, softer]),
        np.zeros(8000),
        np.concatenate([truth, other]),
        ["mouse"] * 4000 + ["human"] * 4000,
    )
    assert calibration.parameters[0, 0] > calibration.parameters[1, 0] + 0.5


def test_limits_by_class_cover_a_difficult_class_like_the_others(rng):
    def drawn(n):
        truth = rng.choice(3, n, p=[0.7, 0.2, 0.1])
        logits = rng.normal(size=(n, 3)) + np.array([3.0, 2.0, 0.3])[truth][:, None] * np.eye(3)[truth]
        return np.exp(logits) / np.exp(logits).sum(1, keepdims=True), truth

    p, truth = drawn(8000)
    fresh, other = drawn(8000)
    zeros, species = np.zeros(8000), ["human"] * 8000
    covered = {}
    for by_class in (False, True):
        calibration = Calibration.fit(p, zeros, truth, species, biased=False, by_class=by_class)
        scaled = calibration(fresh, zeros, species)
        inside = calibration.sets(scaled, zeros, species, 0.9, allow_empty=True)
        held = inside[np.arange(8000), other]
        covered[by_class] = [held[other == k].mean() for k in range(3)]
    assert covered[False][2] < 0.8
    assert np.all(np.abs(np.array(covered[True]) - 0.9) < 0.04)


def test_a_class_of_few_cells_shares_the_limit_however_often_they_occur(rng):
    p = rng.dirichlet(np.ones(3), 400)
    truth = np.where(np.arange(400) < 100, 2, rng.integers(0, 2, 400))
    cells = np.where(truth == 2, np.arange(400) % 10, np.arange(400) + 100)
    species, hidden = ["human"] * 400, np.zeros(400)
    calibration = Calibration.fit(p, hidden, truth, species, by_class=True, cells=cells)
    shared = Calibration.fit(p, hidden, truth, species)
    assert np.array_equal(calibration.thresholds[0, :, 2], shared.thresholds[0, :, 0])
    assert not np.array_equal(calibration.thresholds[0, :, 1], shared.thresholds[0, :, 0])


def test_probabilities_can_be_scaled_on_some_cells_while_limits_come_from_all(rng):
    p = rng.dirichlet(np.ones(3), 600)
    truth = rng.integers(0, 3, 600)
    easy = truth == 0
    p[easy] = [0.98, 0.01, 0.01]
    species, hidden = ["human"] * 600, np.zeros(600)
    some = Calibration.fit(p, hidden, truth, species, biased=False, by_class=True, scaled=~easy)
    alone = Calibration.fit(p[~easy], hidden[~easy], truth[~easy], species[: (~easy).sum()], biased=False)
    assert np.allclose(some.parameters, alone.parameters, atol=1e-6)
    assert some.thresholds[0, 0, 0, 180] < some.thresholds[0, 0, 1, 180]


def test_stored_limits_of_all_cells_are_read_as_before(rng):
    calibration = Calibration.fit(rng.dirichlet(np.ones(3), 90), np.zeros(90), rng.integers(0, 3, 90), ["human"] * 90)
    arrays = calibration.arrays()
    arrays["calibration.thresholds"] = arrays["calibration.thresholds"][:, :, 0]  # the older shape
    again = Calibration.from_arrays(arrays)
    p = rng.dirichlet(np.ones(3), 20)
    args = (p, np.full(20, 0.3), ["human"] * 20, 0.9)
    assert np.array_equal(again.sets(*args), calibration.sets(*args))
