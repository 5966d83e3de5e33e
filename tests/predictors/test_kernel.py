"""The kernel model's probabilities, and where the species counts."""

import numpy as np
import pytest

from neuroclass.predictors.kernel import Kernel

N_FEATURES, N_RANDOM, N_FOLDS = 4, 300, 3


def kernel(rng: np.random.Generator, n_classes: int, with_species: bool) -> Kernel:
    n_inputs = N_FEATURES + with_species
    return Kernel(
        np.eye(N_FEATURES) + 0.1,
        rng.standard_normal((n_inputs, N_RANDOM)),
        rng.uniform(0, 2 * np.pi, N_RANDOM),
        rng.standard_normal((N_FOLDS, n_classes, N_RANDOM + n_inputs)),
        rng.standard_normal((N_FOLDS, n_classes)),
    )


@pytest.mark.parametrize("with_species", [False, True])
def test_each_model_gives_probabilities(rng, with_species):
    z = 5 * rng.standard_normal((30, N_FEATURES))
    members = kernel(rng, 5, with_species).members(z, human=True)
    assert members.shape == (N_FOLDS, 30, 5)
    assert (members >= 0).all()
    np.testing.assert_allclose(members.sum(2), 1)


@pytest.mark.parametrize("with_species", [False, True])
def test_the_species_counts_only_where_it_is_an_input(rng, with_species):
    z = rng.standard_normal((30, N_FEATURES))
    one = kernel(rng, 2, with_species)
    mouse, human = (one.members(z, human) for human in (False, True))
    assert np.array_equal(mouse, human) is not with_species


def test_random_features_stand_for_a_gaussian_kernel(rng):
    """The product of two cells' waves is near 16 exp(−|u − v|² / 2) with standard normal frequencies."""
    one = Kernel(np.eye(2), rng.standard_normal((2, 20_000)), rng.uniform(0, 2 * np.pi, 20_000), np.zeros((1, 2, 1)),
                 np.zeros((1, 2)))  # fmt: skip
    cells = rng.standard_normal((6, 2))
    waves = one.features(cells, human=False)[:, :-2]
    square = ((cells[:, None] - cells[None]) ** 2).sum(2)
    np.testing.assert_allclose(waves @ waves.T / 16, np.exp(-square / 2), atol=0.04)


def test_a_kernel_comes_back_from_its_arrays(rng):
    one = kernel(rng, 5, True)
    z = rng.standard_normal((10, N_FEATURES))
    np.testing.assert_array_equal(Kernel.from_arrays(one.arrays()).members(z, True), one.members(z, True))
