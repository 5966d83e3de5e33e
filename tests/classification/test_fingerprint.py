"""The fingerprint names everything that an answer depends on; a verdict names the models that judged it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neuroclass.classification.classify import classify_input
from neuroclass.classification.fingerprint import fingerprint
from neuroclass.classification.inputs import CellInput, InputFile
from neuroclass.classification.metadata import CellMetadata
from neuroclass.classification.models import load_models
from neuroclass.classification.result import CellVerdict
from neuroclass.cohort.demo import load_demo
from neuroclass.ephys.conditions import Conditions
from neuroclass.features import FEATURE_NAMES, Stimulus
from neuroclass.io.artifacts import read_card
from neuroclass.io.channels import ChannelMapping
from neuroclass.io.feature_sets import checksum, file_name
from neuroclass.predictors.priors import Prior
from tests.replaced import copy_of_models, perturb

PLAIN = CellMetadata("mouse")
VARIANTS = (
    CellMetadata(),
    CellMetadata("human"),
    CellMetadata("mouse", {"seal_gohm": 2.0}),
    CellMetadata("mouse", {"seal_gohm": np.nextafter(2.0, 3.0)}),
    CellMetadata("mouse", {"access_resistance": 2.0}),
    CellMetadata("mouse", mapping=ChannelMapping(stimulus_unit="nA")),
    CellMetadata("mouse", assignments={(1, 0): Stimulus.RAMP}),
    CellMetadata("mouse", assignments={(1, 0): None}),
    CellMetadata("mouse", assignments={(0, 1): None}),
    CellMetadata("mouse", without_sweeps=frozenset({0})),
    CellMetadata("mouse", without_sweeps=frozenset({0, 1})),
    CellMetadata("mouse", conditions=Conditions(temperature_c=25.0)),
    CellMetadata("mouse", conditions=Conditions(temperature_c=25.0, correct_temperature=True)),
    CellMetadata("mouse", prior=Prior({"Sst": 2.0})),
)


def test_every_part_of_the_metadata_changes_it_and_their_order_does_not():
    found = [fingerprint(metadata=one) for one in (PLAIN, *VARIANTS)]
    assert len(set(found)) == len(found)
    both = ({"seal_gohm": 1.0, "access_resistance": 2.0}, {"access_resistance": 2.0, "seal_gohm": 1.0})
    assert len({fingerprint(metadata=CellMetadata("mouse", entered)) for entered in both}) == 1


def test_content_names_and_the_division_into_files_change_it(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    inputs = [
        CellInput.single("a", b"1"),
        CellInput.single("a", b"2"),
        CellInput.single("b", b"1"),
        CellInput((InputFile("a", b"1"), InputFile("b", b"1"))),
        CellInput((InputFile("b", b"1"), InputFile("a", b"1"))),
        CellInput((InputFile("a + b", b"1"),)),
        CellInput((InputFile("a", b"1"),), "cell"),
    ]
    assert len({fingerprint(inputs=one) for one in inputs}) == len(inputs)
    assert fingerprint(inputs=CellInput.single("a", tmp_path / "a")) == fingerprint(inputs=inputs[0])


def test_features_species_and_the_version_of_the_software_change_it(monkeypatch):
    found = {
        fingerprint(features={"tau": 1.0}, species="mouse"),
        fingerprint(features={"tau": 1.0}, species="human"),
        fingerprint(features={"tau": 1.5}, species="mouse"),
        fingerprint(features={"sag": 1.0}, species="mouse"),
    }
    monkeypatch.setattr("neuroclass.classification.fingerprint.__version__", "another")
    found.add(fingerprint(features={"tau": 1.0}, species="mouse"))
    assert len(found) == 5
    with pytest.raises(TypeError, match="object has no fingerprint"):
        fingerprint(what=object())


def test_a_cohort_counts_by_its_cells():
    cells = load_demo()
    changed = replace(cells, frame=cells.frame.assign(tau=cells.frame["tau"] + 1e-9))
    assert fingerprint(cells=cells) == fingerprint(cells=replace(cells)) != fingerprint(cells=changed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped models that a test may change."""
    return copy_of_models(tmp_path / "models")


def cell(species: str) -> CellInput:
    frame = load_demo().frame
    row = frame[frame["species"] == species].head(1)[["id", "species", *FEATURE_NAMES]]
    return CellInput.single("cell.csv", row.to_csv(index=False).encode())


def verdict(species: str, folder: Path) -> CellVerdict:
    (found,) = classify_input(cell(species), models_folder=folder, reasons=False)
    assert isinstance(found, CellVerdict)
    return found


def test_a_verdict_names_the_models_that_judged_it(folder):
    mouse, human = verdict("mouse", folder), verdict("human", folder)
    cards = {name: read_card(folder / name)["weights_sha256"] for name in ("dann", "lspin", "human-subclass")}
    assert {name: mouse.models[name] for name in ("dann", "lspin")} == {n: cards[n] for n in ("dann", "lspin")}
    assert "human-subclass" not in mouse.models
    assert human.models["human-subclass"] == cards["human-subclass"]
    models = load_models(folder)
    present = np.array([name in mouse.features for name in FEATURE_NAMES])
    library = models.dann.predictor.models
    assert mouse.models["training"] == library.foundation.training
    assert mouse.models["feature-set"] == checksum(library.model_for(present))
    served = folder / "feature-sets" / f"{file_name(library.served_by(present))}.json"
    assert json.loads(served.read_text())["sha256"] == mouse.models["feature-set"]
    named = mouse.to_json()["models"]
    assert {key: digits for key, digits in named.items() if key not in ("broad", "subclass")} == mouse.models
    assert named["subclass"] == {
        "name": "lspin",
        "id": "shipped",
        "system": "lspin",
        "sha256": mouse.models["feature-set"],
    }
    assert human.to_json()["models"]["subclass"]["sha256"] == cards["human-subclass"]


def test_replaced_files_are_noticed_and_the_old_verdict_keeps_its_models(folder):
    before, models = verdict("mouse", folder), load_models(folder)
    assert load_models(folder) is models
    stated = models.version
    replaced = perturb("lspin", folder)
    assert models.version == stated
    after = load_models(folder)
    assert after is not models
    assert fingerprint(models=after) != fingerprint(models=models)
    now = verdict("mouse", folder)
    assert (now.models["lspin"], before.models["lspin"]) == (replaced, models.weights["lspin"])
    assert now.fingerprint != before.fingerprint


def test_a_replaced_feature_set_is_another_version_of_the_models(folder):
    models = load_models(folder)
    present = np.array([name in verdict("mouse", folder).features for name in FEATURE_NAMES])
    name = file_name(models.dann.predictor.models.served_by(present))
    path = folder / "feature-sets" / f"{name}.json"
    path.write_text(path.read_text().rstrip() + "\n\n")
    after = load_models(folder)
    assert after.weights["feature-sets"] != models.weights["feature-sets"]
    assert after.version != models.version
