"""Explanations name the features that were planted as causes, and nothing where labels are shuffled."""

from dataclasses import replace

import numpy as np
import pytest

from neuroclass.config import AugmentSettings, LspinSettings, OptimiserSettings
from neuroclass.explain.baselines import EXPLAINERS, fit_and_explain
from neuroclass.explain.deletion import deletion_table, gate_ablation, probabilities_behind, summarise_curves
from neuroclass.explain.groups import quantities
from neuroclass.explain.held_out import explain_held_out
from neuroclass.explain.shap_values import TOLERANCE, shap_values
from neuroclass.explain.stability import agreement, disagreements, importances
from neuroclass.features import FEATURE_NAMES
from neuroclass.training.fit_lspin import train_lspin
from tests.planted import planted_cohort

CAUSES = ("width", "sag", "tau", "ri")
PLACES = [FEATURE_NAMES.index(name) for name in CAUSES]
SETTINGS = LspinSettings(
    n_members=2,
    inner_folds=2,
    augment=AugmentSettings(masked_share=0.0, shifted_share=0.0),
    optimiser=OptimiserSettings(steps=300, batch_cells=128, learning_rate=1e-2),
    agreement=0.0,
    consensus=0.0,
    gate_penalty=0.03,
)


def shuffled(cohort):
    frame = cohort.frame.copy()
    frame["subclass"] = np.random.default_rng(3).permutation(frame["subclass"].to_numpy())
    return replace(cohort, frame=frame)


@pytest.fixture(scope="module")
def train():
    return planted_cohort(600, class_features=CAUSES, human_share=0.0)


@pytest.fixture(scope="module")
def test():
    return planted_cohort(60, seed=7, class_features=CAUSES, human_share=0.0)


@pytest.fixture(scope="module")
def model(train):
    return train_lspin(train, SETTINGS)


@pytest.fixture(scope="module")
def by_chance(train):
    return train_lspin(shuffled(train), SETTINGS)


def test_gates_and_shap_find_the_causes_and_only_them(model, test):
    table = importances(model, test, test.column("subclass"))
    for method, rows in table.groupby("method"):
        first = rows.sort_values("value", ascending=False)["feature"].head(4)
        assert set(first) == set(CAUSES), method
    gates = model.gates(test.matrix())
    others = np.delete(gates, PLACES, axis=1)
    assert gates[:, PLACES].mean() > max(0.35, 5 * others.mean())


def test_shuffled_labels_give_flat_importances(model, by_chance, test):
    def of(one, method):
        table = importances(one, test, test.column("subclass"))
        return table[table["method"] == method]["value"].to_numpy()

    for method in ("SHAP", "permutation"):
        true, chance = of(model, method), of(by_chance, method)
        assert chance[PLACES].mean() < 0.25 * true[PLACES].mean(), method
    values = of(by_chance, "SHAP")
    assert values.max() < 4 * values.mean()


def test_each_cell_rests_on_the_cause_of_its_own_group(model, test):
    explained = shap_values(model, test.matrix())
    truth = test.column("subclass")
    for number, cause in enumerate(CAUSES, start=1):
        mine = explained.values[truth == model.classes[number], :, number].mean(0)
        assert FEATURE_NAMES[int(mine.argmax())] == cause


def test_groups_carry_what_their_members_carry(model, test):
    x = test.take([0, 1, 2]).matrix()
    groups = quantities()
    grouped = shap_values(model, x, groups=list(groups.values()), pairs=20)
    single = shap_values(model, x, pairs=20)
    assert grouped.values.shape == (3, len(groups), 5)
    assert grouped.error.max() <= TOLERANCE
    total = np.stack(
        [single.values[:, [FEATURE_NAMES.index(n) for n in names]].sum(1) for names in groups.values()], axis=1
    )
    assert np.abs(grouped.values - total).max() < 0.05


def test_a_group_of_all_features_carries_everything(model, test):
    x = test.take([0]).matrix()
    found = shap_values(model, x, groups=[FEATURE_NAMES])
    assert np.allclose(found.values[0, 0], model.predict_proba(x)[0] - found.base[0])


def test_deleting_the_causes_hurts_and_random_features_do_not(model, test):
    tables = explain_held_out(model, test, "subclass", test.frame["subclass"], "fold 1")
    curves = summarise_curves(tables["deletion"])
    at = curves.set_index(["curve", "how", "ranking", "features"])["accuracy"]
    for how in ("shut", "hidden"):
        whole = at["deletion", how, "gates", 0]
        assert whole > 0.9
        for ranking in ("gates", "SHAP"):
            assert at["deletion", how, ranking, 5] < whole - 0.4
            assert at["insertion", how, ranking, 5] > 0.85
        assert at["deletion", how, "random", 5] > whole - 0.2
        assert at["insertion", how, "random", 41] == whole
    assert set(tables["gate-ablation"]["id"]) <= set(test.column("id"))


def test_shutting_no_gate_changes_nothing_and_all_gates_everything(model, test):
    x = test.matrix()
    everything = np.ones(x.shape, dtype=bool)
    assert np.allclose(probabilities_behind(model, x, everything), model.predict_proba(x), atol=1e-6)
    nothing = probabilities_behind(model, x, ~everything)
    assert np.ptp(nothing, axis=0).max() < 1e-6


def test_ablation_of_the_cause_takes_its_class_away(model, test):
    truth = test.column("subclass")
    row = int(np.flatnonzero(truth == model.classes[2])[0])
    p = gate_ablation(model, test.take([row]).matrix())
    change = p[:-1, 2] - p[-1, 2]
    assert FEATURE_NAMES[int(change.argmin())] == CAUSES[1] and change.min() < -0.3


def test_ties_are_broken_by_chance(model, test):
    x = test.matrix()
    table = deletion_table(model, x, test.column("subclass").astype(str), {"flat": np.zeros(x.shape)})
    flat = table[(table["ranking"] == "flat") & (table["features"] == 5) & (table["curve"] == "deletion")]
    assert flat["right"].mean() > 0.6


def test_agreement_is_1_for_the_same_ranking_and_flags_what_differs(model, test):
    first = importances(model, test, test.column("subclass")).assign(run="a")
    table = first._append(first.assign(run="b"))
    agreed = agreement(table).set_index(["first", "second"])["kendall"]
    assert agreed["SHAP", "SHAP"] == pytest.approx(1.0)
    turned = first.assign(run="b", value=-first["value"])
    assert agreement(first._append(turned)).set_index(["first", "second"])["kendall"]["SHAP", "SHAP"] < -0.9
    assert not disagreements(table)["between_runs"].any()
    assert disagreements(first._append(turned), high=41)["flagged"].mean() > 0.5
    assert not disagreements(first._append(turned), high=0)["flagged"].any()


@pytest.mark.parametrize("name", ["rf", "xgboost", "lasso", "lda", "ann"])
def test_every_kind_of_baseline_is_explained(name, train, test):
    few = test.take(np.arange(12))
    table = fit_and_explain(name, train, few, "subclass")
    assert set(table["unit"]) == {EXPLAINERS[name][1]}
    assert table["error"].max() <= TOLERANCE
    means = table[list(FEATURE_NAMES)].abs().mean().sort_values()
    assert set(means.index[-4:]) == set(CAUSES)


def test_a_baseline_of_two_classes_is_explained_both_ways(train, test):
    for name in ("xgboost", "lasso"):
        table = fit_and_explain(name, train, test.take(np.arange(6)), "broad")
        first, second = (rows[list(FEATURE_NAMES)].to_numpy() for _, rows in table.groupby("class", sort=False))
        assert np.allclose(first, -second, atol=1e-5)
