"""The training cells of feature sets, and what stands in for them."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import CohortError
from neuroclass.predictors.voices import BROAD, SUBCLASS
from neuroclass.training.training_table import N_FOLDS, TrainingTable, drawn_table, fit_mixtures, training_table
from tests import shipped
from tests.planted import planted_cohort


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return planted_cohort(400, seed=2)


@pytest.fixture(scope="module")
def table(cohort: Cohort) -> TrainingTable:
    return training_table(cohort)


def test_no_donor_is_in_two_folds(table):
    assert set(table.folds) == set(range(N_FOLDS))
    for donor in np.unique(table.donors):
        assert len(set(table.folds[table.donors == donor])) == 1


def test_truth_is_the_label_and_human_cells_have_no_subclass(cohort, table):
    human = table.species == "human"
    assert (table.truth[SUBCLASS][human] == -1).all()
    assert (table.truth[SUBCLASS][~human] >= 0).all()
    frame = cohort.frame
    for species, task in (("mouse", SUBCLASS), ("human", BROAD)):
        labels = frame.loc[frame["species"] == species, task]
        found = np.array(TASK_CLASSES[task])[table.truth[task][table.species == species]]
        np.testing.assert_array_equal(found, labels)
    np.testing.assert_array_equal(table.truth[BROAD][~human], np.minimum(table.truth[SUBCLASS][~human], 1))
    assert not np.isnan(table.z).any()


def test_cells_without_label_are_left_out(cohort):
    frame = cohort.frame.copy()
    unlabelled = np.arange(len(frame)) % 10 == 0
    frame.loc[unlabelled, ["broad", "subclass"]] = None
    table = training_table(replace(cohort, frame=frame))
    assert len(table.z) == (~unlabelled).sum()


def test_the_checksum_is_that_of_cells_and_labels(cohort, table):
    assert training_table(cohort).foundation.training == table.foundation.training
    frame = cohort.frame.copy()
    row = np.flatnonzero((frame["species"] == "mouse") & (frame["subclass"] == "Sst"))[0]
    frame.loc[row, "subclass"] = "Vip"
    assert training_table(replace(cohort, frame=frame)).foundation.training != table.foundation.training
    frame = cohort.frame.copy()
    frame.loc[row, "vrest"] += 1.0
    assert training_table(replace(cohort, frame=frame)).foundation.training != table.foundation.training


@pytest.mark.parametrize("species", ["mouse", "human"])
def test_both_species_are_needed(cohort, species):
    rows = np.flatnonzero((cohort.frame["species"] == species).to_numpy())
    with pytest.raises(CohortError, match="the models need both"):
        training_table(cohort.take(rows))


def test_mixtures_have_the_classes_means_and_counts(table):
    mixtures = fit_mixtures(table)
    groups = [(species, k) for species, n in (("mouse", 5), ("human", 2)) for k in range(n)]
    assert len(mixtures.counts) == len(groups)
    for number, (species, k) in enumerate(groups):
        cells = table.z[table.components(species) == k]
        own = mixtures.group == number
        assert mixtures.counts[number] == len(cells)
        assert mixtures.weights[own].sum() == pytest.approx(1)
        np.testing.assert_allclose(mixtures.weights[own] @ mixtures.means[own], cells.mean(0), atol=1e-2)
        assert 1 <= own.sum() <= max(1, min(3, len(cells) // 40))


def test_no_training_cell_can_be_read_from_the_mixtures(table):
    """No mean of a component is a cell; each component has at least 20 cells' weight, or is its class' only one."""
    mixtures = fit_mixtures(table)
    for number, count in enumerate(mixtures.counts):
        own = mixtures.group == number
        if own.sum() > 1:
            assert (mixtures.weights[own] * count).min() > 5
    nearest = np.sqrt(((mixtures.means[:, None] - table.z[None]) ** 2).sum(2)).min(1)
    assert nearest.min() > 0.5


def test_stand_ins_resemble_the_cells_they_stand_for():
    foundation, mixtures = shipped.base()
    drawn = drawn_table(foundation, mixtures, seed=5)
    assert len(drawn.z) == mixtures.counts.sum()
    assert "stand-ins" in drawn.foundation.source
    assert drawn.foundation.training == foundation.training
    for species in ("mouse", "human"):
        component, shapes = drawn.components(species), foundation.shapes[species]
        np.testing.assert_array_equal(np.bincount(component[component >= 0]), shapes.counts)
        spread = np.sqrt(np.diagonal(shapes.covariances, axis1=1, axis2=2))
        for k, (mean, n) in enumerate(zip(shapes.means, shapes.counts, strict=True)):
            gap = (drawn.z[component == k].mean(0) - mean) / spread[k] * np.sqrt(n)
            assert np.sqrt((gap**2).mean()) < 1.6
    human = drawn.species == "human"
    assert (drawn.truth[SUBCLASS][human] == -1).all()
    np.testing.assert_array_equal(drawn.truth[BROAD][~human], np.minimum(drawn.truth[SUBCLASS][~human], 1))


def test_stand_ins_are_the_same_for_a_seed():
    first, second, other = (drawn_table(*shipped.base(), seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.z, second.z)
    np.testing.assert_array_equal(first.folds, second.folds)
    assert not np.array_equal(first.z, other.z)
