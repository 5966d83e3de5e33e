"""Models of feature sets survive disk, and files that do not fit are refused with advice."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES, Stimulus
from neuroclass.io.feature_sets import (
    FOUNDATION,
    checksum,
    file_name,
    load_feature_set,
    load_foundation,
    present_of,
    save_feature_set,
    save_foundation,
)
from tests import shipped

SMALL = shipped.of_stimuli(Stimulus.RAMP)
NAME = file_name(SMALL)
ADVICE = "train feature-sets"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The foundation and one small set, to be damaged."""
    for name in (FOUNDATION, NAME):
        for suffix in (".json", ".safetensors"):
            shutil.copy(shipped.library().folder / f"{name}{suffix}", tmp_path)
    return tmp_path


def test_the_name_of_a_set_is_its_digits(rng):
    for present in (SMALL, rng.random(41) < 0.5, np.arange(41) == 40, np.ones(41, dtype=bool)):
        np.testing.assert_array_equal(present_of(file_name(present)), present)
    assert len({file_name(np.arange(41) == k) for k in range(41)}) == 41
    assert file_name(np.arange(41) == 40) == "00000000001"


def test_every_shipped_file_names_its_features_and_loads():
    library = shipped.library()
    assert len(library.shipped) == 34
    for present in library.shipped:
        model = load_feature_set(library.folder, present, library.foundation)
        np.testing.assert_array_equal(model.columns, np.flatnonzero(present))
        card = json.loads((library.folder / f"{file_name(present)}.json").read_text())
        assert card["features"] == [FEATURE_NAMES[k] for k in model.columns]
        assert checksum(model) == card["sha256"]


def test_a_saved_set_gives_identical_answers(tmp_path):
    foundation, mixtures = shipped.base()
    model = shipped.library().model_for(shipped.LONG_SQUARE)
    save_foundation(foundation, mixtures, tmp_path)
    save_feature_set(model, tmp_path)
    loaded_foundation, loaded_mixtures = load_foundation(tmp_path)
    again = load_feature_set(tmp_path, shipped.LONG_SQUARE, loaded_foundation)
    z = shipped.only(shipped.drawn("mouse")[0][:40], shipped.LONG_SQUARE)
    for species in (["mouse"] * 40, ["human"] * 40, ["unknown"] * 40):
        before, after = model.judge(z, species), again.judge(z, species)
        for name in ("broad", "subclass", "home", "excitatory"):
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
        np.testing.assert_array_equal(again.typicality(z, species), model.typicality(z, species))
        np.testing.assert_array_equal(again.gates(z, species), model.gates(z, species))
        for task in ("broad", "subclass"):
            limits = [one.limits_of(task, species, before.home, 0.9) for one in (model, again)]
            np.testing.assert_array_equal(*limits)
    assert again.held_out == model.held_out
    for found, expected in zip(loaded_mixtures.sample(1), mixtures.sample(1), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_writing_twice_gives_the_same_bytes(tmp_path):
    model = shipped.library().model_for(SMALL)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        save_feature_set(model, tmp_path / name)
    for suffix in (".json", ".safetensors"):
        first, second = ((tmp_path / name / f"{NAME}{suffix}").read_bytes() for name in ("a", "b"))
        assert first == second


def edited(change: Callable[[dict], object]) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        path = folder / f"{NAME}.json"
        card = json.loads(path.read_text())
        change(card)
        path.write_text(json.dumps(card))

    return edit


def flipped(folder: Path) -> None:
    path = folder / f"{NAME}.safetensors"
    blob = bytearray(path.read_bytes())
    blob[-1] ^= 1
    path.write_bytes(bytes(blob))


def not_finite(folder: Path, prefix: str) -> None:
    """A value replaced by NaN, with the right checksum on the card."""
    arrays = load_arrays((folder / f"{NAME}.safetensors").read_bytes())
    key = next(one for one in sorted(arrays) if one.startswith(prefix))
    arrays[key] = arrays[key].copy()
    arrays[key].flat[0] = np.nan
    blob = save_arrays(arrays)
    (folder / f"{NAME}.safetensors").write_bytes(blob)
    edited(lambda card: card.update(sha256=hashlib.sha256(blob).hexdigest()))(folder)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "weights missing": lambda folder: (folder / f"{NAME}.safetensors").unlink(),
    "card missing": lambda folder: (folder / f"{NAME}.json").unlink(),
    "weights cut short": lambda folder: (folder / f"{NAME}.safetensors").write_bytes(
        (folder / f"{NAME}.safetensors").read_bytes()[:2000]
    ),
    "weights empty": lambda folder: (folder / f"{NAME}.safetensors").write_bytes(b""),
    "one bit": flipped,
    "card cut short": lambda folder: (folder / f"{NAME}.json").write_text('{"format": 1,'),
    "card is a list": lambda folder: (folder / f"{NAME}.json").write_text("[]"),
    "card in latin-1": lambda folder: (folder / f"{NAME}.json").write_bytes(b"\xff\xfe{}"),
    "another format": edited(lambda card: card.update(format=99)),
    "other training cells": edited(lambda card: card.update(training="0123456789abcdef")),
    "no checksum": edited(lambda card: card.pop("sha256")),
    "no voices": edited(lambda card: card.pop("voices")),
    "a voice missing": edited(lambda card: card["voices"].update({"broad.home": {}})),
    "another architecture": edited(lambda card: card["voices"]["broad.home"]["architecture"].update(hidden=[7])),
    "an unknown argument": edited(lambda card: card["voices"]["broad.home"]["architecture"].update(depth=3)),
    "an odd voice": edited(lambda card: card["voices"].update(odd={})),
    "a voice left out": edited(lambda card: card["voices"].pop("subclass.away")),
    "a species without threshold": edited(lambda card: card["thresholds"].pop("human")),
    "voices as a list": edited(lambda card: card.update(voices=[])),
    "other features": edited(lambda card: card.update(features=card["features"][::-1])),
    "a card that nests without end": lambda folder: (folder / f"{NAME}.json").write_text("[" * 100_000),
    "no hidden layer": edited(lambda card: card["voices"]["broad.home"]["architecture"].update(hidden=[])),
    "a hidden layer too large": edited(
        lambda card: card["voices"]["broad.away"]["architecture"].update(hidden=[10**12])
    ),
    "an architecture that is none": edited(lambda card: card["voices"]["broad.home"].update(architecture=None)),
    "a weight that is no number": lambda folder: not_finite(folder, "net."),
    "a limit that is no number": lambda folder: not_finite(folder, "limits."),
    "no figures": edited(lambda card: card.pop("held_out")),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damaged_files_are_refused_with_advice(what, folder):
    load_feature_set(folder, SMALL, shipped.library().foundation)
    DAMAGE[what](folder)
    with pytest.raises(ModelFileError, match=ADVICE) as caught:
        load_feature_set(folder, SMALL, shipped.library().foundation)
    assert NAME in str(caught.value)


def test_a_set_of_another_name_is_refused(folder):
    """Files copied to the name of another set would judge cells by features that they lack."""
    other = shipped.of_stimuli(Stimulus.SHORT_SQUARE)
    for suffix in (".json", ".safetensors"):
        (folder / f"{NAME}{suffix}").rename(folder / f"{file_name(other)}{suffix}")
    with pytest.raises(ModelFileError, match=ADVICE):
        load_feature_set(folder, other, shipped.library().foundation)


def test_a_set_of_another_foundation_is_refused(folder):
    other = replace(shipped.library().foundation, training="another")
    with pytest.raises(ModelFileError, match=f"other training cells.*{ADVICE}"):
        load_feature_set(folder, SMALL, other)


def test_a_foundation_of_other_features_is_refused(folder):
    path = folder / f"{FOUNDATION}.json"
    card = json.loads(path.read_text())
    card["all_features"] = card["all_features"][::-1]
    path.write_text(json.dumps(card))
    with pytest.raises(ModelFileError, match=f"other features.*{ADVICE}"):
        load_foundation(folder)


def test_a_missing_foundation_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match=ADVICE):
        load_foundation(tmp_path)
