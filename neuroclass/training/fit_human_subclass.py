"""Train the human subclass model: kernel experts, boosted trees and LSPIN on the same donors, one calibration for all.

Each member leaves out one donor group of the training cells, which then serves calibration. Probabilities are scaled on
its GABAergic cells, as the excitatory ones are easy; each class has a limit of the prediction sets of its own.
"""

import numpy as np
from sklearn.covariance import ledoit_wolf

from neuroclass.cell_types import HumanSubclass, Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import HumanSubclassSettings
from neuroclass.errors import CohortError
from neuroclass.features import FEATURES
from neuroclass.nets.human_subclass import HumanSubclassNet
from neuroclass.predictors.calibration import Calibration
from neuroclass.predictors.human_subclass import COMBINATIONS, STIMULI, HumanSubclassPredictor
from neuroclass.predictors.preprocess import CLIP, Preprocessor, transform
from neuroclass.predictors.typicality import Typicality
from neuroclass.training.crossfit import HeldOut, calibrate, held_out_by, hide_features, inner_folds, prototypes
from neuroclass.training.fit_lspin import fit_gates
from neuroclass.training.human_experts import class_weights, expert_cells, fit_experts
from neuroclass.training.human_trees import fit_trees
from neuroclass.training.targets import class_numbers, soft_targets
from neuroclass.types.arrays import Floats, Mask
from neuroclass.types.models import HUMAN_SUBCLASS
from neuroclass.types.progress import ProgressCallback, ignore_progress

TASK = HUMAN_SUBCLASS.task
_LEAST_FEATURES = 3


def used_features(cohort: Cohort) -> Mask:
    """The features of `STIMULI` that some cells of every class have, shape (41,)."""
    present = np.isfinite(cohort.matrix())
    labels = cohort.column(TASK)
    everywhere = np.all([present[labels == name].any(0) for name in sorted(set(labels))], axis=0)
    return everywhere & np.array([spec.stimulus in STIMULI for spec in FEATURES])


def human_preprocessor(x: Floats, used: Mask) -> Preprocessor:
    """Scaler and imputer of the used features only.

    Parameters
    ----------
    x : ndarray, shape (n_cells, 41)
        Training cells in stored units, NaN where missing.
    used : ndarray of bool, shape (41,)
        The features to use; the others get no mean, so that they are missing once standardised.

    Returns
    -------
    Preprocessor
    """
    values = transform(x)[:, used]
    mean, scale = np.full(len(used), np.nan), np.ones(len(used))
    mean[used] = np.nanmean(values, axis=0)
    scale[used] = np.maximum(np.nanstd(values, axis=0), 1e-9)
    z = np.clip((values - mean[used]) / scale[used], -CLIP, CLIP)
    complete = z[~np.isnan(z).any(axis=1)]
    covariance = np.eye(len(used))
    covariance[np.ix_(used, used)] = ledoit_wolf(complete if len(complete) > used.sum() else np.nan_to_num(z))[0]
    return Preprocessor(mean, scale, covariance)


def _held_out(z: Floats, settings: HumanSubclassSettings) -> HeldOut:
    """The cells as they are, with each combination of stimuli alone, and with features hidden at random."""
    belongs = [np.array([spec.stimulus in stimuli for spec in FEATURES]) for stimuli in COMBINATIONS[:-1]]
    random = hide_features(z, settings.lspin.augment, settings.seed)
    rounds = [random.z, *(np.where(columns, z, np.nan) for columns in belongs)]
    rows = [random.rows, *(np.arange(len(z)) for _ in belongs)]
    both, numbers = np.concatenate(rounds), np.concatenate(rows)
    enough = np.isfinite(both).sum(1) >= _LEAST_FEATURES
    return HeldOut(both[enough], numbers[enough])


def train_human_subclass(
    cohort: Cohort,
    settings: HumanSubclassSettings,
    progress: ProgressCallback = ignore_progress,
) -> HumanSubclassPredictor:
    """Train the human subclass model.

    Parameters
    ----------
    cohort : Cohort
        From `load_human_cells`, or such: human cells with a ``human_subclass``, and mouse cells with a ``subclass``,
        of which the model learns directions only. Others are left out.
    settings : HumanSubclassSettings
        Of the experts and the gated network.
    progress : ProgressCallback
        Called after each epoch of the gated network.

    Returns
    -------
    HumanSubclassPredictor

    Raises
    ------
    CohortError
        If the cells have fewer than three common features, or some class has cells of one donor only.
    """
    human, mouse = cohort.labelled(TASK), cohort.of_species(Species.MOUSE).labelled("subclass")
    used = used_features(human)
    if used.sum() < _LEAST_FEATURES:
        raise CohortError(
            f"The cells of {cohort.source} share {int(used.sum())} features of long squares, ramps and short squares "
            f"between their classes; at least {_LEAST_FEATURES} are needed."
        )
    classes = HUMAN_SUBCLASS.classes
    truth = class_numbers(human, TASK, classes)
    preprocessor = human_preprocessor(human.matrix(), used)
    standardised = preprocessor.standardise(human.matrix())
    z, present = preprocessor.complete(standardised)
    held_by = held_out_by(inner_folds(human, TASK, settings.lspin.inner_folds, settings.seed), settings.lspin.n_members)
    targets = soft_targets(truth, len(classes), settings.lspin.smoothing)
    weights = class_weights(truth, settings.balance)
    gated, gates = fit_gates(z, present, targets, held_by, preprocessor, settings.lspin, weights, progress)
    every = expert_cells(present, preprocessor, mouse)
    experts = fit_experts(z[:, used], truth, held_by, every, settings, len(classes))
    trees = fit_trees(z[:, used], truth, held_by, every, settings, len(classes))
    sizes = ("n_experts", "n_members", "n_features", "n_waves", "n_classes")
    grown = ("n_experts", "n_members", "n_classes", "n_rounds")
    of_trees = dict(zip(grown, map(int, trees.score.shape), strict=False))
    architecture = {
        "columns": np.flatnonzero(used).tolist(),
        "experts": dict(zip(sizes, map(int, (*experts.waves.shape, len(classes))), strict=True)),
        "trees": of_trees | {"n_features": int(used.sum()), "n_inputs": int(trees.inputs.shape[-1])},
        "lspin": gates,
    }
    net = HumanSubclassNet(**architecture)
    net.experts, net.trees, net.lspin = experts, trees, gated
    net.eval()
    species = human.column("species")
    held_out = _held_out(standardised, settings)
    model = HumanSubclassPredictor(
        name=HUMAN_SUBCLASS.name,
        classes=classes,
        net=net,
        architecture=architecture,
        preprocessor=preprocessor,
        calibration=Calibration.none(len(classes)),
        typicality_scale=Typicality.fit(held_out.z, preprocessor),
        background=prototypes(z, species, settings.seed),
    )
    interneurons = truth != classes.index(HumanSubclass.GLUTAMATERGIC)
    return calibrate(model, held_out, held_by, truth, species, biased=False, by_class=True, scaled=interneurons)
