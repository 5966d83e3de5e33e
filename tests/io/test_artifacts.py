"""Models survive disk unchanged; strangers are refused."""

import hashlib
import json

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from neuroclass.config import DannSettings, LspinSettings, OptimiserSettings
from neuroclass.errors import ModelFileError
from neuroclass.io.artifacts import load_model, save_model
from neuroclass.training.fit_dann import train_dann
from neuroclass.training.fit_lspin import train_lspin
from tests.planted import planted_cohort

SHORT = OptimiserSettings(steps=5, batch_cells=64)


@pytest.fixture(scope="module")
def models():
    cohort = planted_cohort(200)
    return {
        "dann": train_dann(cohort, DannSettings(n_members=2, inner_folds=2, optimiser=SHORT)),
        "lspin": train_lspin(cohort, LspinSettings(n_members=2, inner_folds=2, optimiser=SHORT)),
    }


@pytest.fixture
def folder(models, tmp_path):
    for name, model in models.items():
        save_model(model, tmp_path / name, {"seeds": [0]})
    return tmp_path


@pytest.mark.parametrize("name", ["dann", "lspin"])
def test_saved_model_answers_as_before(models, folder, name):
    x = planted_cohort(30, seed=3).matrix()
    x[::2, 5:25] = np.nan
    species = ["mouse", "human"] * 15
    before, after = models[name], load_model(name, folder)
    assert np.array_equal(before.predict_proba(x, species), after.predict_proba(x, species))
    assert before.prediction_set(x, species) == after.prediction_set(x, species)
    assert np.array_equal(before.typicality_of(x), after.typicality_of(x))
    assert np.array_equal(before.background, after.background)
    assert after.card["seeds"] == [0]


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("features", ["a"], "features"),
        ("classes", ["inhibitory", "excitatory"], "classes"),
        ("format", 99, "format"),
        ("weights_sha256", "0" * 64, "SHA-256"),
        ("architecture", {"n_members": 3}, "does not fit"),
        ("units", {}, "units"),
    ],
)
def test_a_card_that_disagrees_is_refused(folder, key, value, found):
    path = folder / "dann" / "card.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ModelFileError, match=found):
        load_model("dann", folder)


def rewritten(folder, name: str, value: float) -> None:
    """One weight of a network replaced, with the right checksum on the card."""
    path = folder / "weights.safetensors"
    arrays = load_arrays(path.read_bytes())
    key = next(one for one in sorted(arrays) if one.startswith(name) and arrays[one].dtype.kind == "f")
    arrays[key] = arrays[key].copy()
    arrays[key].flat[0] = value
    path.write_bytes(save_arrays(arrays))
    card = json.loads((folder / "card.json").read_text())
    card["weights_sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("of", ["net.", "background", "scaler.scale"])
def test_weights_that_are_no_numbers_are_refused_whatever_their_checksum(folder, value, of):
    rewritten(folder / "dann", of, value)
    with pytest.raises(ModelFileError, match=f"{of}.*not finite"):
        load_model("dann", folder)


@pytest.mark.parametrize("name", ["dann", "lspin"])
@pytest.mark.parametrize("hidden", [[], [0], [-1], ["a"], None, 7, {}, [[1]], [10**12]])
def test_an_architecture_that_cannot_be_built_is_refused(folder, name, hidden):
    path = folder / name / "card.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps({**card, "architecture": {**card["architecture"], "hidden": hidden}}))
    with pytest.raises(ModelFileError, match="does not fit its card"):
        load_model(name, folder)


@pytest.mark.parametrize("card", ["[" * 100_000, '{"a":' * 100_000, "\x00", "NaN", '{"architecture": ' + "[" * 9000])
def test_a_card_that_nests_without_end_is_refused(folder, card):
    (folder / "dann" / "card.json").write_text(card)
    with pytest.raises(ModelFileError, match=r"cannot be read|holds a float"):
        load_model("dann", folder)


def test_damaged_or_absent_files_are_refused(folder):
    weights = folder / "dann" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    with pytest.raises(ModelFileError, match="SHA-256"):
        load_model("dann", folder)
    weights.unlink()
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_model("dann", folder)
    (folder / "lspin" / "card.json").write_text("[1")
    with pytest.raises(ModelFileError, match="cannot be read"):
        load_model("lspin", folder)
    with pytest.raises(ModelFileError, match="no model"):
        load_model("svm", folder)


@pytest.mark.parametrize("name", ["dann", "lspin"])
def test_shipped_model_loads_and_gives_probabilities(name):
    model = load_model(name)
    x = np.full((3, 41), np.nan)
    x[1:] = planted_cohort(2).matrix()
    p = model.predict_proba(x)
    assert np.allclose(p.sum(1), 1)
    assert np.isfinite(p).all()
