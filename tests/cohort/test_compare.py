"""Effect sizes against a count of pairs, tests against scipy and known corrections."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.compare import (
    cliffs_delta,
    compare_selections,
    compare_within,
    donor_medians,
    holm,
    rank_test,
)
from neuroclass.features import FEATURE_NAMES


def test_cliffs_delta_counts_pairs(rng: np.random.Generator) -> None:
    a, b = rng.integers(0, 6, 40).astype(float), rng.integers(0, 5, 30).astype(float)
    counted = np.sign(a[:, None] - b[None, :]).mean()
    assert cliffs_delta(np.r_[a, np.nan], b) == pytest.approx(counted)
    assert cliffs_delta([3.0], [1.0]) == 1.0
    assert np.isnan(cliffs_delta([], [1.0]))


def test_holm_by_hand_and_around_missing_values() -> None:
    assert holm([0.01, np.nan, 0.04, 0.03]) == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).size == 0


def test_the_test_needs_three_values_and_a_difference() -> None:
    assert np.isnan(rank_test([1, 2], [1, 2, 3]))
    assert np.isnan(rank_test([1, 1, 1], [1, 1, 1]))
    assert rank_test(range(20), range(30, 50)) < 1e-6


def test_a_planted_feature_ranks_first_in_the_unit_people_read(rng: np.random.Generator) -> None:
    a = pd.DataFrame(rng.normal(size=(40, 41)), columns=FEATURE_NAMES)
    b = pd.DataFrame(rng.normal(size=(50, 41)), columns=FEATURE_NAMES)
    a["width"] = np.linspace(0.001, 0.002, 40)
    b["width"] = np.linspace(0.0001, 0.0005, 50)
    b["tau"] = np.nan
    table = compare_selections(a, b)
    first = table.iloc[0]
    assert (first["name"], first["delta"]) == ("width", 1.0)
    assert (first["median_a"], first["median_b"]) == pytest.approx((1.5, 0.3))
    assert first["p_holm"] < 1e-6
    assert len(table) == 40 and "tau" not in set(table["name"])


def test_pairs_of_few_groups_and_one_against_all_of_many() -> None:
    values = pd.Series(np.arange(80.0))
    few = compare_within(values, pd.Series(np.repeat(["a", "b"], 40)), ["b", "a", "absent"])
    assert few[["a", "b", "delta"]].to_numpy().tolist() == [["b", "a", 1.0]]
    many = compare_within(values, pd.Series(np.repeat(list("abcdefgh"), 10)), list("abcdefgh"))
    assert len(many) == 8 and set(many["b"]) == {"all others"}
    assert many["delta"].abs().is_monotonic_decreasing


def test_within_blocks_no_group_meets_one_of_another_block() -> None:
    values = pd.Series(np.arange(80.0))
    few = compare_within(
        values, pd.Series(np.repeat(list("abcd"), 20)), list("abcd"), pd.Series(np.repeat(["m", "h"], 40))
    )
    assert {frozenset(pair) for pair in few[["a", "b"]].to_numpy().tolist()} == {frozenset("ab"), frozenset("cd")}
    groups = pd.Series(np.repeat(["x", *"abcdefgh"], [8, *[9] * 8]))
    blocks = groups.map(lambda name: "h" if name == "x" else "m")
    many = compare_within(values, groups, ["x", *"abcdefgh"], blocks)
    assert set(many["a"]) == set("abcdefgh"), "a group alone in its block has nothing to be compared with"
    assert (many["cells_a"] + many["cells_b"] == 72).all()


def test_a_donor_counts_once_with_the_median_of_its_cells_and_a_cell_without_donor_is_its_own() -> None:
    values = pd.Series([1.0, 3.0, 9.0, np.nan, 5.0, 6.0], index=[10, 11, 12, 13, 14, 15])
    donors = pd.Series(["d1", "d1", "d1", "d2", None, np.nan], index=values.index)
    assert sorted(donor_medians(values, donors)) == [3.0, 5.0, 6.0]
    assert donor_medians(values, None).tolist() == [1.0, 3.0, 9.0, 5.0, 6.0]


def test_many_cells_of_few_donors_prove_no_more_than_the_donors_do(rng: np.random.Generator) -> None:
    donors = np.repeat([f"d{k}" for k in range(12)], 50)
    level = np.repeat(rng.normal(size=12), 50)  # donors differ, their groups do not
    groups = pd.Series(np.repeat(["a", "b"], 300))
    values = pd.Series(level + 0.01 * rng.normal(size=600))
    as_cells = compare_within(values, groups, ["a", "b"]).iloc[0]
    as_donors = compare_within(values, groups, ["a", "b"], donors=pd.Series(donors)).iloc[0]
    assert as_cells["delta"] == as_donors["delta"]
    assert as_cells["p_holm"] < 1e-3 < 0.05 < as_donors["p_holm"]
    assert (as_donors["cells_a"], as_donors["donors_a"], as_cells["donors_a"]) == (300, 6, 300)
    frame = pd.DataFrame(dict.fromkeys(FEATURE_NAMES, values)).assign(donor=donors)
    table = compare_selections(frame[:300], frame[300:])
    assert (table["donors_a"] == 6).all() and (table["p_holm"] > 0.05).all()
