"""Nearest cells, by planted ones."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.cohort.demo import load_demo, simulate_demo_cell, simulate_demo_squares
from neuroclass.cohort.nearest import COMPARED, nearest_cells, standard_scores
from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES


def _cells() -> Cohort:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(40, 41)), columns=FEATURE_NAMES)
    rows["id"] = [str(k) for k in range(40)]
    rows["species"] = ["mouse"] * 20 + ["human"] * 20
    rows.loc[5, list(FEATURE_NAMES)] = rows.loc[3, list(FEATURE_NAMES)] + 0.01
    human = list(FEATURE_NAMES)
    rows.loc[20:, human] = 100 + 10 * rows.loc[:19, human].to_numpy()
    rows.loc[7, list(COMPARED[:30])] = np.nan
    return make_cohort(rows, "planted")


def test_a_planted_twin_is_nearest_in_its_species_and_its_image_in_the_other() -> None:
    cells = _cells()
    scores = standard_scores(cells)
    assert nearest_cells(cells, scores, "3", "mouse")["id"].iloc[0] == "5"
    across = nearest_cells(cells, scores, "3", "human", n=3)
    assert across["id"].iloc[0] == "23"
    assert across["distance"].is_monotonic_increasing
    assert len(across) == 3


def test_a_cell_with_few_features_is_no_neighbour() -> None:
    cells = _cells()
    found = nearest_cells(cells, standard_scores(cells), "3", "mouse", n=40)
    assert "7" not in set(found["id"]) and "3" not in set(found["id"])
    assert len(found) == 18


def test_an_unknown_cell_is_refused() -> None:
    cells = _cells()
    with pytest.raises(CohortError, match="nobody"):
        nearest_cells(cells, standard_scores(cells), "nobody", "mouse")


def test_two_long_squares_equal_those_of_the_whole_recording() -> None:
    cell = load_demo().frame["id"].iloc[100]
    whole, two = simulate_demo_cell(cell), simulate_demo_squares(cell, 50.0)
    assert len(two.sweeps) == 2
    for sweep in two.sweeps:
        assert np.array_equal(sweep.v_mv, whole.sweeps[sweep.number].v_mv)
        assert np.array_equal(sweep.i_pa, whole.sweeps[sweep.number].i_pa)
    assert two.sweeps[0].i_pa.min() == -110.0
