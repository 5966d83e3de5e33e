"""The demo cohort that ships: what it claims about itself is checked on the cells themselves."""

from pathlib import Path

import numpy as np
import pytest

from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import DEMO_FILE, load_demo, simulate_demo_cell, simulated_cell
from neuroclass.cohort.splits import donor_folds
from neuroclass.ephys.cell_features import extract_features
from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES, PERSON_FEATURES
from neuroclass.io.artifacts import load_model


@pytest.fixture(scope="module")
def demo() -> Cohort:
    return load_demo()


def test_it_is_small_complete_and_has_every_class(demo: Cohort) -> None:
    assert DEMO_FILE.stat().st_size < 1_000_000
    assert demo.simulated
    assert len(demo.complete()) == len(demo)
    assert set(demo.of_species("mouse").column("subclass")) == set(SUBCLASS_ORDER)
    counts = demo.frame.groupby(["species", "broad"]).size()
    assert counts.min() >= 30
    assert demo.column("id")[0].startswith("simulated-")
    assert not set(demo.column("dendrite_type")) - {"spiny", "aspiny", "sparsely spiny"}


def test_it_can_be_split_by_donor(demo: Cohort) -> None:
    assert len(donor_folds(demo, "broad", n_folds=5)) == 5
    assert len(donor_folds(demo.labelled("subclass"), "subclass", n_folds=5)) == 5


def test_the_cells_features_are_those_of_their_own_sweeps(demo: Cohort) -> None:
    # What a change of one rule may concern: of each class the cells of the steepest and of the flattest f-I slope.
    slopes = demo.frame.groupby(["species", "broad", "subclass"], dropna=False)["f_i_curve_slope"]
    for position in sorted({*slopes.idxmin(), *slopes.idxmax(), 0, len(demo) - 1}):
        row = demo.frame.loc[position]
        found = extract_features(simulate_demo_cell(row["id"]))
        assert set(found.missing) == set(PERSON_FEATURES)
        for name in set(FEATURE_NAMES) - set(PERSON_FEATURES):
            assert found.values[name] == pytest.approx(row[name], rel=1e-3, abs=1e-9), (row["id"], name)


def test_its_sweeps_are_the_same_at_every_call(demo: Cohort) -> None:
    first, again = (simulate_demo_cell(demo.column("id")[7]) for _ in range(2))
    assert len(first.sweeps) <= 30
    for one, other in zip(first.sweeps, again.sweeps, strict=True):
        np.testing.assert_array_equal(one.v_mv, other.v_mv)


def test_few_values_lie_outside_the_real_range(demo: Cohort, real_cohort: Cohort) -> None:
    outside = total = 0
    for species in ("mouse", "human"):
        low, high = np.nanpercentile(real_cohort.of_species(species).matrix(), [0.5, 99.5], axis=0)
        values = demo.of_species(species).matrix()
        outside += int(((values < low) | (values > high)).sum())
        total += values.size
    assert outside / total <= 0.02


def test_no_row_is_a_real_one(demo: Cohort, real_cohort: Cohort) -> None:
    real = {tuple(row) for row in real_cohort.matrix()[:, :5].round(6)}
    assert not real & {tuple(row) for row in demo.matrix()[:, :5].round(6)}
    assert not set(demo.column("id")) & set(real_cohort.column("id"))


def test_an_unknown_cell_is_named() -> None:
    with pytest.raises(CohortError, match="nobody"):
        simulated_cell("nobody")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="cannot be read"):
        load_demo(tmp_path / "gone.parquet")


def test_the_shipped_models_know_its_cells(demo: Cohort) -> None:
    """Mouse cells by LSPIN's five subclasses, human cells by DANN's two classes."""
    right = 0
    for species, model_name, column in (("mouse", "lspin", "subclass"), ("human", "dann", "broad")):
        cells, model = demo.of_species(species), load_model(model_name)
        probabilities = model.predict_proba(cells.matrix(), list(cells.column("species")))
        right += int((np.array(model.classes)[probabilities.argmax(axis=1)] == cells.column(column)).sum())
    assert right / len(demo) >= 0.9
