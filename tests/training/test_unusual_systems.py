"""Systems that see few labels or none: what was planted is found, and unused labels do not matter."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from neuroclass.training.circular import Circle, CircularTaxonomy, von_mises
from neuroclass.training.etypes import ETypeClassifier, ETypes
from neuroclass.training.semi_supervised import FuzzyCentres, SemiSupervised, keep_few


def blobs(n_a_class: int, n_classes: int = 3, apart: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """Classes that differ in three features each; shape (n_cells, 41), and their numbers."""
    rng = np.random.default_rng(1)
    y = np.repeat(np.arange(n_classes), n_a_class)
    z = rng.standard_normal((len(y), 41))
    for k in range(n_classes):
        z[y == k, 3 * k : 3 * k + 3] += apart
    return (z - z.mean(0)) / z.std(0), y


def test_few_labels_are_kept_of_each_class():
    y = np.array([0] * 30 + [1] * 4)
    kept = keep_few(y, 5, seed=0)
    assert [(kept == k).sum() for k in (-1, 0, 1)] == [25, 5, 4]
    assert (kept[kept >= 0] == y[kept >= 0]).all()


@pytest.mark.parametrize("system", [SemiSupervised(4, 0), FuzzyCentres(4, 0)])
def test_few_labels_and_many_cells_suffice(system):
    z, y = blobs(60)
    assert (system.fit(z, y).predict_proba(z).argmax(1) == y).mean() > 0.95


def test_cells_without_labels_take_part():
    z, y = blobs(60, apart=1.5)
    unseen = np.flatnonzero(keep_few(y, 4, 0) < 0)
    moved = z.copy()
    moved[unseen[:40]] += 3
    assert not np.allclose(
        SemiSupervised(4, 0).fit(z, y).predict_proba(z), SemiSupervised(4, 0).fit(moved, y).predict_proba(z)
    )


def test_types_and_their_number_are_found_without_labels():
    z, y = blobs(80)
    types = ETypes.fit(z, seed=0)
    assert types.n_types == 3
    assert adjusted_rand_score(y, types.memberships(z).argmax(1)) > 0.95
    assert types.bic[1] == min(types.bic)
    assert (ETypeClassifier(0).fit(z, y).predict_proba(z).argmax(1) == y).mean() > 0.95


def test_types_do_not_see_labels(rng):
    z, y = blobs(80)
    one = ETypeClassifier(0).fit(z, y).types_.memberships(z)
    other = ETypeClassifier(0).fit(z, rng.permutation(y)).types_.memberships(z)
    assert np.array_equal(one, other)


def test_angles_on_a_planted_circle_are_found(rng):
    angles = np.linspace(-3, 3, 200)
    z = 0.05 * rng.standard_normal((200, 41))
    z[:, 4] += 3 * np.cos(angles)
    z[:, 9] += 2 * np.sin(angles)
    found, distance = Circle.fit(z).place(z)
    turn = np.angle(np.exp(1j * (found - np.arctan2(2 * np.sin(angles), 3 * np.cos(angles)))))
    assert np.abs(turn - np.median(turn)).max() < 0.15
    assert distance.min() > 1.5
    y = (angles > 0).astype(int)
    p = CircularTaxonomy().fit(z, y).predict_proba(z)
    assert np.allclose(p.sum(1), 1)
    assert (p.argmax(1) == y).mean() > 0.95


def test_von_mises_density_sums_to_one():
    grid = np.linspace(-np.pi, np.pi, 20001)
    density = von_mises(grid, np.array([0.3, 3.1]))
    assert density[1:].sum(axis=0) * (grid[1] - grid[0]) == pytest.approx([1, 1], abs=1e-6)
