"""Impossible values are noticed, another laboratory's offsets are not."""

import numpy as np
import pytest

from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.lab_shifts import standardised_shifts
from neuroclass.predictors.strangeness import Strangeness, deviations
from tests import shipped

STRANGE = 0.01
SPECIES = ("mouse", "human")


def shares(z: np.ndarray, species: str) -> np.ndarray:
    return shipped.library().model_for(shipped.LONG_SQUARE).typicality(z, [species] * len(z))


@pytest.fixture(params=SPECIES)
def species(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_typical_cells_are_seldom_strangers(species):
    assert (shares(shipped.drawn(species, 7)[0], species) < STRANGE).mean() <= 0.03


def test_one_impossible_value_makes_a_stranger(species):
    """Five standard deviations of the database, in one feature of thirteen; no other feature is touched."""
    rng = np.random.default_rng(1)
    z, _ = shipped.drawn(species, 7)
    z = z[shares(z, species) > 0.05]
    where = rng.choice(np.flatnonzero(shipped.LONG_SQUARE), len(z))
    z[np.arange(len(z)), where] += 5 * rng.choice([-1, 1], len(z))
    assert (shares(z, species) < STRANGE).mean() >= 0.85


@pytest.mark.parametrize("sign", [-1, 1])
def test_an_offset_of_all_potentials_makes_no_strangers(species, sign):
    """8 mV, as a junction potential that is or is not corrected."""
    offset = sign * standardised_shifts(shipped.base()[0].preprocessor)[0]
    assert (shares(shipped.drawn(species, 7)[0] + offset, species) < STRANGE).mean() <= 0.1


def test_the_planted_feature_deviates_most():
    z, _ = shipped.drawn("mouse", 3)
    z = z[:100].copy()
    planted = np.flatnonzero(shipped.LONG_SQUARE)[4]
    z[:, planted] += 12
    model = shipped.library().model_for(shipped.LONG_SQUARE)
    deviation = model.unusual(z, "mouse")[1]
    assert (model.columns[np.abs(deviation).argmax(1)] == planted).mean() > 0.95


def test_a_deviation_is_the_distance_from_the_conditional_mean(rng):
    """Against the regression of each feature on the others, with one class and no laboratory."""
    root = rng.standard_normal((4, 4))
    shapes = ClassShapes(np.zeros((1, 4)), (root @ root.T + np.eye(4))[None], np.array([100.0]))
    covariance = 1.2 * shapes.covariances[0] + 0.05 * np.eye(4)
    z = rng.standard_normal((5, 4))
    distance, deviation = deviations(z, shapes, np.zeros((4, 4)))
    for k in range(4):
        others = np.delete(np.arange(4), k)
        slope = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, k])
        spread = np.sqrt(covariance[k, k] - slope @ covariance[others, k])
        np.testing.assert_allclose(deviation[:, k], (z[:, k] - z[:, others] @ slope) / spread)
    assert np.argsort(distance).tolist() == np.argsort((z @ np.linalg.inv(covariance) * z).sum(1)).tolist()


def test_missing_features_deviate_by_nothing(rng):
    shapes = ClassShapes(np.zeros((1, 4)), np.eye(4)[None], np.array([100.0]))
    z = rng.standard_normal((3, 4))
    z[0, 1] = np.nan
    z[2] = np.nan
    distance, deviation = deviations(z, shapes, np.zeros((4, 4)))
    assert deviation[0, 1] == 0 and distance[2] == 0 and not deviation[2].any()
    alone = deviations(z[:1, [0, 2, 3]], shapes.only(np.array([0, 2, 3])), np.zeros((3, 3)))
    np.testing.assert_allclose(deviation[0, [0, 2, 3]], alone[1][0])


def test_the_share_is_that_of_the_held_out_cells(rng):
    distance, largest = rng.standard_normal(4000), rng.chisquare(3, 4000)
    fitted = Strangeness.fit(distance, largest)
    own = fitted.share(distance, largest)
    for level in (0.01, 0.1, 0.5):
        assert (own <= level).mean() == pytest.approx(level, abs=0.01)
    assert fitted.share(np.array([9.0, 0.0]), np.array([3.0, 90.0])).max() < 0.005
