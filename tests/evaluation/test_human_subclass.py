"""The human subclass model's evaluation: donors apart, mouse cells in training only, GABAergic cells counted."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.evaluation import human_subclass as evaluation
from neuroclass.evaluation.laboratories import HOME
from neuroclass.training.fit_human_subclass import train_human_subclass
from tests.planted import planted_human_cohort
from tests.predictors.test_human_subclass import QUICK


@pytest.fixture(scope="module")
def cohort():
    return planted_human_cohort(400)


@pytest.fixture
def quick(monkeypatch):
    """The model's recipe, but small."""
    small = replace(QUICK, lspin=replace(QUICK.lspin, optimiser=replace(QUICK.lspin.optimiser, steps=20)))
    monkeypatch.setattr(evaluation, "train_human_subclass", lambda cells, _: train_human_subclass(cells, small))


def test_no_donor_is_on_both_sides_and_every_human_cell_is_tested_once(cohort):
    plan = evaluation.human_plan(cohort, 2)
    donors, species = cohort.column("donor"), cohort.column("species")
    for trial in plan.trials:
        assert not set(donors[trial.train]) & set(donors[trial.test])
        assert set(species[trial.test]) == {"human"}
        assert (species[trial.train] == "mouse").sum() == (species == "mouse").sum()
    tested = np.concatenate([trial.test for trial in plan.trials if trial.repeat == 1])
    assert sorted(tested) == np.flatnonzero(species == "human").tolist()


def test_results_are_of_gabaergic_cells_and_baselines_share_the_folds(cohort, quick):
    results, predictions = evaluation.evaluate_human(cohort, repeats=1)
    assert [row["model"] for row in results] == list(predictions) == ["human-subclass", "lr", "lda", "svc"]
    ours = results[0]
    labels = cohort.labelled("human_subclass").column("human_subclass")
    assert ours["n_cells"] == (labels != "Glutamatergic").sum()
    cells = evaluation.gabaergic(predictions["human-subclass"])
    assert ours["metrics"]["accuracy"]["mean"] == pytest.approx((cells["truth"] == cells["predicted"]).mean())
    recall = (cells["truth"] == cells["predicted"]).groupby(cells["truth"]).mean()
    assert ours["metrics"]["balanced_accuracy"]["mean"] == pytest.approx(recall.mean())
    assert set(ours["groups"]) == {"acute", "culture"}
    assert len(ours["stimuli"]) == 7
    assert ours["stimuli"]["long_square+ramp+short_square"]["accuracy"] == ours["metrics"]["accuracy"]["mean"]
    assert np.sum(ours["confusion"]) == len(labels)
    for name in ("lr", "lda", "svc"):
        assert predictions[name][["id", "fold"]].equals(predictions["human-subclass"][["id", "fold"]])
    assert results[1]["ours_minus_this"]["difference"] == pytest.approx(
        ours["metrics"]["accuracy"]["mean"] - results[1]["metrics"]["accuracy"]["mean"]
    )


def test_the_learning_curve_uses_ever_more_donors(cohort, quick, monkeypatch):
    monkeypatch.setattr(evaluation, "SHARES", (0.5,))
    rows = [row for row in evaluation.human_learning_curve(cohort) if row["model"] == "human-subclass"]
    assert rows[0]["n_donors"] < rows[1]["n_donors"]
    assert rows[0]["n_train"] < 0.7 * rows[1]["n_train"]


def test_combinations_hide_what_the_model_does_not_use(cohort):
    whole = evaluation.stimuli_recorded()[-1]
    assert whole.name == "long_square+ramp+short_square"
    hidden = np.isnan(whole.measure(cohort.matrix())) & np.isfinite(HOME.measure(cohort.matrix()))
    assert hidden.any(0).sum() == 16  # fourteen noise features and two entered by hand
