"""Models of feature sets on disk: a foundation, and for each set its arrays beside a card.

``foundation.safetensors`` and ``foundation.json``, then ``<set>.safetensors`` and ``<set>.json``, where the name is the
set's 41 digits as a hexadecimal number. Every card holds its arrays' checksum.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import DO_NOT_FIT, refuse_not_finite
from neuroclass.io.atomic import write_atomically
from neuroclass.predictors.class_mixtures import ClassMixtures
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.feature_set import FeatureSetModel
from neuroclass.predictors.foundation import SPECIES, Foundation, digits_of
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.predictors.voices import BROAD, SUBCLASS, VOICES
from neuroclass.types.arrays import Mask

FOUNDATION = "foundation"
FORMAT = 1
_BACKGROUND = "background"
_RESTORE = "Restore the built-in models, or fit them again: python -m neuroclass train feature-sets."

Arrays = Mapping[str, npt.NDArray[np.generic]]


def file_name(present: Mask) -> str:
    """Name of a set's files, without suffix."""
    return f"{int(digits_of(present), 2):011x}"


def present_of(name: str) -> Mask:
    """The features of a set, shape (41,), from the name of its files."""
    return np.array([digit == "1" for digit in f"{int(name, 16):0{len(FEATURE_NAMES)}b}"])


def save_foundation(foundation: Foundation, mixtures: ClassMixtures, folder: Path) -> None:
    """Write what all sets share."""
    arrays: dict[str, npt.NDArray[np.generic]] = {**foundation.preprocessor.arrays(), **mixtures.arrays()}
    arrays[_BACKGROUND] = foundation.background
    for species, shapes in foundation.shapes.items():
        arrays |= {f"{species}.{name}": value for name, value in shapes.arrays().items()}
    card = {"training": foundation.training, "source": foundation.source, "all_features": list(FEATURE_NAMES)}
    _write(folder, FOUNDATION, arrays, card)


def load_foundation(folder: Path) -> tuple[Foundation, ClassMixtures]:
    """Read what all sets share.

    Raises
    ------
    ModelFileError
        If files are missing or damaged, or were made for other features.
    """
    arrays, card = _read(folder, FOUNDATION)
    if card.get("all_features") != list(FEATURE_NAMES):
        raise ModelFileError(f"The models in {folder} were made for other features than this version's. {_RESTORE}")
    try:
        shapes = {
            species: ClassShapes.from_arrays(
                {k.removeprefix(f"{species}."): v for k, v in arrays.items() if k.startswith(f"{species}.")}
            )
            for species in SPECIES
        }
        foundation = Foundation(
            Preprocessor.from_arrays(arrays),
            shapes,
            np.asarray(arrays[_BACKGROUND], dtype=np.float64),
            str(card["training"]),
            str(card["source"]),
        )
        return foundation, ClassMixtures.from_arrays(arrays)
    except DO_NOT_FIT as error:
        raise ModelFileError(f"{folder / FOUNDATION} does not fit its card ({error}). {_RESTORE}") from error


def save_feature_set(model: FeatureSetModel, folder: Path) -> None:
    """Write the models of one set."""
    present = np.zeros(len(FEATURE_NAMES), dtype=bool)
    present[model.columns] = True
    _write(folder, file_name(present), model.arrays(), model.card())


def checksum(model: FeatureSetModel) -> str:
    """SHA-256 of a set's arrays, as in its card."""
    return hashlib.sha256(_blob(model.arrays())).hexdigest()


def load_feature_set(folder: Path, present: Mask, foundation: Foundation) -> FeatureSetModel:
    """Read the models of one set.

    Raises
    ------
    ModelFileError
        If files are missing or damaged, or belong to other training cells or features.
    """
    name = file_name(present)
    arrays, card = _read(folder, name)
    if card.get("training") != foundation.training:
        raise ModelFileError(f"{folder / name} was fitted to other training cells than its foundation. {_RESTORE}")
    try:
        model = FeatureSetModel.from_arrays(arrays, card, foundation)
    except DO_NOT_FIT as error:
        raise ModelFileError(f"{folder / name} does not fit its card ({error}). {_RESTORE}") from error
    columns = np.flatnonzero(present)
    if not np.array_equal(model.columns, columns) or card.get("features") != [FEATURE_NAMES[k] for k in columns]:
        raise ModelFileError(f"{folder / name} holds models of other features than its name says. {_RESTORE}")
    if set(model.voices) != {(task, voice) for task in (BROAD, SUBCLASS) for voice in VOICES}:
        raise ModelFileError(f"{folder / name} lacks one of DANN's and LSPIN's two voices. {_RESTORE}")
    if not set(SPECIES) <= set(model.thresholds) & set(model.strangeness) & set(model.held_out):
        raise ModelFileError(f"{folder / name} lacks the figures of a species, {' or '.join(SPECIES)}. {_RESTORE}")
    return model


def _blob(arrays: Arrays) -> bytes:
    return save_arrays({key: np.ascontiguousarray(value) for key, value in sorted(arrays.items())})


def _write(folder: Path, name: str, arrays: Arrays, card: Mapping[str, Any]) -> None:
    blob = _blob(arrays)
    whole = {"format": FORMAT, **card, "sha256": hashlib.sha256(blob).hexdigest()}
    write_atomically(folder / f"{name}.safetensors", blob)
    write_atomically(folder / f"{name}.json", (json.dumps(whole, indent=1, ensure_ascii=False) + "\n").encode())


def _read(folder: Path, name: str) -> tuple[Arrays, dict[str, Any]]:
    path = folder / f"{name}.safetensors"
    try:
        card = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        blob = path.read_bytes()
        arrays = load_arrays(blob)
    except (OSError, RecursionError, ValueError, SafetensorError) as error:
        raise ModelFileError(f"{path} cannot be read ({error}). {_RESTORE}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise ModelFileError(f"The card of {path} has another format than {FORMAT}. {_RESTORE}")
    if hashlib.sha256(blob).hexdigest() != card.get("sha256"):
        raise ModelFileError(f"{path} and its card do not belong together: the checksums differ. {_RESTORE}")
    try:
        refuse_not_finite(arrays)
    except ValueError as error:
        raise ModelFileError(f"{path}: {error}. {_RESTORE}") from error
    return arrays, card
