"""Class shapes: they come back as written, damaged or foreign files are refused, those that ship fit the tables."""

import json
from pathlib import Path

import numpy as np
import pytest

from neuroclass.cell_types import BROAD_ORDER, SUBCLASS_ORDER
from neuroclass.errors import CohortError, ModelFileError
from neuroclass.reference.shapes import GROUPS, build_shapes, load_shapes, write_shapes
from tests.planted import planted_cohort


@pytest.fixture(scope="module")
def fitted():
    return build_shapes(planted_cohort(600, human_share=0.3))


def test_shapes_come_back_as_written(fitted, tmp_path: Path):
    path = tmp_path / "shapes.safetensors"
    write_shapes(fitted, "planted", path)
    for species, task in GROUPS:
        found, expected = load_shapes(species, task, path), fitted[species, task]
        assert found.classes == expected.classes
        assert np.allclose(found.shapes.means, expected.shapes.means, atol=1e-6)
        assert np.allclose(found.shapes.covariances, expected.shapes.covariances, atol=1e-5)
        assert np.allclose(found.preprocessor.scale, expected.preprocessor.scale, rtol=1e-6)
    assert load_shapes("mouse", path=path).classes == SUBCLASS_ORDER
    assert load_shapes("human", path=path).classes == BROAD_ORDER


def test_files_that_do_not_fit_are_refused(fitted, tmp_path: Path):
    path = tmp_path / "shapes.safetensors"
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_shapes("mouse", path=path)
    write_shapes(fitted, "planted", path)
    with pytest.raises(ModelFileError, match="no subclass classes of 'human'"):
        load_shapes("human", "subclass", path)
    card = path.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | {"features": ["width"]}))
    with pytest.raises(ModelFileError, match="the card's features"):
        load_shapes("mouse", "broad", path)
    write_shapes(fitted, "planted", path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelFileError, match="the card's sha256"):
        load_shapes("mouse", "subclass", path)


def test_a_class_of_few_cells_has_no_covariance():
    with pytest.raises(CohortError, match="too few for a covariance"):
        build_shapes(planted_cohort(60))


def test_the_shapes_that_ship_are_those_of_the_tables(real_cohort):
    for key, expected in build_shapes(real_cohort).items():
        found = load_shapes(*key)
        assert found.classes == expected.classes
        assert np.array_equal(found.shapes.counts, expected.shapes.counts)
        assert np.allclose(found.shapes.means, expected.shapes.means, atol=1e-4)
        assert np.allclose(found.shapes.covariances, expected.shapes.covariances, atol=1e-4)
