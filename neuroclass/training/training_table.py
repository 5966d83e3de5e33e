"""Training cells prepared once for the models of every feature set."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.cohort.splits import donor_folds
from neuroclass.errors import CohortError
from neuroclass.predictors.class_mixtures import ClassMixtures
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.foundation import SPECIES, Foundation
from neuroclass.predictors.preprocess import CLIP, Preprocessor
from neuroclass.predictors.voices import BROAD, SUBCLASS
from neuroclass.training.crossfit import prototypes
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers, Mask, Names

if TYPE_CHECKING:
    from neuroclass.cohort.cohort import Cohort

N_FOLDS = 5
_MOST_COMPONENTS = 3
_CELLS_A_COMPONENT = 40
_MIXTURE_RIDGE = 0.02


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
    species: Names
    donors: Names
    folds: Integers
    foundation: Foundation
    fold_shapes: tuple[Mapping[str, ClassShapes], ...]

    def components(self, species: str) -> Integers:
        """Position of each cell's component of its species' class shapes; −1 for cells of the other species."""
        task = SUBCLASS if species == Species.MOUSE else BROAD
        return np.where(self.species == species, self.truth[task], -1)


def training_table(cohort: "Cohort", seed: int = 0) -> TrainingTable:
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
        f"{mouse.sum()} mouse and {human.sum()} human cells",
    )
    apart = tuple(_shapes(z, truth, species, folds != fold) for fold in range(N_FOLDS))
    return TrainingTable(z, truth, species, cells.column("donor").astype(str), folds, foundation, apart)


def fit_mixtures(table: TrainingTable, seed: int = 0) -> ClassMixtures:
    """Mixtures of up to three normals for each class of each species, mouse first."""
    from sklearn.mixture import GaussianMixture

    parts: list[tuple[int, Floats, Floats, Floats]] = []
    counts: list[int] = []
    for species in SPECIES:
        component = table.components(species)
        for k in range(component.max() + 1):
            cells = table.z[component == k]
            n = int(np.clip(len(cells) // _CELLS_A_COMPONENT, 1, _MOST_COMPONENTS))
            fitted = GaussianMixture(n, reg_covar=_MIXTURE_RIDGE, n_init=3, random_state=seed).fit(cells)
            parts.append((len(counts), fitted.weights_, fitted.means_, fitted.covariances_))
            counts.append(len(cells))
    return ClassMixtures(
        np.concatenate([np.full(len(weights), number) for number, weights, _, _ in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        np.concatenate([part[3] for part in parts]),
        np.array(counts),
    )


def drawn_table(foundation: Foundation, mixtures: ClassMixtures, seed: int = 0) -> TrainingTable:
    """Stand-ins for the training cells, drawn from their mixtures; each is a donor of its own."""
    z, group = mixtures.sample(seed)
    z = np.clip(z, -CLIP, CLIP)
    n_mouse = len(TASK_CLASSES[SUBCLASS])
    mouse = group < n_mouse
    truth = {
        BROAD: np.where(mouse, np.minimum(group, 1), group - n_mouse),
        SUBCLASS: np.where(mouse, group, -1),
    }
    species = np.where(mouse, Species.MOUSE.value, Species.HUMAN.value).astype(str)
    folds = np.random.default_rng(seed).permutation(len(z)) % N_FOLDS
    apart = tuple(_shapes(z, truth, species, folds != fold) for fold in range(N_FOLDS))
    donors = np.arange(len(z)).astype(str)
    source = replace(foundation, source=f"{len(z)} stand-ins drawn from mixtures of normals of {foundation.source}")
    return TrainingTable(z, truth, species, donors, folds, source, apart)


def _folds(cells: "Cohort", label: str, seed: int) -> Integers:
    result = np.full(len(cells), -1)
    for fold in donor_folds(cells, label, N_FOLDS, seed=seed):
        result[fold.test] = fold.number
    return result


def _shapes(z: Floats, truth: Mapping[str, Integers], species: Names,
            kept: Mask) -> dict[str, ClassShapes]:  # fmt: skip
    result = {}
    for name in SPECIES:
        rows = kept & (species == name)
        task = SUBCLASS if name == Species.MOUSE else BROAD
        result[name] = ClassShapes.fit(z[rows], truth[task][rows], len(TASK_CLASSES[task]))
    return result


def _checksum(z: Floats, truth: Mapping[str, Integers], species: Names) -> str:
    digest = hashlib.sha256(np.round(z, 6).tobytes())
    for task in sorted(truth):
        digest.update(truth[task].tobytes())
    digest.update("".join(name[0] for name in species).encode())
    return digest.hexdigest()[:16]
