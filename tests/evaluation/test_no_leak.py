"""Nothing of a test cell reaches what is fitted: shuffled labels score at chance, and test rows change no model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import AugmentSettings, DannSettings, LspinSettings, OptimiserSettings
from neuroclass.errors import CohortError
from neuroclass.evaluation import protocols
from neuroclass.evaluation.evaluate import evaluate, train_trial
from neuroclass.evaluation.evaluate import test_trial as predict_trial
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.protocols import DIVIDING, Plan, plan_protocol
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.predictor import Predictor
from neuroclass.training import registry
from neuroclass.training.baselines import ESTIMATORS
from neuroclass.training.crossfit import inner_folds
from neuroclass.types.models import DANN, LSPIN
from tests.planted import planted_cohort

TASKS = {"rf": "broad", "dann": "broad", "lspin": "subclass"}
GROUPED = (Protocol.DONOR_CV, Protocol.MASKED, Protocol.LAB_SHIFT)
N_CELLS = 300


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two folds, and systems that train in a moment and yet learn their training cells by heart."""
    monkeypatch.setitem(ESTIMATORS, "rf", lambda seed: RandomForestClassifier(40, random_state=seed))
    monkeypatch.setattr(protocols, "N_FOLDS", 2)
    steps = OptimiserSettings(steps=60, batch_cells=128, learning_rate=2e-2, weight_decay=0.0, steps_an_epoch=60)
    plain = AugmentSettings(masked_share=0.0, shifted_share=0.0)
    common = {"n_members": 2, "inner_folds": 2, "augment": plain, "optimiser": steps, "mixup": 0.0, "dropout": 0.0}
    dann = DannSettings(hidden=(64, 8), **common)
    lspin = LspinSettings(gate_penalty=0.0, **common)
    for spec, settings in ((DANN, dann), (LSPIN, lspin)):
        train = registry.network(spec, settings)
        monkeypatch.setitem(registry.SYSTEMS, spec.name, replace(registry.SYSTEMS[spec.name], train=train))


def relabelled(cohort: Cohort, task: str, labels: np.ndarray) -> Cohort:
    return replace(cohort, frame=cohort.frame.assign(**{task: labels}))


def mean_recall(predictions: pd.DataFrame) -> float:
    """Mean over classes of the share found: .5 or .2 for a guess, whatever the class proportions."""
    right = predictions["truth"] == predictions["predicted"]
    return float(right.groupby(predictions["truth"]).mean().mean())


def shuffled_cohort(task: str) -> Cohort:
    cohort = planted_cohort(N_CELLS, seed=5)
    known = cohort.frame[task].notna().to_numpy()
    labels = cohort.column(task)
    classes = np.unique(labels[known].astype(str)).astype(object)
    labels[known] = np.random.default_rng(7).choice(classes, known.sum())
    return relabelled(cohort, task, labels)


@pytest.mark.parametrize("protocol", DIVIDING)
@pytest.mark.parametrize("name", list(TASKS))
def test_shuffled_labels_score_at_chance(name: str, protocol: Protocol) -> None:
    task = TASKS[name]
    cohort = shuffled_cohort(task)
    if name == "lspin" and protocol is Protocol.LEAVE_SPECIES_OUT:
        with pytest.raises(CohortError, match="one species"):
            evaluate(name, protocol, cohort, repeats=1, jobs=1)
        return
    predictions = evaluate(name, protocol, cohort, task=task, repeats=1, jobs=1).predictions
    chance = 1 / predictions["truth"].nunique()
    for _, part in predictions.groupby("laboratory"):
        assert mean_recall(part) < chance + 0.15


@pytest.mark.parametrize(("name", "protocol"), [*(("rf", p) for p in GROUPED), ("lspin", Protocol.DONOR_CV)])
def test_cells_of_a_donor_do_not_give_each_other_away(name: str, protocol: Protocol) -> None:
    """Donors have a look and a label of their own; only a donor on both sides of a split tells the label."""
    task = TASKS[name]
    cohort = planted_cohort(N_CELLS, seed=5, class_features=(), human_share=0.0)
    donors, which = np.unique(cohort.column("donor").astype(str), return_inverse=True)
    rng = np.random.default_rng(2)
    look = planted_cohort(len(donors), seed=9, class_features=(), human_share=0.0).frame[list(FEATURE_NAMES)]
    names = np.unique(cohort.column(task).astype(str)).astype(object)
    frame = cohort.frame.assign(**{task: names[rng.integers(len(names), size=len(donors))][which]})
    frame[list(FEATURE_NAMES)] = look.to_numpy()[which] * (1 + 1e-3 * rng.standard_normal((N_CELLS, 1)))
    cohort = replace(cohort, frame=frame)
    predictions = evaluate(name, protocol, cohort, task=task, repeats=1, jobs=1).predictions
    assert mean_recall(predictions) < 1 / len(names) + 0.12


def changed(plan: Plan, rows: np.ndarray, task: str) -> Plan:
    """The same plan with wild features and other labels in some rows."""
    frame = plan.cohort.frame.copy()
    rng = np.random.default_rng(0)
    frame.loc[rows, list(FEATURE_NAMES)] = rng.uniform(-1e6, 1e6, (len(rows), len(FEATURE_NAMES)))
    frame.loc[rows, task] = rng.permutation(frame.loc[rows, task].to_numpy())
    frame.loc[rows, "donor"] = "someone else"
    return Plan(replace(plan.cohort, frame=frame), plan.trials)


@pytest.mark.parametrize("protocol", [*GROUPED, Protocol.PAPER_SPLIT])
@pytest.mark.parametrize("name", list(TASKS))
def test_test_cells_change_nothing_that_is_fitted(name: str, protocol: Protocol) -> None:
    task = TASKS[name]
    plan = plan_protocol(protocol, planted_cohort(200, seed=1), task, 1)
    trial = plan.trials[0]
    model = train_trial(name, task, plan, trial)
    other = train_trial(name, task, changed(plan, trial.test, task), trial)
    if isinstance(model, Predictor) and isinstance(other, Predictor):
        before, after = model.arrays(), other.arrays()
        assert {"scaler.mean", "imputer.covariance", "calibration.parameters", "calibration.thresholds"} <= set(before)
        assert set(before) == set(after)
        for key, value in before.items():
            assert np.array_equal(value, after[key]), key
    else:
        assert np.array_equal(model.preprocessor.mean, other.preprocessor.mean)
        assert np.array_equal(model.preprocessor.covariance, other.preprocessor.covariance)
    x = plan.cohort.matrix()
    assert np.array_equal(model.predict_proba(x), other.predict_proba(x))


@pytest.mark.parametrize("name", list(TASKS))
def test_a_test_cell_does_not_depend_on_the_others(name: str) -> None:
    task = TASKS[name]
    plan = plan_protocol(Protocol.LAB_SHIFT, planted_cohort(200, seed=1), task, 1)
    trial = replace(plan.trials[0], laboratories=plan.trials[0].laboratories[-2:])
    model = train_trial(name, task, plan, trial)
    watched, rest = plan.cohort.frame["id"][trial.test[0]], trial.test[1:]
    rows = []
    for one in (plan, changed(plan, rest, task)):
        table = predict_trial(model, task, one, trial)
        rows.append(table[table["id"] == watched].reset_index(drop=True))
    pd.testing.assert_frame_equal(*rows, rtol=1e-4, atol=1e-6)


def test_labels_of_the_hidden_species_change_no_prediction_of_dann() -> None:
    plan = plan_protocol(Protocol.LEAVE_SPECIES_OUT, planted_cohort(200, seed=1), "broad", 1)
    trial = plan.trials[0]
    labels = plan.cohort.column("broad")
    labels[trial.test] = labels[trial.test][::-1]
    other = Plan(relabelled(plan.cohort, "broad", labels), plan.trials)
    one, two = (predict_trial(train_trial("dann", "broad", p, trial), "broad", p, trial) for p in (plan, other))
    columns = ["predicted", "p_excitatory", "p_inhibitory", "typicality"]
    pd.testing.assert_frame_equal(one[columns], two[columns])


@pytest.mark.parametrize("label", ["broad", "subclass"])
def test_calibration_holds_out_whole_donors(label: str) -> None:
    cohort = planted_cohort(300)
    numbers = inner_folds(cohort, label, 4, 0)
    known = numbers >= 0
    groups = pd.Series(numbers[known]).groupby(cohort.column("donor")[known]).nunique()
    assert groups.max() == 1
    assert set(numbers[known]) == {0, 1, 2, 3}
    assert (known == cohort.frame[label].notna().to_numpy()).all()
