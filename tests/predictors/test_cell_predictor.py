"""Verdicts of the shipped models on cells drawn from the mixtures that ship; no table is needed."""

from itertools import pairwise

import numpy as np
import pytest

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.explain.shap_values import TOLERANCE, shap_values
from neuroclass.features import FEATURE_NAMES, Stimulus
from neuroclass.predictors.cell_predictor import CellPredictor, GatedCellPredictor, JointPredictor
from neuroclass.predictors.feature_set import FeatureSetModel
from neuroclass.predictors.foundation import Foundation
from neuroclass.predictors.voices import AWAY, HOME, SUBCLASS
from neuroclass.types.models import DANN, LSPIN
from tests import shipped

N_CELLS = 60
SETS = (
    shipped.LONG_SQUARE,
    shipped.of_stimuli(Stimulus.RAMP),
    shipped.of_stimuli(Stimulus.NOISE, Stimulus.LONG_SQUARE),
    np.ones(len(FEATURE_NAMES), dtype=bool),
)
NOTHING = np.full((1, len(FEATURE_NAMES)), np.nan)


def cells(species: str, present: np.ndarray = shipped.LONG_SQUARE, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    z, truth = shipped.drawn(species, seed)
    rows = np.random.default_rng(seed).permutation(len(z))[:N_CELLS]
    return shipped.in_stored_units(shipped.only(z[rows], present)), truth[rows]


def mixed(seed: int = 4) -> np.ndarray:
    """Cells of several shipped sets, some without one or two features, and one without any."""
    rng = np.random.default_rng(seed)
    x = np.concatenate([cells("mouse", present, k)[0][:12] for k, present in enumerate(SETS)])
    for row in range(12, len(x)):  # a set of ten or more serves cells that lack up to two features
        known = np.flatnonzero(np.isfinite(x[row]))
        if len(known) > 10:
            x[row, rng.choice(known, rng.integers(3), replace=False)] = np.nan
    x[5] = np.nan
    return x[rng.permutation(len(x))]


@pytest.mark.parametrize("present", SETS, ids=lambda present: f"{present.sum()} features")
@pytest.mark.parametrize("species", ["mouse", "human", "unknown"])
def test_both_models_give_one_answer(species, present):
    x, _ = cells("human" if species == "human" else "mouse", present)
    names = [species] * len(x)
    broad, subclass = shipped.dann().predict_proba(x, names), shipped.lspin().predict_proba(x, names)
    np.testing.assert_allclose(broad[:, 0], subclass[:, 0], rtol=0, atol=1e-12)
    for p in (broad, subclass):
        assert (p >= 0).all()
        np.testing.assert_allclose(p.sum(1), 1)


@pytest.mark.parametrize("species", ["mouse", "human"])
def test_drawn_cells_get_their_class(species):
    x, truth = cells(species)
    broad = np.minimum(truth, 1)
    assert (shipped.dann().predict_proba(x, [species] * len(x)).argmax(1) == broad).mean() > 0.85
    if species == "mouse":
        assert (shipped.lspin().predict_proba(x, [species] * len(x)).argmax(1) == truth).mean() > 0.75


def test_an_unknown_species_lies_between_both():
    x, _ = cells("mouse")
    dann = shipped.dann()
    unknown, mouse, human = (dann.predict_proba(x, [name] * len(x)) for name in ("unknown", "mouse", "human"))
    np.testing.assert_allclose(unknown, (mouse + human) / 2)
    np.testing.assert_array_equal(dann.predict_proba(x), unknown)


def test_a_cells_answer_depends_on_no_other_cell(rng):
    x = mixed()
    species = rng.choice(["mouse", "human", "unknown"], len(x)).tolist()
    order = rng.permutation(len(x))
    for model in (shipped.dann(), shipped.lspin()):
        for call in (model.predict_proba, model.typicality_of, model.probability_home):
            together = call(x, species)
            np.testing.assert_array_equal(together, call(x, species))
            shuffled = call(x[order], [species[k] for k in order])
            np.testing.assert_allclose(shuffled, together[order], atol=1e-6)
            alone = np.concatenate([call(x[k : k + 1], species[k : k + 1]) for k in range(len(x))])
            np.testing.assert_allclose(alone, together, atol=1e-6)
    gates = shipped.lspin().gates(x, species)
    alone = np.concatenate([shipped.lspin().gates(x[k : k + 1], species[k : k + 1]) for k in range(len(x))])
    np.testing.assert_allclose(alone, gates, atol=1e-5)


class Asked:
    """The models of all features for any set; remembers which sets were asked for."""

    def __init__(self) -> None:
        self.sets: list[str] = []

    @property
    def foundation(self) -> Foundation:
        return shipped.library().foundation

    @property
    def identity(self) -> str:
        return shipped.library().identity

    def model_for(self, present: np.ndarray) -> FeatureSetModel:
        self.sets.append("".join(map(str, present.astype(int))))
        return shipped.library().model_for(np.ones(len(FEATURE_NAMES), dtype=bool))


def test_every_pattern_is_judged_by_its_own_models_and_lands_in_its_row(rng):
    present = rng.random((20, len(FEATURE_NAMES))) < 0.5
    present[7] = False
    present[12:] = present[:8]
    x = shipped.in_stored_units(shipped.only(shipped.drawn("mouse", 1)[0][:20], present))
    asked = Asked()
    model = GatedCellPredictor(LSPIN, asked, {})
    p = model.predict_proba(x, ["mouse"] * 20)
    wanted = {"".join(map(str, pattern.astype(int))) for pattern in present if pattern.any()}
    assert sorted(asked.sets) == sorted(wanted)
    one = shipped.library().model_for(np.ones(len(FEATURE_NAMES), dtype=bool))
    expected = one.judge(model.preprocessor.standardise(x), ["mouse"] * 20).subclass
    some = present.any(1)
    np.testing.assert_allclose(p[some], expected[some], atol=1e-6)
    np.testing.assert_allclose(p.sum(1), 1)
    gates = model.gates(x, ["mouse"] * 20)
    assert not gates[~present].any()
    assert ((gates >= 0) & (gates <= 1)).all()
    assert gates[some].any(1).all()


def test_without_features_only_the_proportions_remain():
    shapes = shipped.library().foundation.shapes["mouse"]
    dann, lspin = shipped.dann(), shipped.lspin()
    np.testing.assert_allclose(lspin.predict_proba(NOTHING, ["mouse"])[0], shapes.proportions)
    assert dann.predict_proba(NOTHING, ["mouse"])[0, 0] == pytest.approx(shapes.proportions[0])
    for model in (dann, lspin):
        assert set(model.prediction_set(NOTHING, ["mouse"])[0]) == set(model.classes)
        assert model.expected(NOTHING[0], "mouse") == {}
        assert model.typicality_of(NOTHING)[0] == 1
        assert model.probability_home(NOTHING)[0] == 0.5
    assert not lspin.gates(NOTHING).any()
    assert not dann.deviations(NOTHING, ["mouse"] * len(NOTHING)).any()
    assert np.isnan(dann.from_home(NOTHING, ["mouse"] * len(NOTHING))).all()


def test_infinite_values_count_as_missing():
    x, _ = cells("mouse")
    broken = x[:3].copy()
    broken[:, ~shipped.LONG_SQUARE] = np.inf
    np.testing.assert_array_equal(shipped.lspin().predict_proba(broken), shipped.lspin().predict_proba(x[:3]))


@pytest.mark.parametrize("task", [DANN, LSPIN], ids=["dann", "lspin"])
def test_prediction_sets_grow_with_coverage(task):
    x, _ = cells("mouse")
    model = CellPredictor(task, shipped.library(), {})
    levels = (0.3, 0.6, 0.8, 0.9, 0.95, 0.99, 1.0)
    every = [model.prediction_set(x, ["mouse"] * len(x), level) for level in levels]
    for smaller, larger in pairwise(every):
        assert all(set(a) <= set(b) for a, b in zip(smaller, larger, strict=True))
    assert np.mean([len(one) for one in every[-1]]) > np.mean([len(one) for one in every[0]])
    winners = model.predict_proba(x, ["mouse"] * len(x)).argmax(1)
    for one in every:
        assert [kept[0] for kept in one] == [model.classes[k] for k in winners]


def test_sets_of_the_stated_coverage_hold_the_class():
    for species, model in (("mouse", shipped.lspin()), ("human", shipped.dann())):
        z, truth = shipped.drawn(species, 9)
        sets = model.prediction_set(shipped.in_stored_units(shipped.only(z, shipped.LONG_SQUARE)), [species] * len(z))
        names = TASK_CLASSES[model.task]
        assert np.mean([names[k] in kept for k, kept in zip(truth, sets, strict=True)]) >= 0.87


def test_an_empty_set_is_possible_only_when_asked_for():
    x, _ = cells("mouse")
    model = shipped.lspin()
    assert min(map(len, model.prediction_set(x, ["mouse"] * len(x), 0.05))) == 1
    assert min(map(len, model.prediction_set(x, ["mouse"] * len(x), 0.05, allow_empty=True))) == 0


def test_a_prior_of_weight_zero_leaves_a_class_out():
    x, _ = cells("mouse")
    weights = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    x = np.concatenate([x, NOTHING])
    sets = shipped.lspin().prediction_set(x, ["mouse"] * len(x), 1.0, weights)
    left = {TASK_CLASSES[SUBCLASS][k] for k in (1, 2, 4)}
    assert all(kept and set(kept) <= left for kept in sets)


def test_few_gates_are_open_and_only_those_of_present_features():
    x, _ = cells("mouse")
    gates = shipped.lspin().gates(x, ["mouse"] * len(x))
    home = shipped.lspin().probability_home(x, ["mouse"] * len(x)) >= 0.5
    n_open = (gates > 0).sum(1)
    assert home.mean() > 0.7
    assert np.median(n_open[home]) <= 9
    assert np.quantile(n_open[home], 0.95) <= 12
    assert n_open.min() > 0
    assert not gates[:, ~shipped.LONG_SQUARE].any()
    assert ((gates >= 0) & (gates <= 1)).all()


@pytest.mark.parametrize("species", ["mouse", "human"])
def test_the_expected_accuracy_lies_between_home_and_elsewhere(species):
    x, _ = cells(species)
    x[::2] = shipped.in_stored_units(
        shipped.base()[0].preprocessor.standardise(x[::2]) + 1.5  # cells from elsewhere
    )
    for model in (shipped.dann(), shipped.lspin()):
        each = model.expected_each(x, [species] * len(x))
        if species == "human" and model.task == SUBCLASS:
            assert not any(each)
            continue
        homes = model.probability_home(x, [species] * len(x))
        for found, home in zip(each, homes, strict=True):
            assert found["elsewhere"] < found["home"]
            assert found["accuracy"] == pytest.approx(home * found["home"] + (1 - home) * found["elsewhere"])
            assert found["low"] <= found["accuracy"] <= found["high"]
            assert found["n_features"] == shipped.LONG_SQUARE.sum()
            assert found["species"] == species
            assert set(found["by_class"]) == set(model.classes)
        assert {round(found["probability_home"]) for found in each} == {0, 1}


def test_more_features_promise_more():
    figures = [shipped.library().model_for(present).held_out["mouse"][SUBCLASS]["home"] for present in SETS]
    accuracy = [one["accuracy"] for one in figures]
    assert accuracy[1] < accuracy[0] < accuracy[2] <= accuracy[3] + 0.01
    assert all(one["coverage"] >= 0.9 for one in figures)


def test_typicality_is_a_share():
    x, _ = cells("mouse")
    far = x.copy()
    far[:, FEATURE_NAMES.index("vrest")] += 60
    for rows in (x, far, mixed()):
        share = shipped.lspin().typicality_of(rows, ["mouse"] * len(rows))
        assert ((share >= 0) & (share <= 1)).all()
    assert (shipped.lspin().typicality_of(far, ["mouse"] * len(far)) < 0.01).mean() > 0.9


@pytest.mark.parametrize("species", ["mouse", "human"])
def test_the_answer_is_both_voices_answers_weighted(species):
    z, _ = shipped.drawn(species, 3)
    one = shipped.library().model_for(np.ones(len(FEATURE_NAMES), dtype=bool))
    judged, apart = one.judge(z, [species] * len(z)), one.apart(z, species)
    assert apart.keys() == {HOME, AWAY}
    for k, whole in enumerate((judged.broad, judged.subclass)):
        together = judged.home[:, None] * apart[HOME][k] + (1 - judged.home)[:, None] * apart[AWAY][k]
        np.testing.assert_allclose(together, whole, atol=1e-9)
    assert np.abs(apart[HOME][1] - apart[AWAY][1]).max() > 0.05


def test_distances_from_home_name_the_feature_that_was_moved():
    x, _ = cells("mouse")
    model, moved = shipped.dann(), FEATURE_NAMES.index("vrest")
    x[:, moved] += 60
    for found in (model.deviations(x, ["mouse"] * len(x)), model.from_home(x, ["mouse"] * len(x))):
        assert found.shape == x.shape
        assert (np.nan_to_num(np.abs(found)).argmax(1) == moved).mean() > 0.9
        assert (found[:, moved] > 5).mean() > 0.9


@pytest.mark.parametrize("model", [shipped.dann, shipped.lspin])
def test_shap_values_add_up_to_the_verdict(model):
    x, _ = cells("mouse")
    rows = np.concatenate([x[:2], mixed()[:1]])
    species = ["mouse", "human", "unknown"]
    found = shap_values(model(), rows, species)
    np.testing.assert_allclose(
        found.base + found.values.sum(1), model().predict_proba(rows, species), atol=TOLERANCE, rtol=0
    )
    assert found.error.max() <= TOLERANCE
    assert not found.values[np.isnan(rows)].any()


def test_both_tasks_at_once_are_the_same_answers():
    x = mixed()
    species = (["mouse", "human", "unknown"] * len(x))[: len(x)]
    dann, lspin = shipped.dann(), shipped.lspin()
    found = JointPredictor(lspin).standardised_probabilities(lspin.preprocessor.standardise(x), species)
    np.testing.assert_array_equal(found[:, :2], dann.predict_proba(x, species))
    np.testing.assert_array_equal(found[:, 2:], lspin.predict_proba(x, species))
