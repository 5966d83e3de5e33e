"""Trained models on disk: ``weights.safetensors`` beside ``card.json``; mismatching files are rejected.

An estimator's fitted part lies beside them in a file of its own, see `neuroclass.io.estimators`.
"""

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

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.config import MODELS_DIR
from neuroclass.errors import ModelFileError, UnsafeFileError
from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.io.atomic import write_atomically
from neuroclass.io.estimators import FILES, SYSTEMS, dump_estimator, load_estimator
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.estimator import EstimatorPredictor
from neuroclass.predictors.human_subclass import HumanSubclassPredictor
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.predictor import NetworkPredictor, Predictor, shared_parts

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

AnyPredictor = TypeVar("AnyPredictor", bound=NetworkPredictor)

PREDICTORS: dict[str, type[NetworkPredictor]] = {
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
        **({"architecture": dict(model.architecture)} if isinstance(model, NetworkPredictor) else {}),
        **model.card,
        **(card or {}),
        "weights_sha256": hashlib.sha256(blob).hexdigest(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(model, EstimatorPredictor):
        file, content = dump_estimator(model.name, model.estimator)
        write_atomically(folder / file, content)
        whole |= {"task": model.task, "estimator": {"file": file, "sha256": hashlib.sha256(content).hexdigest()}}
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
            f"{path} cannot be read ({error}). Restore the built-in model or train one: python -m neuroclass train."
        ) from error
    if not isinstance(card, dict):
        raise ModelFileError(
            f"{path} holds a {type(card).__name__}; expected a JSON object. Restore the built-in model."
        )
    return card


def weights_of(model: Predictor) -> str:
    """SHA-256 of a loaded model's weights, as on its card where it was loaded from files.

    Of an estimator, over its arrays and its fitted part.
    """
    arrays = str(model.card.get("weights_sha256") or hashlib.sha256(_blob(model)).hexdigest())
    if not isinstance(model, EstimatorPredictor) or weights_on(model.card):
        return weights_on(model.card) or arrays
    return _digest(arrays, hashlib.sha256(dump_estimator(model.name, model.estimator)[1]).hexdigest())


def weights_on(card: Mapping[str, Any]) -> str:
    """`weights_of` the model that a card describes; empty where it says none."""
    arrays, fitted = str(card.get("weights_sha256") or ""), card.get("estimator")
    if not fitted or not arrays:
        return arrays
    return _digest(arrays, str(fitted.get("sha256")))


def _digest(*parts: str) -> str:
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


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
    if name not in PREDICTORS:
        raise ModelFileError(f"There is no model {name!r}; expected one of {', '.join(PREDICTORS)}.")
    folder = (folder or MODELS_DIR) / name
    return load_artifact(folder, name)


def load_artifact(folder: Path, name: str | None = None) -> Predictor:
    """Load the model of a folder, of whatever system.

    Parameters
    ----------
    folder : Path
        Holds the card.
    name : str, optional
        The model that is expected; by default the one that the card names.

    Returns
    -------
    Predictor

    Raises
    ------
    ModelFileError
        See `load_model`.
    """
    card = read_card(folder)
    name = name or str(card.get("model"))
    _check_card(card, name, folder)
    if name in PREDICTORS:
        return predictor_from(PREDICTORS[name], folder, card)
    arrays = _arrays(folder, card)
    path = folder / str((card.get("estimator") or {}).get("file"))
    try:
        return _estimator(name, path, arrays, card)
    except (UnsafeFileError, *DO_NOT_FIT) as error:
        raise _not_fitting(path, error) from error


def predictor_from(kind: type[AnyPredictor], folder: Path, card: Mapping[str, Any]) -> AnyPredictor:
    """Rebuild a predictor from a folder's weights and its card, whatever its features and classes.

    Raises
    ------
    ModelFileError
        If the weights are missing or damaged, or do not fit the card.
    """
    arrays = _arrays(folder, card)
    try:
        return kind.from_arrays(arrays, dict(card))
    except DO_NOT_FIT as error:
        raise _not_fitting(folder / WEIGHTS_FILE, error) from error


def _not_fitting(path: Path, error: Exception) -> ModelFileError:
    return ModelFileError(f"{path} does not fit its card ({error}). Restore both from the same model.")


def _arrays(folder: Path, card: Mapping[str, Any]) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of a model's folder, checked against its card."""
    path = folder / WEIGHTS_FILE
    blob = _checked_bytes(path, card.get("weights_sha256"))
    try:
        arrays: dict[str, npt.NDArray[np.generic]] = load_arrays(blob)
        refuse_not_finite(arrays, UNKNOWN)
    except (SafetensorError, *DO_NOT_FIT) as error:
        raise _not_fitting(path, error) from error
    return arrays


def _estimator(
    name: str, path: Path, arrays: dict[str, npt.NDArray[np.generic]], card: Mapping[str, Any]
) -> EstimatorPredictor:
    if path.name not in FILES:
        raise ValueError(f"it names {path.name[:40]!r}; expected {' or '.join(FILES)}")
    content = _checked_bytes(path, card["estimator"]["sha256"])
    estimator = load_estimator(name, path.name, content, len(FEATURE_NAMES), len(card["classes"]))
    return EstimatorPredictor(learned=str(card["task"]), estimator=estimator, **shared_parts(arrays, card))


def _checked_bytes(path: Path, expected: object) -> bytes:
    """A file's bytes, whose SHA-256 is the one on the card."""
    try:
        blob = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error}). Restore the built-in model or train one.") from error
    found = hashlib.sha256(blob).hexdigest()
    if found != expected:
        raise ModelFileError(
            f"{path} has the SHA-256 {found[:12]}…, its card says {str(expected)[:12]}…: the two do "
            "not belong together. Restore both from the same model."
        )
    return blob


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


def _classes_of(card: Mapping[str, Any], name: str, folder: Path) -> list[str]:
    """The classes that a model of that name must have."""
    if name in PREDICTORS:
        return list(PREDICTORS[name].spec.classes)
    task = card.get("task")
    if name not in SYSTEMS or task not in TASK_CLASSES:
        raise ModelFileError(
            f"The card in {folder} is of a model {name[:40]!r} of {str(task)[:40]!r}; expected one of "
            f"{', '.join((*PREDICTORS, *SYSTEMS))}, of {' or '.join(TASK_CLASSES)}. It was made by another program or "
            "version: train the model again with this one."
        )
    return list(TASK_CLASSES[task])


def _check_card(card: Mapping[str, Any], name: str, folder: Path) -> None:
    expected = {
        "format": FORMAT,
        "model": name,
        "features": list(FEATURE_NAMES),
        "units": {spec.name: spec.unit for spec in FEATURES},
        "classes": _classes_of(card, name, folder),
    }
    for key, value in expected.items():
        if card.get(key) != value:
            raise ModelFileError(
                f"The card in {folder} says {key} = {str(card.get(key))[:80]}; expected {str(value)[:80]}. The model "
                "was made for other data: restore the built-in one or train again."
            )
