"""Cross-fitting: held-out predictions on training cells, for calibration, with features randomly hidden."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.splits import donor_folds
from neuroclass.config import AugmentSettings
from neuroclass.errors import CohortError
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.calibration import Calibration
from neuroclass.predictors.predictor import Predictor
from neuroclass.training.augmentation import random_masks
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers, Mask

if TYPE_CHECKING:
    from neuroclass.cohort.cohort import Cohort

AnyPredictor = TypeVar("AnyPredictor", bound=Predictor)


class Fitted(Protocol):
    """A trained classifier."""

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Probabilities, shape (n_cells, n_classes)."""
        ...


_MASKED_ROUNDS = 4
_MASKS_A_ROUND = 40
_PROTOTYPES = 12


def inner_folds(cohort: "Cohort", label: str, n_folds: int, seed: int) -> Integers:
    """Number of the donor group, 0 … n_folds − 1, that each cell is held out with; −1 for unlabelled cells.

    Parameters
    ----------
    cohort : Cohort
        Training cells.
    label : str
        ``broad`` or ``subclass``.
    n_folds : int
        Groups; fewer are made where some class has fewer donors.
    seed : int
        Of the shuffle.

    Returns
    -------
    ndarray of int, shape (n_cells,)

    Raises
    ------
    CohortError
        If some class has cells of one donor only.
    """
    known = np.flatnonzero(cohort.frame[label].notna().to_numpy())
    labelled = cohort.take(known)
    n_donors = int(labelled.frame.groupby(["species", label])["donor"].nunique().min())
    if n_donors < 2:
        raise CohortError(
            f"Some class of {label} has cells of {n_donors} donor only; training needs two donors per class, so that "
            "probabilities can be calibrated. Use a larger cohort."
        )
    numbers = np.full(len(cohort), -1)
    for fold in donor_folds(labelled, label, min(n_folds, n_donors), seed=seed):
        numbers[known[fold.test]] = fold.number
    return numbers


def held_out_by(numbers: Integers, n_members: int) -> Mask:
    """Which member leaves which cell out, shape (n_members, n_cells), from the cells' donor groups."""
    n_groups = max(1, int(numbers.max()) + 1)
    return np.stack([numbers == member % n_groups for member in range(n_members)])


@dataclass(frozen=True)
class HeldOut:
    """Held-out cells with features hidden, several rounds one below the other.

    Attributes
    ----------
    z : ndarray, shape (n_rounds · n_cells, 41)
        Features, standardised unless said otherwise, NaN where missing or hidden.
    rows : ndarray of int, shape (n_rounds · n_cells,)
        Row of each in the training cohort.
    """

    z: Floats
    rows: Integers


def hide_features(z: Floats, augment: AugmentSettings, seed: int) -> HeldOut:
    """The cells as they are, and if the features are the 41, four times with stimuli and features hidden at random.

    Parameters
    ----------
    z : ndarray, shape (n_cells, 41)
        Standardised features.
    augment : AugmentSettings
        How much is hidden.
    seed : int
        Of the masks.

    Returns
    -------
    HeldOut
    """
    rng = np.random.default_rng(seed)
    rounds = [z]
    for _ in range(_MASKED_ROUNDS if z.shape[1] == len(FEATURE_NAMES) else 0):
        masks = random_masks(_MASKS_A_ROUND, augment, rng)[rng.integers(_MASKS_A_ROUND, size=len(z))]
        rounds.append(np.where(masks, z, np.nan))
    return HeldOut(np.concatenate(rounds), np.tile(np.arange(len(z)), len(rounds)))


def calibrate(
    model: AnyPredictor,
    held_out: HeldOut,
    held_by: Mask,
    truth: Integers,
    species: npt.NDArray[np.object_],
    *,
    biased: bool = True,
    by_class: bool = False,
    scaled: Mask | None = None,
) -> AnyPredictor:
    """Fit a model's calibration on what each member says of the cells it was not trained on.

    Parameters
    ----------
    model : Predictor
        The model to calibrate.
    held_out : HeldOut
        The cells.
    held_by : ndarray of bool, shape (n_members, n_training_cells)
        Which member did not see which cell.
    truth : ndarray of int, shape (n_training_cells,)
        Position of the true class; −1 for unlabelled cells, which are left out.
    species : ndarray of str, shape (n_training_cells,)
        Species of each cell.
    biased, by_class : bool
        See `Calibration.fit`.
    scaled : ndarray of bool, shape (n_training_cells,), optional
        See `Calibration.fit`.

    Returns
    -------
    Predictor
    """
    usable = (truth >= 0) & held_by.any(0)
    if not usable.any():
        return model
    chosen = usable[held_out.rows]
    rows = held_out.rows[chosen]
    completed, present = model.preprocessor.complete(held_out.z[chosen])
    weights = held_by[:, rows].astype(np.float64)
    probabilities = model.unseen_probabilities(completed, present)
    mean = (probabilities * weights[:, :, None]).sum(0) / weights.sum(0)[:, None]
    calibration = Calibration.fit(
        mean,
        model.hidden_share(present),
        truth[rows],
        species[rows].tolist(),
        biased=biased,
        by_class=by_class,
        scaled=None if scaled is None else scaled[rows],
        cells=rows,
    )
    return replace(model, calibration=calibration)


def crossfitted(
    cohort: "Cohort", label: str, fit: "Callable[[Cohort], Fitted]", n_classes: int, n_folds: int, seed: int
) -> Calibration:
    """Calibration of a system that has no members: it is fitted again without each donor group, and judges that group.

    Parameters
    ----------
    cohort : Cohort
        Training cells, all labelled.
    label : str
        ``broad`` or ``subclass``.
    fit : callable
        Cohort → classifier with uncalibrated probabilities.
    n_classes : int
        Classes of the task.
    n_folds : int
        Donor groups.
    seed : int
        Of groups and hidden features.

    Returns
    -------
    Calibration

    Raises
    ------
    CohortError
        If some class has cells of one donor only.
    """
    numbers = inner_folds(cohort, label, n_folds, seed)
    held_out = hide_features(cohort.matrix(), AugmentSettings(), seed)
    species = np.asarray(cohort.column("species"), dtype=object)
    probabilities = np.empty((len(held_out.z), n_classes))
    for number in range(int(numbers.max()) + 1):
        rows = np.flatnonzero(numbers[held_out.rows] == number)
        model = fit(cohort.take(np.flatnonzero(numbers != number)))
        probabilities[rows] = model.predict_proba(held_out.z[rows], species[held_out.rows[rows]].tolist())
    truth = class_numbers(cohort, label, TASK_CLASSES[label])[held_out.rows]
    hidden = np.isnan(held_out.z).mean(axis=1)
    return Calibration.fit(probabilities, hidden, truth, species[held_out.rows].tolist())


def prototypes(z: Floats, species: npt.NDArray[np.object_], seed: int) -> Floats:
    """Centres of k-means clusters of completed training cells, twelve per species.

    Parameters
    ----------
    z : ndarray, shape (n_cells, 41)
        Standardised, completed features.
    species : ndarray of str, shape (n_cells,)
        Species of each cell.
    seed : int
        Of k-means.

    Returns
    -------
    ndarray, shape (n_prototypes, 41)
        Means of many cells each; no cell's own values.
    """
    from sklearn.cluster import KMeans

    centres = []
    for name in sorted(set(species)):
        cells = z[species == name]
        n_clusters = max(1, min(_PROTOTYPES, len(cells) // 4))
        centres.append(KMeans(n_clusters, n_init=2, random_state=seed).fit(cells).cluster_centers_)
    return np.concatenate(centres)
