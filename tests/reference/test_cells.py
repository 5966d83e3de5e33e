"""Reference cells: the nearest of the class, simulated ones marked, the cell itself left out."""

import numpy as np
import pytest

from neuroclass import extract_features, read_recording
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.demo import load_demo
from neuroclass.cohort.examples import EXAMPLES, example_recording
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import load_model
from neuroclass.reference.cells import distances, nearest_references, with_sweeps


@pytest.fixture(scope="module")
def demo() -> Cohort:
    return load_demo()


def cell(demo: Cohort, row: int) -> dict[str, float]:
    return dict(zip(FEATURE_NAMES, demo.matrix()[row].tolist(), strict=True))


def test_a_reference_cell_is_never_its_own_evidence(demo):
    model = load_model("lspin")
    row = int(np.flatnonzero(demo.column("subclass") == "Pvalb")[3])
    name = str(demo.frame["id"].iloc[row])
    (found,) = nearest_references(model, cell(demo, row), "mouse", ["Pvalb"], [demo]).values()
    assert found.simulated and found.cell_id != name
    (other,) = nearest_references(model, cell(demo, row), "mouse", ["Pvalb"], [demo], exclude=name).values()
    assert other.cell_id != name
    assert other.label == "Pvalb"
    assert 0 < other.distance < 3


def test_the_cells_own_species_comes_first_and_an_earlier_pool_before_a_later(demo):
    model = load_model("dann")
    human = demo.of_species("human")
    found = nearest_references(model, cell(demo, 0), "human", ["excitatory", "inhibitory"], [demo])
    assert {one.species for one in found.values()} == {"human"}
    first = Cohort(human.frame, "recorded")
    mixed = nearest_references(model, cell(demo, 0), "human", ["excitatory"], [first, demo])
    assert not mixed["excitatory"].simulated


def test_distances_count_shared_weighted_features_only():
    z = np.array([0.0] * 6 + [np.nan] * 35)
    others = np.zeros((2, 41))
    others[0, 0], others[0, 40] = 3.0, 100.0
    others[1, :4] = np.nan
    weights = np.zeros(41)
    weights[:4] = 1.0
    distance, shared = distances(z, others, weights)
    assert distance[0] == pytest.approx(np.sqrt(9 / 4))
    assert shared.tolist() == [4, 2]
    assert np.isnan(distance[1])


def test_recorded_cells_are_offered_only_where_their_files_are(demo, tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NEUROCLASS_RECORDINGS", str(tmp_path))
    frame = demo.frame.head(3).assign(id=["501845630", "2", "3"])
    recorded = Cohort(frame, "the database")
    assert [pool.simulated for pool in with_sweeps(recorded)] == [True]
    (tmp_path / "specimen_501845630").mkdir()
    (tmp_path / "specimen_501845630" / "ephys.nwb").touch()
    first, second = with_sweeps(recorded)
    assert first.frame["id"].tolist() == ["501845630"]
    assert second.simulated


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_not_compared_with_itself(demo, name, tmp_path):
    found = extract_features(read_recording(example_recording(name, tmp_path)))
    features = {one: value for one, value in found.to_series().items() if np.isfinite(value)}
    for model in (load_model("dann"), load_model("lspin")):
        nearest = nearest_references(model, features, "mouse", model.classes, with_sweeps(demo))
        assert len(nearest) == len(model.classes)
        assert EXAMPLES[name].cell_id not in {one.cell_id for one in nearest.values()}
