"""The human subclass model's evaluation: donors apart, mouse cells in training only, GABAergic cells counted."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.human import DATABASE
from neuroclass.evaluation import human_answer
from neuroclass.evaluation import human_subclass as evaluation
from neuroclass.evaluation.laboratories import HOME
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.fit_human_subclass import train_human_subclass
from tests.planted import planted_human_cohort
from tests.predictors.test_human_subclass import QUICK


def planted_library():
    """Models of sets of features that call every cell excitatory at odds of 4 to 1."""

    def judge(rows, _):
        return SimpleNamespace(of=lambda _: np.tile([0.8, 0.2], (len(rows), 1)))

    foundation = SimpleNamespace(preprocessor=Preprocessor.fit(planted_human_cohort(400).matrix()))
    return SimpleNamespace(foundation=foundation, model_for=lambda _: SimpleNamespace(judge=judge))


@pytest.fixture(scope="module")
def cohort():
    return planted_human_cohort(400)


@pytest.fixture
def quick(monkeypatch):
    """The model's recipe, but small."""
    small = replace(QUICK, lspin=replace(QUICK.lspin, optimiser=replace(QUICK.lspin.optimiser, steps=20)))
    monkeypatch.setattr(evaluation, "train_human_subclass", lambda cells, _: train_human_subclass(cells, small))
    monkeypatch.setattr(human_answer, "feature_set_library", planted_library)


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
    assert set(ours["sets"]["classes"]) == set(labels) - {"Glutamatergic"}
    for name in ("lr", "lda", "svc"):
        assert predictions[name][["id", "fold"]].equals(predictions["human-subclass"][["id", "fold"]])
    assert results[1]["ours_minus_this"]["difference"] == pytest.approx(
        ours["metrics"]["accuracy"]["mean"] - results[1]["metrics"]["accuracy"]["mean"]
    )


def test_the_answer_is_given_to_cells_of_other_laboratories_and_leans_on_dann(cohort, quick):
    frame = cohort.frame
    labelled = np.flatnonzero(frame["human_subclass"].notna())
    frame.loc[labelled[::3], "table"] = DATABASE
    plan = evaluation.human_plan(cohort, 1)
    predictions = evaluation.run_human_trials("human-subclass", replace(plan, trials=plan.trials[:1]), answers=True)
    told, own = predictions[predictions["answer"]], predictions[~predictions["answer"]]
    assert set(told["id"]) == set(own.loc[own["table"] != DATABASE, "id"])
    assert not set(told["id"]) & set(frame.loc[frame["table"] == DATABASE, "id"])
    ours = own.set_index("id").loc[told["id"]]
    assert np.corrcoef(told["p_Glutamatergic"], ours["p_Glutamatergic"])[0, 1] > 0.9
    assert told["p_Glutamatergic"].mean() > ours["p_Glutamatergic"].mean()  # the planted DANN says excitatory
    described = evaluation.describe_human("human-subclass", plan, predictions)["answer"]
    cells = evaluation.gabaergic(told)
    assert described["metrics"]["accuracy"]["mean"] == pytest.approx((cells["truth"] == cells["predicted"]).mean())
    held = [y in chosen.split("|") for y, chosen in zip(cells["truth"], cells["prediction_set"], strict=True)]
    assert described["sets"]["shown"] == pytest.approx(np.mean(held))


def test_the_learning_curve_takes_whole_folds_from_the_evaluation(cohort, quick, monkeypatch):
    monkeypatch.setattr(evaluation, "SHARES", ())
    monkeypatch.setattr(evaluation, "run_human_trials", None)
    labelled = cohort.labelled("human_subclass").frame
    whole = labelled[["id", "donor"]].assign(repeat=0, fold=0, truth=labelled["human_subclass"], predicted="Sst")
    twice = pd.concat([whole, whole.assign(repeat=1, predicted="Vip")])
    rows = evaluation.human_learning_curve(cohort, whole={"human-subclass": twice, "lr": twice})
    cells = evaluation.gabaergic(whole)
    assert rows[0]["metrics"]["accuracy"]["mean"] == pytest.approx((cells["truth"] == "Sst").mean())


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
