"""The map that ships: cells are placed without fitting, near where the map has such cells."""

import json

import numpy as np
import pytest

from neuroclass.config import PROJECT_DIR
from neuroclass.errors import ModelFileError
from neuroclass.explain.map_fit import _network
from neuroclass.explain.placing import Map, load_map
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import load_model, weights_of
from neuroclass.predictors.dann import DannPredictor
from neuroclass.reference.ranges import class_values


@pytest.fixture(scope="module")
def dann() -> DannPredictor:
    if not (PROJECT_DIR / "models" / "dann" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
    model = load_model("dann")
    assert isinstance(model, DannPredictor)
    return model


def test_the_map_is_of_the_network_that_ships_and_holds_no_feature(dann):
    found = load_map()
    assert found.dann == weights_of(dann)
    assert not set(found.points.columns) & set(FEATURE_NAMES)
    assert found.points["id"].is_unique and found.error < 0.05


@pytest.mark.parametrize("label", ["excitatory", "inhibitory"])
def test_a_classs_median_cell_lies_among_cells_of_its_class(dann, label):
    found = load_map()
    (place,) = found.place(dann, np.median(class_values("mouse", label), axis=0)[None])
    mice = found.points[found.points["species"] == "mouse"]
    near = np.linalg.norm(mice[["x", "y"]].to_numpy(dtype=float) - place, axis=1).argsort()[:15]
    assert (mice["truth"].iloc[near] == label).mean() > 0.8


def test_a_placing_network_learns_a_smooth_map():
    z = np.random.default_rng(0).normal(size=(300, 3))
    points = np.column_stack([z[:, 0] * 10 + 3, z[:, 1] - z[:, 2]])
    layers = _network(z, points, 400)
    found = Map(load_map().points, "", 0.0, np.zeros(3), np.ones(3), layers).place_features(z)
    assert np.corrcoef(found[:, 0], points[:, 0])[0, 1] > 0.95


def test_files_that_are_no_map_are_refused(tmp_path):
    (tmp_path / "map.json").write_text(json.dumps({"points": []}))
    with pytest.raises(ModelFileError, match="Restore them"):
        load_map(tmp_path / "map.json", tmp_path / "map.safetensors")
