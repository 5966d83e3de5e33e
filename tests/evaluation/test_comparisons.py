"""What stands beside a model's predictions: tests, label issues, curves, purity, groups, learning curves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from neuroclass.evaluation.comparisons import Comparisons, add_paired_tests
from neuroclass.evaluation.curves import area_under_roc, average_precision, one_against_rest
from neuroclass.evaluation.evaluate import run_trials
from neuroclass.evaluation.groups import group_document
from neuroclass.evaluation.label_issues import label_issues, label_issues_by_confusion
from neuroclass.evaluation.learning import fewer_donors, label_budget, learning_curve
from neuroclass.evaluation.names import Protocol
from neuroclass.evaluation.paired import sign_flip_p
from neuroclass.evaluation.protocols import Plan, plan_protocol
from neuroclass.evaluation.purity import errors_by_line, pure_lines
from neuroclass.evaluation.taxonomies import unlabelled_taxonomies
from tests.planted import planted_cohort


def plan_of(n_cells: int = 300, lines: bool = False, repeats: int = 1) -> Plan:
    """Donor-grouped folds of planted mouse cells; with lines, half of one line's cells are labelled at random."""
    cohort = planted_cohort(n_cells, human_share=0.0)
    if lines:
        rng = np.random.default_rng(0)
        frame = cohort.frame.assign(line=cohort.frame["subclass"] + "-Cre")
        mixed = frame.index[frame["line"] == "Vip-Cre"][::2]
        frame.loc[mixed, "subclass"] = rng.choice(["Pvalb", "Sst", "Htr3a"], len(mixed))
        cohort = replace(cohort, frame=frame)
    return plan_protocol(Protocol.DONOR_CV, cohort, "subclass", repeats)


def test_sign_flips_match_the_exact_p_of_few_donors():
    """Three donors of one sign: 2 of the 8 sign patterns are as extreme."""
    assert sign_flip_p(np.array([1.0, 2.0, 0.5])) == pytest.approx(2 / 8, abs=0.02)
    assert sign_flip_p(np.zeros(5)) == 1
    assert sign_flip_p(np.array([0.0, 3.0, 0.0])) == 1
    assert sign_flip_p(np.ones(30)) < 1e-3


def test_sign_flip_p_is_uniform_where_nothing_differs(rng):
    p = np.array([sign_flip_p(rng.standard_normal(20)) for _ in range(60)])
    assert 0.3 < (p < 0.5).mean() < 0.7


def predictions(rows: list[tuple[str, str, str, float]]) -> pd.DataFrame:
    """Rows of cell, truth, predicted, probability of the predicted class; two classes a and b."""
    frame = pd.DataFrame(rows, columns=["id", "truth", "predicted", "p"])
    for name in ("a", "b"):
        frame[f"p_{name}"] = np.where(frame["predicted"] == name, frame["p"], 1 - frame["p"])
    return frame


def test_only_unanimous_and_confident_labels_are_doubted():
    sure = [(f"s{k}", name, name, 0.8) for k in range(4) for name in "ab" for _ in range(2)]
    sure = [(cell + truth, truth, predicted, p) for cell, truth, predicted, p in sure]
    table = predictions(
        [
            *sure,
            *[("wrong", "a", "b", 0.95)] * 2,
            ("torn", "a", "b", 0.9),
            ("torn", "a", "a", 0.6),
            *[("unsure", "a", "b", 0.55)] * 2,
        ]
    )
    cells = label_issues(table, ["a", "b"]).set_index("id")
    assert cells.index[cells["doubted"]].tolist() == ["wrong"]
    assert cells.loc["unsure", ["unanimous", "confident"]].tolist() == [True, False]
    assert not cells.loc["torn", "unanimous"]
    by = label_issues_by_confusion(cells.reset_index()).iloc[0]
    assert by.tolist() == ["a", "b", 3, 2, 1]


def test_areas_agree_with_sklearn_also_with_ties(rng):
    score = rng.integers(0, 12, 200) / 12
    positive = rng.random(200) < score
    assert area_under_roc(score, positive) == pytest.approx(roc_auc_score(positive, score))
    assert average_precision(score, positive) == pytest.approx(average_precision_score(positive, score))
    assert np.isnan(area_under_roc(score, np.ones(200, dtype=bool)))


def test_curves_begin_at_nothing_and_end_at_everything(rng):
    table = predictions([(str(k), "ab"[k % 2], "ab"[rng.integers(2)], 0.5 + rng.random() / 2) for k in range(60)])
    lines, areas = one_against_rest(table, ["a", "b"])
    for _, part in lines.groupby("class"):
        assert part[["false_positives", "recall"]].iloc[0].tolist() == [0, 0]
        assert part[["false_positives", "recall"]].iloc[-1].tolist() == [1, 1]
        assert part["precision"].iloc[-1] == pytest.approx(0.5)
    assert areas["prevalence"].tolist() == [0.5, 0.5]


def test_a_line_of_mixed_cells_is_not_pure():
    plan = plan_of(400, lines=True)
    errors = errors_by_line(plan.cohort, "subclass", 0).set_index("line")["error"]
    assert errors["Vip-Cre"] > 0.3
    assert errors.drop("Vip-Cre").max() < errors["Vip-Cre"] / 2
    assert "Vip-Cre" not in pure_lines(plan.cohort, "subclass", 0)


def test_purity_is_settled_without_the_test_cells():
    plan = plan_of(300, lines=True)
    trial = plan.trials[0]
    frame = plan.cohort.frame.copy()
    frame.loc[trial.test, "subclass"] = frame.loc[trial.test, "subclass"].to_numpy()[::-1]
    other = replace(plan.cohort, frame=frame)
    assert pure_lines(plan.cohort.take(trial.train), "subclass", 0) == pure_lines(
        other.take(trial.train), "subclass", 0
    )


def test_groups_hold_pure_and_complete_cells_of_every_system(monkeypatch):
    plan = plan_of(300, lines=True)
    frame = plan.cohort.frame.copy()
    frame.loc[frame.index[:30], "tau"] = np.nan
    plan = replace(plan, cohort=replace(plan.cohort, frame=frame))
    ours = run_trials("lda", "subclass", plan, jobs=1)
    theirs = ours.assign(system="svc", predicted="Sst")[["system", "id", "repeat", "predicted"]]
    monkeypatch.setattr("neuroclass.evaluation.purity.MOST_ERRORS", 0.25)
    document = group_document("lda", "subclass", plan, ours, theirs)
    assert document["complete"]["n_cells"] == 270
    assert set(document["complete"]["systems"]) == {"lda", "svc"}
    known = ours[ours["id"].isin(plan.cohort.complete().frame["id"])]
    expected = (known["truth"] == known["predicted"]).mean()
    assert document["complete"]["systems"]["lda"]["accuracy"]["mean"] == pytest.approx(expected)
    share = {row["group"]: row["pure"] for row in document["by"]["line"]}
    assert share["Vip-Cre"] == 0 < max(share.values())
    pure = document["pure"]
    assert pure["systems"]["lda"]["accuracy"]["mean"] > expected


def test_paired_tests_are_by_species_and_corrected():
    plan = plan_protocol(Protocol.DONOR_CV, planted_cohort(300), "broad", 1)
    ours = run_trials("lda", "broad", plan, jobs=1)
    rows = ours[["id", "repeat"]]
    worse = rows.assign(system="worse", predicted="excitatory")
    same = rows.assign(system="same", predicted=ours["predicted"])
    results = add_paired_tests(Comparisons({"worse": {}, "same": {}}, pd.concat([worse, same])), ours)
    assert set(results["worse"]["ours_minus_this"]) == {"all", "mouse", "human"}
    test = results["worse"]["ours_minus_this"]["all"]
    assert test["difference"] > 0.3 and test["p_holm"] == pytest.approx(2 * test["p"]) and test["p_holm"] < 0.01
    assert results["same"]["ours_minus_this"]["all"]["p_holm"] == 1


def test_fewer_donors_are_whole_and_enough():
    plan = plan_of(400)
    rows = fewer_donors(plan.cohort, plan.trials[0].train, "subclass", 120, 0)
    assert 120 <= len(rows) < 150
    assert set(rows) <= set(plan.trials[0].train)
    donors = plan.cohort.column("donor")
    left = np.setdiff1d(plan.trials[0].train, rows)
    assert not set(donors[rows]) & set(donors[left])


def test_learning_curve_rises_on_planted_cells():
    curve = learning_curve(("lda",), "subclass", plan_of(400))
    assert [row["n_train"] for row in curve] == sorted(row["n_train"] for row in curve)
    assert curve[-1]["metrics"]["accuracy"]["mean"] > curve[0]["metrics"]["accuracy"]["mean"]
    assert {row["n_cells"] for row in curve} == {400}


def test_more_labels_help(monkeypatch):
    monkeypatch.setattr("neuroclass.evaluation.learning.BUDGETS", (3, 30))
    monkeypatch.setattr("neuroclass.evaluation.learning.DRAWS", 1)
    rows = label_budget(plan_of(250), "subclass")
    found = {(r["classes"], r["model"], r["labels"]): r["metrics"]["accuracy"]["mean"] for r in rows}
    for classes in ("Pyr, Pvalb, Sst", "all"):
        assert found[classes, "labels-only", 30] > found[classes, "labels-only", 3]
    assert {row["n_cells"] for row in rows if row["classes"] == "all"} == {250}


def test_taxonomies_describe_every_cell():
    plan = plan_of(150)
    document, table = unlabelled_taxonomies(plan, "subclass")
    assert len(table) == 150
    assert table["angle"].between(-180, 180).all()
    assert set(table["etype"]) <= set(range(1, document["n_types"] + 1))
    assert -0.5 <= document["held_out"]["adjusted_rand"]["mean"] <= 1
