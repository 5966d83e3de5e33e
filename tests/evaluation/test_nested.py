"""A nested search never lets an outer fold's cells choose the setting that they score."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from neuroclass.config import SearchSettings
from neuroclass.errors import CohortError
from neuroclass.evaluation import nested, search
from neuroclass.evaluation.nested import CHOSEN, NestedPlan, document, figures, nested_search, open_studies, plan_nested
from neuroclass.evaluation.search import run_searches, score
from tests.planted import planted_cohort

FIXED = {"n_members": 1, "inner_folds": 2, "batch_cells": 16, "steps": 6}
SMALL = SearchSettings(trials=5, outer_folds=2, inner_folds=2, members=1)


def plan_of(system: str = "lspin", settings: SearchSettings = SMALL) -> NestedPlan:
    return plan_nested(system, planted_cohort(180), FIXED, settings)


def trials_of(plan: NestedPlan, folder: Path, name: str) -> list[Any]:
    studies = {name: open_studies(plan, folder)[name]}
    run_searches(studies, 1)
    return [*studies[name].study.trials(), studies[name].chosen()]


def test_what_an_outer_fold_holds_does_not_change_what_is_chosen_for_it(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    plan = plan_of()
    frame = plan.cells.frame.copy()
    test = plan.folds[0].test
    frame.loc[test, "subclass"] = rng.permutation(frame.loc[test, "subclass"])
    frame.loc[test, "tau"] = rng.permutation(frame.loc[test, "tau"]) * 5
    shuffled = replace(plan, cells=replace(plan.cells, frame=frame))
    assert trials_of(plan, tmp_path / "a", "0") == trials_of(shuffled, tmp_path / "b", "0")
    assert trials_of(plan, tmp_path / "a", "1") != trials_of(shuffled, tmp_path / "b", "1")  # there they train


@pytest.mark.parametrize("system", ["lspin", "dann"])
def test_no_donor_is_on_both_sides_of_any_fold(system: str, tmp_path: Path) -> None:
    plan = plan_of(system)
    studies = open_studies(plan, tmp_path)
    for fold in plan.folds:
        outer = set(plan.cells.take(fold.test).column("donor"))
        cells = studies[str(fold.number)].cells
        assert not outer & set(cells.column("donor"))
        fit = studies[str(fold.number)].next_fit()
        inner = (set(cells.take(rows).column("donor")) for rows in (fit.fold.train, fit.fold.test))
        assert not set.intersection(*inner)
    assert len(studies["all"].cells) == len(plan.cells)


def test_inner_and_outer_score_lie_side_by_side_and_no_cell_is_told(tmp_path: Path) -> None:
    plan = plan_of()
    kept: list[dict[str, Any]] = []
    found = nested_search(plan, tmp_path, keep=kept.append)
    assert "outer" not in kept[0] and len(kept[-1]["studies"][0]["trials"]) == SMALL.trials
    outer = [study for study in found["studies"] if study["outer"] is not None]
    assert found["inner"]["balanced_accuracy"]["mean"] == pytest.approx(np.mean([one["inner_score"] for one in outer]))
    scores = found["outer"]["balanced_accuracy"]
    assert scores["low"] <= scores["mean"] <= scores["high"]
    assert all(0 <= one["outer_score"] <= 1 for one in outer)
    assert set(found["chosen"]) == set(found["space"]) | set(FIXED)
    text = json.dumps(found)
    assert not any(f'"{cell}"' in text for cell in plan.cells.column("id"))


def test_each_outer_fold_is_scored_with_its_own_choice_on_its_own_cells(tmp_path: Path, monkeypatch) -> None:
    asked: list[tuple[int, dict[str, Any]]] = []

    def predicted(plan: NestedPlan, fold, values) -> pd.DataFrame:
        asked.append((fold.number, dict(values)))
        return original(plan, fold, values)

    predicted.__qualname__ = "predicted"
    original = nested.outer_predictions
    monkeypatch.setattr(nested, "outer_predictions", predicted)
    plan = plan_of()
    found = nested_search(plan, tmp_path)
    chosen = {study["outer"]: study["chosen"] for study in found["studies"]}
    assert asked == [(0, chosen[0]), (0, FIXED), (1, chosen[1]), (1, FIXED)]
    for fold in plan.folds:
        rows = original(plan, fold, FIXED)
        assert sorted(rows["id"]) == sorted(plan.cells.column("id")[fold.test])


def test_the_same_seed_finds_the_same_and_processes_do_not_matter(tmp_path: Path) -> None:
    few = replace(SMALL, trials=3)
    one, other = (nested_search(plan_of("dann", few), tmp_path / str(jobs), jobs) for jobs in (1, 2))
    assert one == other
    changed = open_studies(plan_of("dann", replace(few, seed=5)), tmp_path / "5")["0"].study
    for score_of_trial in (0.5, 0.5):  # the recipe, on both inner folds
        changed.setting()
        changed.note(score_of_trial)
    tried = one["studies"][0]["trials"]
    assert tried[1]["settings"] != changed.setting() and tried[0]["settings"] == changed.trials()[0].settings


def test_networks_that_diverge_score_nothing(monkeypatch, tmp_path: Path) -> None:
    fit = open_studies(plan_of(), tmp_path)["0"].next_fit()
    assert search.inner_score(fit) > 0
    trained = search.TRAINERS["lspin"](fit.cells.take(fit.fold.train), fit.settings)
    for weights in trained.net.parameters():
        weights.data.fill_(float("nan"))
    monkeypatch.setitem(search.TRAINERS, "lspin", lambda *_: trained)
    assert search.inner_score(fit) == 0.0


def test_each_class_of_each_species_has_the_same_weight() -> None:
    rows = pd.DataFrame(
        {
            "species": ["mouse"] * 4 + ["human"] * 2,
            "truth": ["a", "a", "a", "b", "a", "b"],
            "predicted": ["a", "a", "b", "b", "b", "b"],
        }
    )
    assert score(rows) == pytest.approx((2 / 3 + 1 + 0 + 1) / 4)
    pooled = rows.assign(
        truth=rows["truth"].map({"a": "excitatory", "b": "inhibitory"}),
        predicted=rows["predicted"].map({"a": "excitatory", "b": "inhibitory"}),
        donor=["d1", "d1", "d2", "d2", "d3", "d3"],
        repeat=0,
        fold=0,
    )
    assert figures(pooled, "broad")["balanced_accuracy"]["mean"] == pytest.approx(score(rows))


def test_too_few_donors_are_refused_before_anything_is_fitted() -> None:
    cohort = planted_cohort(240)
    few = cohort.take(np.flatnonzero(np.isin(cohort.column("donor"), sorted(set(cohort.column("donor")))[:9])))
    with pytest.raises(CohortError, match="donors"):
        plan_nested("lspin", few, FIXED, replace(SMALL, outer_folds=5))


def test_the_document_of_a_search_under_way_has_no_score_that_could_be_mistaken(tmp_path: Path) -> None:
    plan = plan_of()
    found = document(plan, open_studies(plan, tmp_path))
    assert not {"inner", "outer", "recipe", CHOSEN} & set(found)
    assert all("chosen" not in study for study in found["studies"])
