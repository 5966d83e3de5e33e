"""Trained models that are replaced on disk while a server runs."""

import shutil
from pathlib import Path

import pytest

from neuroclass.config import MODELS_DIR
from neuroclass.io.artifacts import load_model, save_model


def copy_of_models(folder: Path) -> Path:
    """Copy the shipped models, without their reports, into a folder; skips where they are not built yet."""
    if not (MODELS_DIR / "lspin" / "weights.safetensors").is_file():
        pytest.skip("the shipped models are not here")
    for name in ("dann", "lspin", "human-subclass", "feature-sets"):
        shutil.copytree(MODELS_DIR / name, folder / name, ignore=shutil.ignore_patterns("*.parquet"))
    return folder


def perturb(name: str, folder: Path) -> str:
    """Replace a network by one with other weights and return their checksum."""
    model = load_model(name, folder)
    shifted = {name: array + array.dtype.type(array.dtype.kind == "f") / 100 for name, array in model.arrays().items()}
    changed = type(model).from_arrays(shifted, model.card)
    return str(save_model(changed, folder / name)["weights_sha256"])
