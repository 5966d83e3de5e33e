"""Splits: no donor on both sides, every cell tested once, classes balanced, the paper's counts."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.cohort.splits import donor_folds, paper_dann_split, paper_lspin_split, strata
from neuroclass.errors import CohortError


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    """1,200 cells of 400 donors, three cells each, a third of the donors inhibitory."""
    n = 1200
    frame = pd.DataFrame(
        {
            "id": [f"c{k}" for k in range(n)],
            "species": ["mouse" if k < 800 else "human" for k in range(n)],
            "donor": [f"d{k // 3}" for k in range(n)],
            "broad": ["inhibitory" if k // 3 % 3 == 0 else "excitatory" for k in range(n)],
        }
    )
    return make_cohort(frame, "here")


def test_no_fold_shares_a_donor_and_each_cell_is_tested_once_a_repeat(cohort: Cohort) -> None:
    donors = cohort.column("donor")
    folds = donor_folds(cohort, "broad", n_folds=5, n_repeats=2)
    assert len(folds) == 10
    for fold in folds:
        assert not set(donors[fold.train]) & set(donors[fold.test])
        assert sorted([*fold.train, *fold.test]) == list(range(len(cohort)))
    for repeat in (0, 1):
        tested = np.concatenate([fold.test for fold in folds if fold.repeat == repeat])
        assert sorted(tested) == list(range(len(cohort)))
    assert not np.array_equal(folds[0].test, folds[5].test), "repeats are shuffled anew"


def test_folds_are_balanced_over_species_and_class(cohort: Cohort) -> None:
    names = strata(cohort, "broad")
    for fold in donor_folds(cohort, "broad"):
        for name in np.unique(names):
            assert (names[fold.test] == name).mean() == pytest.approx((names == name).mean(), abs=0.1)


def test_the_same_seed_gives_the_same_folds(cohort: Cohort) -> None:
    first, again, other = (donor_folds(cohort, "broad", seed=seed)[0].test for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_class_of_few_donors_is_refused(cohort: Cohort) -> None:
    with pytest.raises(CohortError, match="donors"):
        donor_folds(cohort.take(np.arange(9)), "broad", n_folds=5)


def test_the_paper_s_splits_of_the_real_tables(real_cohort: Cohort) -> None:
    mouse = real_cohort.of_species("mouse").complete()
    lspin = paper_lspin_split(mouse)
    assert (len(lspin.train), len(lspin.test)) == (1105, 277)
    dann = paper_dann_split(real_cohort)
    human = real_cohort.column("species") == "human"
    assert (human[dann.train].sum(), human[dann.test].sum()) == (239, 60)
    assert max(dann.test[~human[dann.test]]) == 1423, "the last fifth, in published order"
