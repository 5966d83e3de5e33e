"""Cross-species matches against labels."""

import numpy as np
import pytest

from neuroclass.explain.cross_species_matches import Labelled, label_agreement, nearest_cells
from neuroclass.explain.human_matches import DANN_SPACE, OFFSET_KEPT, OFFSET_REMOVED, cross_species
from neuroclass.io.artifacts import load_model
from tests.planted import planted_human_cohort


def cells(labels, donors=None, prefix="h"):
    names = np.array([f"{prefix}{k}" for k in range(len(labels))], dtype=object)
    donors = names if donors is None else np.array(donors, dtype=object)
    return Labelled(names, np.array(labels, dtype=object), donors)


MOUSE = cells(["Sst", "Sst", "Htr3a"], prefix="m")
HUMAN = cells(["Sst", "Vip", "Lamp5/Pax6"])
DISTANCES = np.array([[0.1, 0.2, 0.9], [0.9, 0.1, 0.2], [0.5, 0.9, 0.1]])


def test_agreement_counts_the_nearest_cell_only():
    rows = label_agreement(MOUSE, HUMAN, DISTANCES)
    assert [(row["subclass"], row["partner"], row["n_cells"], row["same"]) for row in rows] == [
        ("Sst", "Sst", 2, 0.5),
        ("Htr3a", "Lamp5/Pax6", 1, 1.0),
    ]
    assert rows[0]["chance"] == pytest.approx(1 / 3)


def test_matches_name_the_nearest_cell_and_its_label():
    table = nearest_cells(MOUSE, HUMAN, DISTANCES)
    assert table["twin"].tolist() == ["h0", "h1", "h2"]
    assert table["same"].tolist() == [True, False, True]


def test_intervals_hold_the_figure_and_widen_where_cells_share_donors():
    rng = np.random.default_rng(0)
    near = rng.random(300) < 0.5
    donors = np.arange(300) // 30
    labels = np.where(np.arange(300) % 2 == 0, "Sst", "Vip")
    whole = np.where(donors % 2 == 0, near[donors], ~near[donors])  # the cells of a donor agree or not, all alike
    distances = np.where((labels == "Sst") == whole[:, None], 0.1, 0.9)
    mouse = ["Sst"] * 300
    alone = label_agreement(cells(mouse), cells(labels), distances)[0]
    few = label_agreement(cells(mouse, donors), cells(labels), distances)[0]
    assert alone["low"] <= alone["same"] <= alone["high"]
    assert few["same"] == alone["same"]
    assert few["high"] - few["low"] > 2 * (alone["high"] - alone["low"])


def test_planted_subclasses_match_once_the_offset_is_removed():
    cohort = planted_human_cohort(500)
    frame = cohort.frame
    human = frame["species"] == "human"
    frame.loc[human, "sag"] += 0.3  # far outside, so that every human cell looks like the class with the larger sag
    found = cross_species(cohort, load_model("dann"))
    rows = found["agreement"]
    assert [row["space"] for row in rows[::4]] == [DANN_SPACE, OFFSET_REMOVED, OFFSET_KEPT]
    removed, kept = ({row["subclass"]: row for row in rows[start : start + 4]} for start in (4, 8))
    names = ("Sst", "Vip", "Htr3a")
    better = [removed[name]["same"] for name in names]
    assert np.mean(better) > np.mean([kept[name]["same"] for name in names])
    assert np.mean(better) > np.mean([removed[name]["chance"] for name in names]) + 0.1
    shares = found["matches"].groupby("subclass")["same"].mean()
    assert all(shares[row["subclass"]] == pytest.approx(row["same"]) for row in rows[:4])
    points = found["embedding"]
    labelled = frame["human_subclass"].notna() | frame["subclass"].notna()
    assert sorted(points["id"]) == sorted(frame.loc[labelled, "id"])
    assert np.isfinite(points[["x", "y"]]).all(axis=None)
