"""The table of cells: what it refuses, fills in and names."""

import numpy as np
import pandas as pd
import pytest

from neuroclass.cohort.cohort import Cohort, make_cohort
from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES


def rows(n: int = 4) -> pd.DataFrame:
    frame = pd.DataFrame({"id": [f"c{k}" for k in range(n)], "species": ["mouse", "human"] * (n // 2)})
    for k, name in enumerate(FEATURE_NAMES):
        frame[name] = np.arange(n) + k / 100
    return frame


def test_absent_metadata_is_none_and_each_cell_its_own_donor() -> None:
    cohort = make_cohort(rows().drop(columns="sag"), "here", notes=["a note"])
    assert list(cohort.column("donor")) == ["c0", "c1", "c2", "c3"]
    assert set(cohort.column("subclass")) == {None}
    assert cohort.frame["sag"].isna().all()
    assert len(cohort.complete()) == 0
    assert cohort.notes == ("a note",)


def test_the_matrix_has_the_features_in_their_order() -> None:
    matrix = make_cohort(rows(), "here").matrix()
    assert matrix.shape == (4, 41)
    np.testing.assert_allclose(matrix[2], 2 + np.arange(41) / 100)


def test_cells_are_taken_by_mask_position_and_species() -> None:
    cohort = make_cohort(rows(), "here")
    assert list(cohort.take([3, 0]).column("id")) == ["c3", "c0"]
    assert list(cohort.take(np.array([True, False, False, True])).column("id")) == ["c0", "c3"]
    assert list(cohort.of_species("human").column("id")) == ["c1", "c3"]
    assert list(cohort.take([3]).frame.index) == [0]


def test_twice_the_same_id_is_refused() -> None:
    with pytest.raises(CohortError, match="c0"):
        make_cohort(rows().assign(id=["c0", "c0", "c1", "c2"]), "here")


def test_a_frame_without_its_columns_is_refused() -> None:
    with pytest.raises(CohortError, match="donor"):
        Cohort(rows(), "here")


def test_the_digest_names_the_cells_not_their_order() -> None:
    cohort = make_cohort(rows(), "here")
    changed = rows()
    changed.loc[1, "sag"] += 0.001
    assert cohort.digest() == cohort.take([2, 0, 3, 1]).digest()
    assert cohort.digest() != cohort.take([0, 1, 2]).digest()
    assert cohort.digest() != make_cohort(changed, "here").digest()
