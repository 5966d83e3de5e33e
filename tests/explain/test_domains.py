"""Numbers on domains find what is planted; the Domains page's tables hold every cell, held out."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.config import DannSettings, OptimiserSettings
from neuroclass.evaluation.protocols import Plan, Trial
from neuroclass.explain import domain_report, domain_spaces
from neuroclass.explain.cross_species_matches import match_table
from neuroclass.explain.domain_measures import classifier_accuracy, discrepancy, measures
from neuroclass.explain.domain_spaces import FoldSpace, align, fold_space
from neuroclass.explain.gate_tests import compare_classes
from neuroclass.types.progress import Progress
from tests.planted import planted_cohort

RNG = np.random.default_rng(0)
SPECIES = RNG.choice(["mouse", "human"], 300)
CLASSES = RNG.choice(["excitatory", "inhibitory"], 300)


def features(by_species: float, by_class: float) -> np.ndarray:
    x = np.random.default_rng(1).normal(size=(300, 4))
    x[SPECIES == "human", 0] += by_species
    x[CLASSES == "inhibitory", 1] += by_class
    return x


def measured(x: np.ndarray) -> "pd.Series[float]":
    a, b = np.arange(200), np.arange(200, 300)
    table = measures(x[a], x[b], SPECIES[a], SPECIES[b], CLASSES[a], CLASSES[b])
    return table.set_index("measure")["value"]


def test_mixed_species_and_separate_classes_are_told_from_the_reverse() -> None:
    mixed, split = measured(features(0, 6)), measured(features(6, 0))
    for species in ("species told by a classifier", "neighbours of the same species, within a class"):
        assert mixed[species] < 0.65 and split[species] > 0.7
    for label in ("class told by a classifier", "neighbours of the same class"):
        assert mixed[label] > 0.7 and split[label] < 0.65
    assert split["MMD² between the species, within a class"] > 10 * mixed["MMD² between the species, within a class"]


def test_discrepancy_stays_below_its_limit_where_nothing_differs() -> None:
    value, limit = discrepancy(features(0, 0), SPECIES)
    assert value < limit
    assert discrepancy(features(2, 0), SPECIES)[0] > limit


def test_accuracy_is_balanced() -> None:
    names = np.array(["a"] * 95 + ["b"] * 5)
    assert classifier_accuracy(np.zeros((100, 2)), names, np.zeros((100, 2)), names) == pytest.approx(0.5)


def test_gates_that_differ_are_found_and_shut_ones_have_no_p(rng: np.random.Generator) -> None:
    gates = pd.DataFrame(rng.random((300, 3)), columns=["sag", "tau", "ri"])
    gates.loc[CLASSES == "inhibitory", "tau"] += 1
    gates["ri"] = 0.0
    table = compare_classes(gates, list(CLASSES), list(gates)).set_index("feature")
    assert table["effect"].idxmax() == "tau" and table.loc["tau", "p_holm"] < 1e-6 < table.loc["sag", "p_holm"]
    assert table.loc["tau", "highest"] == "inhibitory"
    assert np.isnan(table.loc["ri", "p_holm"])


def test_twins_survive_only_where_every_training_finds_them() -> None:
    steady = np.arange(20, dtype=float)[None, :]
    table = match_table(["m"], [f"h{k}" for k in range(20)], [steady, steady, steady[:, ::-1] + 0.5])
    assert table["rank"].tolist() == [1, 2, 3, 4, 5]
    same = match_table(["m"], [f"h{k}" for k in range(20)], [steady, steady])
    assert same["twin"].tolist() == ["h0", "h1", "h2", "h3", "h4"] and (same["found_again"] == 1).all()
    assert table["found_again"].max() < 1


def test_folds_are_brought_into_one_space() -> None:
    x = features(0, 6)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(4, 4)))[0]
    first, second = np.arange(150), np.arange(150, 300)
    trials = [Trial(0, 0, 0, second, first), Trial(0, 1, 1, np.r_[first, 150:220], second)]
    spaces = [FoldSpace(0.1, k, f, f.astype(np.float32), x) for k, f in enumerate((x, x @ turn + 3))]
    found = align(spaces, trials)
    assert np.allclose(found.features, x, atol=1e-4)
    assert found.explained == pytest.approx(1, abs=1e-5)


def test_the_report_places_every_cell_by_a_network_that_did_not_see_it(monkeypatch) -> None:
    short = DannSettings(n_members=2, inner_folds=2, optimiser=OptimiserSettings(steps=30, batch_cells=64))
    for module in (domain_spaces, domain_report):
        monkeypatch.setattr(module, "DannSettings", lambda: short)
    monkeypatch.setattr(domain_spaces, "REVERSALS", (0.0,))
    monkeypatch.setattr(domain_report, "umap_of", lambda x: x[:, :2])
    cohort = planted_cohort(160, human_share=0.5)
    rows = np.arange(160)
    trials = [Trial(0, k, k, rows[rows % 3 != k], rows[rows % 3 == k]) for k in range(3)]
    plan = Plan(cohort, tuple(trials))
    shipped = [fold_space(plan, trial, short.reversal) for trial in trials]
    done: list[Progress] = []
    tables = domain_report.domain_tables(plan, trials, shipped, 1, done.append)
    assert (done[-1].done, done[-1].total) == (3, 3)
    embedding = tables["embedding"]
    assert set(embedding["space"]) == {"raw", "lambda0", "dann"}
    assert embedding.groupby("space")["id"].nunique().eq(160).all()
    assert embedding["x"].notna().all()
    numbers = tables["domains"]
    assert len(numbers) == 3 * 3 * 5 and numbers["value"].notna().all()
    matches = tables["cross-species-matches"]
    species = cohort.frame.set_index("id")["species"]
    assert set(species[matches["id"]]) == {"mouse"} and set(species[matches["twin"]]) == {"human"}
