"""Prediction sets against crepes, an implementation of conformal prediction by others."""

import numpy as np
import pytest
from crepes import ConformalClassifier

from neuroclass.predictors.calibration import Calibration

N_CLASSES = 4


def cells(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of cells, and their true classes, drawn from sharper ones."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(N_CLASSES, 0.6), n)
    sharp = p**1.5 / (p**1.5).sum(1, keepdims=True)
    truth = (sharp.cumsum(1) < rng.random((n, 1))).sum(1).clip(max=N_CLASSES - 1)
    return p, truth


def both(n: int, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """Our sets and those of crepes for 500 new cells, calibrated on `n`; every feature known, one species."""
    p, truth = cells(n, seed=n)
    mouse = ["mouse"] * n
    calibration = Calibration.fit(p, np.zeros(n), truth, mouse)
    scores = 1 - calibration(p, np.zeros(n), mouse)[np.arange(n), truth]
    new = calibration(cells(500, seed=1)[0], np.zeros(500), ["mouse"] * 500)
    ours = calibration.sets(new, np.zeros(500), ["mouse"] * 500, coverage, allow_empty=True)
    oracle = ConformalClassifier().fit(scores)
    theirs = oracle.predict_set(1 - new, confidence=coverage, smoothing=False)
    return ours, np.asarray(theirs, dtype=bool)


@pytest.mark.parametrize("coverage", [0.8, 0.9])
@pytest.mark.parametrize("n", [87, 205, 1003])
def test_sets_are_those_of_crepes(n: int, coverage: float) -> None:
    ours, theirs = both(n, coverage)
    assert 0 < theirs.mean() < 1
    assert np.array_equal(ours, theirs)


def test_no_size_of_calibration_set_gives_smaller_sets() -> None:
    for n in range(190, 211):
        ours, theirs = both(n, 0.9)
        assert not (theirs & ~ours).any()
        assert (ours & ~theirs).mean() < 0.01
