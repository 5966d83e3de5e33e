"""The human subclass model: any features present, sets, gates, typicality, round trip."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.cell_types import HUMAN_SUBCLASS_ORDER
from neuroclass.config import MODELS_DIR, HumanSubclassSettings, LspinSettings, OptimiserSettings, TreeSettings
from neuroclass.errors import CohortError, ModelFileError
from neuroclass.explain.shap_values import shap_values
from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus
from neuroclass.io.artifacts import load_human_subclass, save_model
from neuroclass.predictors.human_subclass import COMBINATIONS, STIMULI, HumanSubclassPredictor, expert_shares, recorded
from neuroclass.training.fit_human_subclass import train_human_subclass
from tests.planted import planted_human_cohort

QUICK = HumanSubclassSettings(
    n_waves=30,
    trees=TreeSettings(rounds=10, rate=0.3),
    lspin=LspinSettings(
        n_members=2,
        inner_folds=2,
        gate_penalty=0.01,
        optimiser=OptimiserSettings(steps=60, batch_cells=64, learning_rate=1e-2),
    ),
)
USED = np.array([spec.stimulus in STIMULI for spec in FEATURES])


@pytest.fixture(scope="module")
def model():
    return train_human_subclass(planted_human_cohort(), QUICK)


@pytest.fixture(scope="module")
def fresh():
    """Cells of other donors."""
    return planted_human_cohort(seed=1).labelled("human_subclass")


def only(x, *stimuli):
    return np.where([spec.stimulus in stimuli for spec in FEATURES], x, np.nan)


def test_planted_classes_are_found_with_all_features_and_with_some(model, fresh):
    truth = fresh.column("human_subclass")
    chance = max((truth == name).mean() for name in HUMAN_SUBCLASS_ORDER)
    everything = np.array(model.classes)[model.predict_proba(fresh.matrix(), ["human"] * len(fresh)).argmax(1)]
    long = np.array(model.classes)[model.predict_proba(only(fresh.matrix(), Stimulus.LONG_SQUARE)).argmax(1)]
    assert (everything == truth).mean() > chance + 0.2
    assert (long == truth).mean() > chance + 0.1


def test_features_of_unused_stimuli_change_nothing(model, fresh):
    x = fresh.matrix()
    moved = np.where(USED, x, 1e3)
    assert model.used.sum() == USED.sum()
    assert np.array_equal(model.predict_proba(x), model.predict_proba(moved))
    assert np.array_equal(model.typicality_of(x), model.typicality_of(moved))
    assert not model.gates(moved)[:, ~USED].any()


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_any_number_of_features_gives_probabilities_and_sets(model, fresh, kept, rng):
    x = fresh.matrix()[:20]
    hidden = rng.random(x.shape).argsort(1).argsort(1) >= kept
    x[hidden] = np.nan
    p = model.predict_proba(x, ["human"] * 20)
    assert np.isfinite(p).all()
    assert np.allclose(p.sum(1), 1)
    assert all(model.prediction_set(x, ["human"] * 20))
    assert not model.gates(x)[hidden].any()


def test_only_experts_of_recorded_stimuli_are_heard():
    present = np.zeros((3, 41), dtype=bool)
    of = {stimulus: np.array([spec.stimulus is stimulus for spec in FEATURES]) for stimulus in STIMULI}
    present[0] = of[Stimulus.LONG_SQUARE] | of[Stimulus.RAMP]
    present[1] = of[Stimulus.RAMP]
    present[2, FEATURE_NAMES.index("sag")] = True
    assert recorded(present, USED).tolist() == [[True, True, False], [False, True, False], [True, False, False]]
    heard = [{COMBINATIONS[k] for k in np.flatnonzero(row)} for row in expert_shares(present, USED)]
    long, ramp = Stimulus.LONG_SQUARE, Stimulus.RAMP
    assert heard == [{(long,), (long, ramp)}, {(ramp,)}, {(long,)}]
    assert np.allclose(expert_shares(present, USED).sum(1), 1)


def test_sets_cover_held_out_cells_and_weights_leave_classes_out(model, fresh):
    x, truth = fresh.matrix(), fresh.column("human_subclass")
    sets = model.prediction_set(x, ["human"] * len(x), 0.9)
    pairs = zip(truth, sets, strict=True)
    covered = np.mean([name in chosen for name, chosen in pairs if name != "Glutamatergic"])
    assert covered > 0.75
    weights = np.array([0.0, 1, 1, 1, 1])
    assert not any("Glutamatergic" in chosen for chosen in model.prediction_set(x, None, 0.9, weights))


def test_a_cell_far_from_all_others_is_untypical(model, fresh):
    x = fresh.matrix()[:30].copy()
    usual = model.typicality_of(x)
    k = FEATURE_NAMES.index("peak_v_long_square")
    x[:, k] += 8 * model.preprocessor.scale[k]
    assert np.median(usual) > 0.2
    assert np.median(model.typicality_of(x)) < 0.05


def test_shap_values_add_up_and_unused_features_get_none(model, fresh):
    explained = shap_values(model, fresh.matrix()[:2], ["human"] * 2, pairs=1)
    assert explained.error.max() < 1e-3
    assert not explained.values[:, ~USED].any()


def test_the_model_comes_back_from_its_files(model, fresh, tmp_path):
    save_model(model, tmp_path / "human-subclass", {"expected_accuracy": {"long_square": {"accuracy": 0.7}}})
    again = load_human_subclass(tmp_path)
    assert isinstance(again, HumanSubclassPredictor)
    assert np.allclose(again.predict_proba(fresh.matrix()), model.predict_proba(fresh.matrix()))
    assert np.allclose(again.gates(fresh.matrix()), model.gates(fresh.matrix()))
    (known,) = again.expected_accuracy(only(fresh.matrix()[:1], Stimulus.LONG_SQUARE))
    assert known == {"stimuli": "long_square", "species": "human", "accuracy": 0.7}
    assert again.expected_accuracy(only(fresh.matrix()[1:2], Stimulus.SHORT_SQUARE)) == [{}]


def test_files_of_another_model_are_refused(model, tmp_path):
    save_model(replace(model, classes=model.classes[::-1]), tmp_path / "human-subclass")
    with pytest.raises(ModelFileError, match="classes"):
        load_human_subclass(tmp_path)


def test_nothing_stored_is_a_training_cell(model):
    z, _ = model.preprocessor(planted_human_cohort().labelled("human_subclass").matrix())
    wide = [value for value in model.arrays().values() if value.ndim == 2 and value.shape[1] == z.shape[1]]
    assert len(wide) == 2  # prototypes and covariance
    for rows in wide:
        assert np.abs(rows[:, None, USED] - z[None][:, :, USED]).max(2).min() > 1e-3


def test_cells_without_common_features_are_refused():
    cohort = planted_human_cohort()
    frame = cohort.frame.copy()
    frame.loc[frame["human_subclass"] == "Sst", [s.name for s in FEATURES if s.stimulus is not Stimulus.NOISE]] = np.nan
    with pytest.raises(CohortError, match="share 0 features"):
        train_human_subclass(replace(cohort, frame=frame), QUICK)


def test_the_shipped_model_needs_no_table(fresh):
    if not (MODELS_DIR / "human-subclass" / "card.json").is_file():
        pytest.skip("the model is not in this checkout")
    shipped = load_human_subclass()
    assert shipped.classes == HUMAN_SUBCLASS_ORDER
    assert shipped.expected_accuracy(fresh.matrix()[1:2])[0]["accuracy"] > 0.6
