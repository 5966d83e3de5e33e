"""Training cells prepared once for the models of every feature set."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import donor_folds
from neuroclass.errors import CohortError
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.feature_set import SPECIES, Foundation
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.predictors.voices import BROAD, SUBCLASS
from neuroclass.training.crossfit import prototypes
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers

N_FOLDS = 5


@dataclass(frozen=True)
class TrainingTable:
    """Labelled cells of both species.

    Attributes
    ----------
    z : ndarray, shape (n_cells, 41)
        Standardised, completed features.
    truth : mapping of task to ndarray of int, shape (n_cells,)
        Position of the class; −1 where unknown: human cells have no subclass.
    species : ndarray of str, shape (n_cells,)
        Of each cell.
    donors : ndarray of str, shape (n_cells,)
        Of each cell.
    folds : ndarray of int, shape (n_cells,)
        Donor group with which the cell is held out, 0 … 4.
    foundation : Foundation
        Preprocessor and class shapes of all these cells.
    fold_shapes : tuple of mapping of species to ClassShapes
        Class shapes without the cells of each fold.
    """

    z: Floats
    truth: Mapping[str, Integers]
    species: "np.ndarray[tuple[int, ...], np.dtype[np.str_]]"
    donors: "np.ndarray[tuple[int, ...], np.dtype[np.str_]]"
    folds: Integers
    foundation: Foundation
    fold_shapes: tuple[Mapping[str, ClassShapes], ...]

    def components(self, species: str) -> Integers:
        """Position of each cell's component of its species' class shapes; −1 for cells of the other species."""
        task = SUBCLASS if species == Species.MOUSE else BROAD
        return np.where(self.species == species, self.truth[task], -1)


def training_table(cohort: Cohort, seed: int = 0) -> TrainingTable:
    """Prepare a cohort.

    Parameters
    ----------
    cohort : Cohort
        Cells; mouse cells without subclass and human cells without broad class are left out.
    seed : int
        Of the folds and prototypes.

    Raises
    ------
    CohortError
        If a species is missing, or a class has cells of fewer than five donors.
    """
    frame = cohort.frame
    mouse = (frame["species"] == Species.MOUSE).to_numpy() & frame[SUBCLASS].notna().to_numpy()
    human = (frame["species"] == Species.HUMAN).to_numpy() & frame[BROAD].notna().to_numpy()
    if not mouse.any() or not human.any():
        raise CohortError(
            f"{cohort.source} has {mouse.sum()} labelled mouse and {human.sum()} labelled human cells; the models need "
            "both. Load both tables of the database."
        )
    parts = [cohort.take(np.flatnonzero(mouse)), cohort.take(np.flatnonzero(human))]
    folds = np.concatenate([_folds(parts[0], SUBCLASS, seed), _folds(parts[1], BROAD, seed)])
    cells = cohort.take(np.concatenate([np.flatnonzero(mouse), np.flatnonzero(human)]))
    preprocessor = Preprocessor.fit(parts[0].matrix())
    z = preprocessor(cells.matrix())[0]
    truth = {task: class_numbers(cells, task, TASK_CLASSES[task]) for task in (BROAD, SUBCLASS)}
    truth[SUBCLASS] = np.where(cells.column("species") == Species.MOUSE, truth[SUBCLASS], -1)
    species = cells.column("species").astype(str)
    kept = np.ones(len(z), dtype=bool)
    foundation = Foundation(
        preprocessor,
        _shapes(z, truth, species, kept),
        prototypes(z, species, seed),
        _checksum(z, truth, species),
        f"{mouse.sum()} mouse and {human.sum()} human cells of {cohort.source}",
    )
    apart = tuple(_shapes(z, truth, species, folds != fold) for fold in range(N_FOLDS))
    return TrainingTable(z, truth, species, cells.column("donor").astype(str), folds, foundation, apart)


def _folds(cells: Cohort, label: str, seed: int) -> Integers:
    result = np.full(len(cells), -1)
    for fold in donor_folds(cells, label, N_FOLDS, seed=seed):
        result[fold.test] = fold.number
    return result


def _shapes(z: Floats, truth: Mapping[str, Integers], species: "np.ndarray[tuple[int, ...], np.dtype[np.str_]]",
            kept: "np.ndarray[tuple[int, ...], np.dtype[np.bool_]]") -> dict[str, ClassShapes]:  # fmt: skip
    result = {}
    for name in SPECIES:
        rows = kept & (species == name)
        task = SUBCLASS if name == Species.MOUSE else BROAD
        result[name] = ClassShapes.fit(z[rows], truth[task][rows], len(TASK_CLASSES[task]))
    return result


def _checksum(
    z: Floats, truth: Mapping[str, Integers], species: "np.ndarray[tuple[int, ...], np.dtype[np.str_]]"
) -> str:
    digest = hashlib.sha256(np.round(z, 6).tobytes())
    for task in sorted(truth):
        digest.update(truth[task].tobytes())
    digest.update("".join(name[0] for name in species).encode())
    return digest.hexdigest()[:16]
