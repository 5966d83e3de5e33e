"""Class means and covariances of the database's cells, as they ship: ``models/class_shapes.safetensors``.

No cell of the real tables ships with the models; these are what a laboratory is compared with. A safetensors file holds
a scaler, an imputer and the classes of each group of cells, ``class_shapes.json`` says what they were made from.
``python -m neuroclass.reference.shapes DIR`` writes both from the tables in DIR.
"""

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.config import MODELS_DIR
from neuroclass.errors import CohortError, ModelFileError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.atomic import write_atomically
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Integers

SHAPES_FILE = MODELS_DIR / "class_shapes.safetensors"
GROUPS: tuple[tuple[str, str], ...] = (
    (Species.MOUSE.value, "subclass"),
    (Species.MOUSE.value, "broad"),
    (Species.HUMAN.value, "broad"),
)
"""Species and task of each group of cells."""

_FORMAT = 1
_LEAST_CELLS = 20


@dataclass(frozen=True)
class ReferenceShapes:
    """The classes of one species, and how its features are standardised.

    Attributes
    ----------
    classes : tuple of str
        In the order of the shapes.
    preprocessor : Preprocessor
        Fitted on the species' cells.
    shapes : ClassShapes
        Of the standardised features.
    """

    classes: tuple[str, ...]
    preprocessor: Preprocessor
    shapes: ClassShapes

    @property
    def source(self) -> str:
        """Where they come from, as display text."""
        return f"the means and covariances of {int(self.shapes.counts.sum())} cells of the Allen Cell Types Database"


def build_shapes(cohort: Cohort) -> dict[tuple[str, str], ReferenceShapes]:
    """Fit the shapes of every group in `GROUPS`.

    Parameters
    ----------
    cohort : Cohort
        The real table.

    Returns
    -------
    dict of (species, task) to ReferenceShapes

    Raises
    ------
    CohortError
        If a class has fewer than 20 cells.
    """
    return {(species, task): _fit(cohort.of_species(species), species, task) for species, task in GROUPS}


def _fit(cells: Cohort, species: str, task: str) -> ReferenceShapes:
    labelled = cells.labelled(task)
    classes = TASK_CLASSES[task]
    truth = np.array([classes.index(name) for name in labelled.column(task)], dtype=np.int64)
    counts = np.bincount(truth, minlength=len(classes))
    if counts.min() < _LEAST_CELLS:
        raise CohortError(
            f"{_smallest(counts, classes)} {species} cells are too few for a covariance; load the real tables, which "
            f"hold at least {_LEAST_CELLS} cells of each class."
        )
    preprocessor = Preprocessor.fit(cells.matrix())
    completed, _ = preprocessor(labelled.matrix())
    return ReferenceShapes(classes, preprocessor, ClassShapes.fit(completed, truth, len(classes)))


def _smallest(counts: Integers, classes: tuple[str, ...]) -> str:
    """The smallest class and its number of cells, as display text."""
    least = int(np.argmin(counts))
    return f"{int(counts[least])} {classes[least]}"


def write_shapes(fitted: Mapping[tuple[str, str], ReferenceShapes], source: str, path: Path = SHAPES_FILE) -> None:
    """Write the shapes and, beside them, a card.

    Parameters
    ----------
    fitted : mapping of (species, task) to ReferenceShapes
        From `build_shapes`.
    source : str
        Where the cells come from.
    path : Path
        The safetensors file; the card has the ending ``.json``.
    """
    arrays = {
        f"{species}.{task}.{name}": np.ascontiguousarray(value, dtype=np.float32)
        for (species, task), one in fitted.items()
        for name, value in {**one.preprocessor.arrays(), **one.shapes.arrays()}.items()
    }
    blob = save_arrays(dict(sorted(arrays.items())))
    card = {
        "format": _FORMAT,
        "about": "Means and covariances of classes in standardised features; no cell can be read from them.",
        "source": source,
        "features": list(FEATURE_NAMES),
        "groups": {
            f"{species} {task}": dict(zip(one.classes, one.shapes.counts.astype(int).tolist(), strict=True))
            for (species, task), one in fitted.items()
        },
        "sha256": hashlib.sha256(blob).hexdigest(),
    }
    write_atomically(path, blob)
    write_atomically(path.with_suffix(".json"), (json.dumps(card, indent=1) + "\n").encode())


@cache
def load_shapes(species: str, task: str = "", path: Path = SHAPES_FILE) -> ReferenceShapes:
    """Load the shapes of one species.

    Parameters
    ----------
    species : str
        ``mouse`` or ``human``.
    task : str
        ``subclass`` or ``broad``; by default the finest that the species has.
    path : Path
        The safetensors file.

    Returns
    -------
    ReferenceShapes

    Raises
    ------
    ModelFileError
        If a file is missing or damaged, was made for other features, or has no such group.
    """
    task = task or next((known for name, known in GROUPS if name == species), "")
    advice = "Restore both from the repository or make them: python -m neuroclass.reference.shapes DIR."
    try:
        blob = path.read_bytes()
        card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFileError(f"{path} or its card cannot be read ({error}). {advice}") from error
    expected = {"format": _FORMAT, "features": list(FEATURE_NAMES), "sha256": hashlib.sha256(blob).hexdigest()}
    for key, value in expected.items():
        if card.get(key) != value:
            raise ModelFileError(
                f"{path}: the card's {key} is {str(card.get(key))[:40]}, not {str(value)[:40]}. {advice}"
            )
    try:
        prefix = f"{species}.{task}."
        arrays = {
            name.removeprefix(prefix): value for name, value in load_arrays(blob).items() if name.startswith(prefix)
        }
        return ReferenceShapes(TASK_CLASSES[task], Preprocessor.from_arrays(arrays), ClassShapes.from_arrays(arrays))
    except (SafetensorError, KeyError) as error:
        raise ModelFileError(f"{path} has no {task} classes of {species!r} ({error}). {advice}") from error


if __name__ == "__main__":
    cells = load_cohort(Path(sys.argv[1]))
    write_shapes(build_shapes(cells), cells.source)
