"""Trained models on disk: ``weights.safetensors`` beside ``card.json``; mismatching files are rejected."""

import hashlib
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from neuroclass.config import MODELS_DIR
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.io.atomic import write_atomically
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.human_subclass import HumanSubclassPredictor
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.predictor import Predictor

WEIGHTS_FILE = "weights.safetensors"
CARD_FILE = "card.json"
FORMAT = 1
DO_NOT_FIT = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What rebuilding a model raises where its files do not fit each other."""
UNKNOWN = ("scaler.mean",)
"""NaN there for features that no training cell had."""

AnyPredictor = TypeVar("AnyPredictor", bound=Predictor)

PREDICTORS: dict[str, type[Predictor]] = {
    kind.spec.name: kind for kind in (DannPredictor, LspinPredictor, HumanSubclassPredictor)
}


def save_model(model: Predictor, folder: Path, card: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write a model's weights and card.

    Parameters
    ----------
    model : Predictor
        The model.
    folder : Path
        Made where it does not exist.
    card : mapping, optional
        What else the card should say.

    Returns
    -------
    dict
        The card as written.
    """
    blob = _blob(model)
    whole = {
        "format": FORMAT,
        "model": model.name,
        "features": list(FEATURE_NAMES),
        "units": {spec.name: spec.unit for spec in FEATURES},
        "classes": list(model.classes),
        "architecture": dict(model.architecture),
        **model.card,
        **(card or {}),
        "weights_sha256": hashlib.sha256(blob).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / WEIGHTS_FILE, blob)
    write_atomically(folder / CARD_FILE, (json.dumps(whole, indent=2, ensure_ascii=False) + "\n").encode())
    return whole


def _blob(model: Predictor) -> bytes:
    return save_arrays({name: np.ascontiguousarray(value) for name, value in sorted(model.arrays().items())})


def read_card(folder: Path) -> dict[str, Any]:
    """Read a model's card.

    Parameters
    ----------
    folder : Path
        The model's folder.

    Returns
    -------
    dict

    Raises
    ------
    ModelFileError
        If there is none or it is not JSON.
    """
    path = folder / CARD_FILE
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(
            f"{path} cannot be read ({error}). Restore the shipped model or train one: python -m neuroclass train."
        ) from error
    if not isinstance(card, dict):
        raise ModelFileError(
            f"{path} holds a {type(card).__name__}; expected a JSON object. Restore the shipped model."
        )
    return card


def weights_of(model: Predictor) -> str:
    """SHA-256 of a loaded model's weights, as on its card where it was loaded from files."""
    return str(model.card.get("weights_sha256") or hashlib.sha256(_blob(model)).hexdigest())


def refuse_not_finite(arrays: Mapping[str, npt.NDArray[np.generic]], unknown: Collection[str] = ()) -> None:
    """Raise ValueError if an array of numbers holds NaN or infinity, except NaN in those of `unknown` names."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all() and (name not in unknown or np.isinf(array).any()):
            raise ValueError(f"{name} holds values that are not finite")


def stamp_of(folder: Path) -> str:
    """Changes whenever a file below a folder of models is replaced, added or removed."""
    found = []
    for path in sorted(folder.rglob("*")):
        with suppress(OSError):  # replaced or removed just now, so the next stamp differs
            stat = path.stat()
            found.append((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return hashlib.sha256(repr(found).encode()).hexdigest()


def load_model(name: str, folder: Path | None = None) -> Predictor:
    """Load a shipped model, or one from another folder.

    Parameters
    ----------
    name : str
        ``dann``, ``lspin`` or ``human-subclass``.
    folder : Path, optional
        Folder of models, each in a folder of its own name; the shipped ones by default.

    Returns
    -------
    Predictor

    Raises
    ------
    ModelFileError
        If files are missing or damaged, or were made for other features, classes or weights.
    """
    folder = (folder or MODELS_DIR) / name
    if name not in PREDICTORS:
        raise ModelFileError(f"There is no model {name!r}; expected one of {', '.join(PREDICTORS)}.")
    card = read_card(folder)
    _check_card(card, name, folder)
    return predictor_from(PREDICTORS[name], folder, card)


def predictor_from(kind: type[AnyPredictor], folder: Path, card: Mapping[str, Any]) -> AnyPredictor:
    """Rebuild a predictor from a folder's weights and its card, whatever its features and classes.

    Raises
    ------
    ModelFileError
        If the weights are missing or damaged, or do not fit the card.
    """
    path = folder / WEIGHTS_FILE
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error}). Restore the shipped model or train one.") from error
    found = hashlib.sha256(blob).hexdigest()
    if found != card.get("weights_sha256"):
        raise ModelFileError(
            f"{path} has the SHA-256 {found[:12]}…, its card says {str(card.get('weights_sha256'))[:12]}…: the two do "
            "not belong together. Restore both from the same model."
        )
    try:
        arrays = load_arrays(blob)
        refuse_not_finite(arrays, UNKNOWN)
        return kind.from_arrays(arrays, dict(card))
    except (SafetensorError, *DO_NOT_FIT) as error:
        raise ModelFileError(f"{path} does not fit its card ({error}). Restore both from the same model.") from error


def load_human_subclass(folder: Path | None = None) -> HumanSubclassPredictor:
    """Load the human subclass model.

    Parameters
    ----------
    folder : Path, optional
        Folder of models; the shipped ones by default.

    Returns
    -------
    HumanSubclassPredictor

    Raises
    ------
    ModelFileError
        See `load_model`.
    """
    model = load_model(HumanSubclassPredictor.spec.name, folder)
    assert isinstance(model, HumanSubclassPredictor)
    return model


def _check_card(card: Mapping[str, Any], name: str, folder: Path) -> None:
    expected = {
        "format": FORMAT,
        "model": name,
        "features": list(FEATURE_NAMES),
        "units": {spec.name: spec.unit for spec in FEATURES},
        "classes": list(PREDICTORS[name].spec.classes),
    }
    for key, value in expected.items():
        if card.get(key) != value:
            raise ModelFileError(
                f"The card in {folder} says {key} = {str(card.get(key))[:80]}; expected {str(value)[:80]}. The model "
                "was made for other data: restore the shipped one or train again."
            )
