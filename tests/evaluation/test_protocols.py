"""No donor crosses a fold, laboratories do what they say, and shuffled labels score at chance."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.errors import CohortError
from neuroclass.evaluation.evaluate import evaluate
from neuroclass.evaluation.laboratories import Laboratory, stimulus_combinations
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import DIVIDING, plan_protocol
from neuroclass.features import FEATURE_NAMES, Stimulus
from tests.planted import planted_cohort


@pytest.mark.parametrize("protocol", [Protocol.DONOR_CV, Protocol.MASKED, Protocol.LAB_SHIFT])
def test_no_donor_stands_on_both_sides(protocol):
    plan = plan_protocol(protocol, planted_cohort(300), "broad", 2)
    assert len(plan.trials) == 10
    donors = plan.cohort.column("donor")
    for trial in plan.trials:
        assert not set(donors[trial.train]) & set(donors[trial.test])
    tested = np.concatenate([trial.test for trial in plan.trials if trial.repeat == 0])
    assert sorted(tested) == list(range(len(plan.cohort)))


def test_human_labels_are_never_seen_when_left_out():
    plan = plan_protocol(Protocol.LEAVE_SPECIES_OUT, planted_cohort(200), "broad", 1)
    species = plan.cohort.column("species")
    assert set(species[plan.trials[0].train]) == {"mouse"}
    assert set(species[plan.trials[0].test]) == {"human"}
    with pytest.raises(CohortError, match="one species"):
        plan_protocol(Protocol.LEAVE_SPECIES_OUT, planted_cohort(200).of_species("mouse"), "broad")


def test_hidden_labels_do_not_reach_the_result():
    cohort = planted_cohort(200)
    frame = cohort.frame.copy()
    human = (frame["species"] == "human").to_numpy()
    frame.loc[human, "broad"] = frame.loc[human, "broad"].to_numpy()[::-1]
    one = evaluate("lda", Protocol.LEAVE_SPECIES_OUT, cohort, task="broad", repeats=1, jobs=1)
    other = evaluate("lda", Protocol.LEAVE_SPECIES_OUT, replace(cohort, frame=frame), task="broad", repeats=1, jobs=1)
    assert list(one.predictions["predicted"]) == list(other.predictions["predicted"])


@pytest.mark.parametrize("protocol", DIVIDING)
def test_shuffled_labels_score_at_chance(protocol):
    cohort = planted_cohort(400)
    frame = cohort.frame.copy()
    rng = np.random.default_rng(3)
    frame["broad"] = rng.permutation(frame["broad"])
    result = evaluate("lda", protocol, replace(cohort, frame=frame), task="broad", repeats=1, jobs=1).result
    chance = (frame["broad"] == "inhibitory").mean()
    assert result["metrics"]["accuracy"]["mean"] < chance + 0.06


def test_result_has_the_published_shape_and_does_not_depend_on_jobs():
    cohort = planted_cohort(300)
    result = evaluate("lda", Protocol.DONOR_CV, cohort, task="broad", repeats=1, jobs=1).result
    assert {"model", "protocol", "n_cells", "seeds", "metrics", "groups"} <= set(result)
    assert set(result["metrics"]["macro_f1"]) == {"mean", "sd", "low", "high"}
    assert set(result["groups"]) == {"mouse", "human"}
    assert result == evaluate("lda", Protocol.DONOR_CV, cohort, task="broad", repeats=1, jobs=2).result


def test_laboratory_changes_stored_values_by_what_it_says():
    x = planted_cohort(5).matrix()
    lab = Laboratory("l", offset_mv=7.0, slowing=2.0, resistance=1.5, step_pa=50.0, hidden=(Stimulus.RAMP,))
    y = lab.measure(x)
    at = FEATURE_NAMES.index
    assert np.allclose(y[:, at("vrest")], x[:, at("vrest")] + 7)
    assert np.allclose(y[:, at("width")], 2 * x[:, at("width")])
    assert np.allclose(y[:, at("downstroke")], x[:, at("downstroke")] / 2)
    assert np.allclose(y[:, at("ri")], 1.5 * x[:, at("ri")])
    assert np.all(y[:, at("threshold_i_long_square")] % 50 == 0)
    assert np.isnan(y[:, at("peak_v_ramp")]).all()
    assert np.isfinite(x).all()


def test_combinations_are_all_different():
    names = [lab.name for lab in stimulus_combinations()]
    assert len(names) == len(set(names)) == 30
