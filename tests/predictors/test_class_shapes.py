"""The densities are the t's of the text books, on whatever features are there."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_t

from neuroclass.predictors.class_mixtures import ClassMixtures
from neuroclass.predictors.class_shapes import ClassShapes, log_t, log_t_remeasured

N_FEATURES = 5
DOF = 6.0


@pytest.fixture
def shape(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    root = rng.standard_normal((N_FEATURES, N_FEATURES))
    return rng.standard_normal(N_FEATURES), root @ root.T + np.eye(N_FEATURES)


def three_classes(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, ClassShapes]:
    truth = np.repeat([0, 1, 2], [300, 200, 100])
    z = rng.standard_normal((600, N_FEATURES)) @ rng.standard_normal((N_FEATURES, N_FEATURES)) + truth[:, None]
    return z, truth, ClassShapes.fit(z, truth, 3)


def test_log_t_is_scipys(shape, rng):
    mean, covariance = shape
    z = 3 * rng.standard_normal((20, N_FEATURES))
    np.testing.assert_allclose(log_t(z, mean, covariance, DOF), multivariate_t(mean, covariance, DOF).logpdf(z))


def test_a_missing_feature_is_marginalised(shape, rng):
    mean, covariance = shape
    z = rng.standard_normal((20, N_FEATURES))
    z[:10, [1, 3]] = np.nan
    z[15] = np.nan
    kept = np.array([0, 2, 4])
    density = log_t(z, mean, covariance, DOF)
    marginal = multivariate_t(mean[kept], covariance[np.ix_(kept, kept)], DOF)
    np.testing.assert_allclose(density[:10], marginal.logpdf(z[:10][:, kept]))
    np.testing.assert_allclose(density[10:15], multivariate_t(mean, covariance, DOF).logpdf(z[10:15]))
    assert density[15] == 0


def test_remeasured_is_the_sum_over_hypotheses(shape, rng):
    mean, covariance = shape
    z = 2 * rng.standard_normal((20, N_FEATURES))
    z[::3, 2] = np.nan
    probability = np.array([0.2, 0.0, 0.02, 0.3, 0.1])
    expected = []
    for cell in z:
        kept = np.flatnonzero(~np.isnan(cell))
        none = np.log1p(-probability[kept]).sum()
        parts = [none + multivariate_t(mean[kept], covariance[np.ix_(kept, kept)], DOF).logpdf(cell[kept])]
        for k in kept[probability[kept] > 0]:
            wide = covariance.copy()
            wide[k, k] += 1
            odds = np.log(probability[k] / (1 - probability[k]))
            parts.append(none + odds + multivariate_t(mean[kept], wide[np.ix_(kept, kept)], DOF).logpdf(cell[kept]))
        expected.append(logsumexp(parts))
    np.testing.assert_allclose(log_t_remeasured(z, mean, covariance, DOF, probability), expected)


def test_one_far_value_costs_less_where_it_may_be_another_measurement(shape):
    mean, covariance = shape
    far = np.tile(mean, (2, 1))
    far[1, 0] += 8 * np.sqrt(covariance[0, 0])
    plain, lenient = (log_t_remeasured(far, mean, covariance, DOF, np.full(N_FEATURES, p)) for p in (0.0, 0.1))
    assert plain[0] - plain[1] > lenient[0] - lenient[1]


def test_fit_gives_moments_of_the_classes(rng):
    z, truth, shapes = three_classes(rng)
    for k in range(3):
        np.testing.assert_allclose(shapes.means[k], z[truth == k].mean(0))
        np.testing.assert_allclose(
            shapes.covariances[k], np.cov(z[truth == k].T, ddof=0), atol=2e-3 * np.abs(shapes.covariances[k]).max()
        )
    np.testing.assert_allclose(shapes.proportions, [1 / 2, 1 / 3, 1 / 6])
    np.testing.assert_allclose(shapes.blended(1.0), shapes.covariances)
    np.testing.assert_allclose(shapes.blended(0.0), np.broadcast_to(shapes.pooled, shapes.covariances.shape))


def test_only_some_features_are_the_marginal(rng):
    z, _, shapes = three_classes(rng)
    columns = np.array([0, 3])
    hidden = np.full_like(z, np.nan)
    hidden[:, columns] = z[:, columns]
    few = shapes.only(columns)
    np.testing.assert_allclose(
        few.log_likelihoods(z[:, columns], few.covariances, DOF),
        shapes.log_likelihoods(hidden, shapes.covariances, DOF),
    )


def test_drawn_cells_have_the_moments_of_their_class(rng):
    _, _, shapes = three_classes(rng)
    z, which = shapes.sample(np.array([1.0, 1.0, 2.0]), 40_000, rng)
    np.testing.assert_allclose(np.bincount(which) / len(which), [0.25, 0.25, 0.5], atol=0.01)
    for k in range(3):
        spread = np.sqrt(np.diag(shapes.covariances[k]))
        np.testing.assert_allclose((z[which == k].mean(0) - shapes.means[k]) / spread, 0, atol=0.05)
        off = (np.cov(z[which == k].T) - shapes.covariances[k]) / np.outer(spread, spread)
        np.testing.assert_allclose(off, 0, atol=0.06)


def test_shapes_and_mixtures_come_back_from_their_arrays(rng):
    _, _, shapes = three_classes(rng)
    again = ClassShapes.from_arrays(shapes.arrays())
    for name in ("means", "covariances", "counts"):
        np.testing.assert_array_equal(getattr(again, name), getattr(shapes, name))
    mixtures = ClassMixtures(np.array([0, 0, 1]), np.array([0.3, 0.7, 1.0]), shapes.means, shapes.covariances,
                             np.array([50, 20]))  # fmt: skip
    for found, expected in zip(ClassMixtures.from_arrays(mixtures.arrays()).sample(3), mixtures.sample(3), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_mixture_draws_each_class_as_often_as_it_has_cells_and_with_its_weights(rng):
    means = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 20.0]])
    mixtures = ClassMixtures(np.array([0, 0, 1]), np.array([0.25, 0.75, 1.0]), means, np.tile(np.eye(2), (3, 1, 1)),
                             np.array([4000, 500]))  # fmt: skip
    z, group = mixtures.sample(0)
    assert np.bincount(group).tolist() == [4000, 500]
    assert (z[group == 0, 0] > 5).mean() == pytest.approx(0.75, abs=0.03)
    np.testing.assert_allclose(z[group == 1].mean(0), [0, 20], atol=0.2)
