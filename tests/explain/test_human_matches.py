"""Cross-species matches against labels."""

import numpy as np
import pytest

from neuroclass.explain.cross_species_matches import label_agreement
from neuroclass.explain.human_matches import DANN_SPACE, OFFSET_KEPT, OFFSET_REMOVED, match_agreement
from neuroclass.io.artifacts import load_model
from tests.planted import planted_human_cohort


def test_agreement_counts_the_nearest_cell_only():
    distances = np.array([[0.1, 0.2, 0.9], [0.9, 0.1, 0.2], [0.5, 0.9, 0.1]])
    rows = label_agreement(["Sst", "Sst", "Htr3a"], ["Sst", "Vip", "Lamp5/Pax6"], distances)
    assert [(row["subclass"], row["partner"], row["n_cells"], row["same"]) for row in rows] == [
        ("Sst", "Sst", 2, 0.5),
        ("Htr3a", "Lamp5/Pax6", 1, 1.0),
    ]
    assert rows[0]["chance"] == pytest.approx(1 / 3)


def test_planted_subclasses_match_once_the_offset_is_removed():
    cohort = planted_human_cohort(500)
    frame = cohort.frame
    human = frame["species"] == "human"
    frame.loc[human, "sag"] += 0.3  # far outside, so that every human cell looks like the class with the larger sag
    rows = match_agreement(cohort, load_model("dann"))
    assert [row["space"] for row in rows[::4]] == [OFFSET_REMOVED, OFFSET_KEPT, DANN_SPACE]
    removed, kept = ({row["subclass"]: row for row in rows[start : start + 4]} for start in (0, 4))
    names = ("Sst", "Vip", "Htr3a")
    better = [removed[name]["same"] for name in names]
    assert np.mean(better) > np.mean([kept[name]["same"] for name in names])
    assert np.mean(better) > np.mean([removed[name]["chance"] for name in names]) + 0.1
