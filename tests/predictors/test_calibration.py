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
