"""The paper's protocol as its public code has it: counts, scalers, dropped cells, and the numbers that follow."""

import numpy as np
import pytest

from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import CohortError
from neuroclass.evaluation.published import published_results
from neuroclass.evaluation.published_baselines import run_baseline
from neuroclass.evaluation.published_split import broad_cells, subclass_cells
from neuroclass.evaluation.search_on_test import expected_best
from tests.planted import planted_cohort


def test_the_cells_are_divided_as_published(real_cohort: Cohort):
    cells = subclass_cells(real_cohort)
    assert (len(cells.train), len(cells.validation), len(cells.test)) == (884, 221, 277)
    assert sorted([*cells.train, *cells.validation, *cells.test]) == list(range(1382))
    assert (len(cells.few), len(cells.others)) == (276, 1106)
    broad = broad_cells(real_cohort)
    assert set(broad.species[broad.train]) == {"mouse"}
    assert (broad.species[broad.test] == "human").sum() == 60


def test_a_default_svc_on_a_fifth_of_the_cells_gives_the_published_number(real_cohort: Cohort):
    found = run_baseline("svc", subclass_cells(real_cohort))
    (published,) = (one["metrics"] for one in published_results("lspin") if one["model"] == "svc")
    assert found["chosen"]["accuracy"] == pytest.approx(published["accuracy"]["mean"], abs=5e-4)
    assert found["chosen"]["macro_f1"] == pytest.approx(published["macro_f1"]["mean"], abs=5e-4)
    assert (found["equal"]["accuracy"], found["equal"]["macro_f1"]) == pytest.approx((0.895, 0.845), abs=1e-3)


def test_the_scaler_knows_the_test_cells():
    cells = subclass_cells(planted_cohort(600, seed=1))
    assert np.abs(cells.x.mean(axis=0)).max() < 1e-9
    assert np.abs(cells.x.std(axis=0) - 1).max() < 1e-9
    assert np.abs(cells.x).max() > 3.5  # nothing is clipped or a logarithm
    assert not set(cells.test) & {*cells.train, *cells.validation}


def test_cohorts_that_lack_cells_are_refused_in_words():
    cohort = planted_cohort(300, seed=1)
    mouse = cohort.of_species("mouse")
    with pytest.raises(CohortError, match="no human cell"):
        broad_cells(mouse)
    few = mouse.take((mouse.frame["subclass"] != "Vip").to_numpy())
    with pytest.raises(CohortError, match=r"fewer than 5 mouse cells .* of Vip"):
        subclass_cells(few)


def test_the_best_of_many_runs_is_as_far_out_as_chance_puts_it():
    runs = {"mean": 0.8, "sd": 0.01}
    drawn = np.random.default_rng(0).normal(0.8, 0.01, size=(2000, 50)).max(axis=1).mean()
    assert expected_best(runs, 50) == pytest.approx(drawn, abs=5e-4)
    assert expected_best(runs, 1) == pytest.approx(0.8)
    assert expected_best({"mean": 0.99, "sd": 0.1}, 6000) == 1.0
