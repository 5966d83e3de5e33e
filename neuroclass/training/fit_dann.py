"""Train DANN: an ensemble whose members each leave out one donor group, which then serves calibration."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from neuroclass.cell_types import Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import DannSettings
from neuroclass.nets.dann import Dann
from neuroclass.nets.gradient_reversal import reversal_schedule
from neuroclass.predictors.calibration import Calibration
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.label_shift import adapt_to_proportions
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.predictors.typicality import Typicality
from neuroclass.training.batches import Batch, BatchMaker, TrainingCells, as_tensor
from neuroclass.training.crossfit import calibrate, held_out_by, hide_features, inner_folds, prototypes
from neuroclass.training.learning_cells import LearningCells
from neuroclass.training.loop import StepLoss, run_training
from neuroclass.training.losses import LossTerms, cross_entropy
from neuroclass.training.observe import ObservedCells, Outputs, observer
from neuroclass.training.targets import balanced_weights, class_numbers, soft_targets
from neuroclass.training.watch import UNWATCHED, Observe, Watch
from neuroclass.types.arrays import Floats, Integers, Names
from neuroclass.types.models import DANN
from neuroclass.types.progress import ProgressCallback, ignore_progress

DOMAINS = tuple(species.value for species in Species)


def domain_names(domains: Names) -> tuple[str, ...]:
    """Mouse, human and every other domain, such as a laboratory; without any species, just the domains there are."""
    found = sorted(set(domains) - set(DOMAINS))
    return (*DOMAINS, *found) if set(domains) & set(DOMAINS) else tuple(found)


def _numbers(domains: Names, names: tuple[str, ...]) -> Integers:
    return np.array([names.index(name) for name in domains], dtype=np.int64)


def _loss(net: Dann, settings: DannSettings, n_domains: int) -> StepLoss:
    def loss(batch: Batch, done: float) -> LossTerms:
        x = batch.x.expand(settings.n_members, -1, -1)
        output = net(x, reversal_schedule(done, settings.reversal))
        label = cross_entropy(output.label, batch.targets, batch.label_weights)
        species = one_hot(batch.domains, n_domains).to(batch.x.dtype)
        domain = cross_entropy(output.domain, species, batch.domain_weights)
        return LossTerms(total=(label + domain).mean(), label=label.mean(), domain=domain.mean())

    return loss


def _class_shares(cells: LearningCells, preprocessor: Preprocessor, settings: DannSettings) -> Floats:
    """Class probabilities of each cell, shape (n_cells, n_classes): the label's, else those of a net without adversary.

    The latter are corrected for the class proportions of their species, which may be another than the labelled one.
    """
    shares = np.eye(len(cells.classes))[np.maximum(cells.truth, 0)]
    known = cells.truth >= 0
    if known.all() or not settings.reversal:
        return shares
    prior = shares[known].mean(0)
    plain = _fit(cells, preprocessor, replace(settings, reversal=0.0), shares * known[:, None], ignore_progress)
    for name in np.unique(cells.species[~known]):
        rows = np.flatnonzero(~known & (cells.species == name))
        posteriors = plain.predict_proba(cells.x[rows], [name] * len(rows))
        shares[rows] = adapt_to_proportions(posteriors, prior)[0]
    return shares


@torch.inference_mode()
def _run(net: nn.Module, x: Tensor, present: Tensor) -> Outputs:  # noqa: ARG001
    """The net as it predicts; points are the first member's features, the only ones its adversary sees."""
    assert isinstance(net, Dann)
    output = net(x.expand(next(net.parameters()).shape[0], -1, -1))
    return Outputs(output.label, output.features[0], domains=output.domain)


def _observer(
    cohort: Cohort, settings: DannSettings, preprocessor: Preprocessor, names: tuple[str, ...], watch: Watch
) -> Observe:
    def observed(cells: Cohort) -> ObservedCells:
        z, present = preprocessor(cells.matrix())
        truth = class_numbers(cells, DANN.task, DANN.classes)
        domains = np.array([names.index(name) if name in names else -1 for name in cells.domains()], dtype=np.int64)
        return ObservedCells(cells.column("id"), z, present, truth, domains)

    validation = None if watch.validation is None else observed(watch.validation)
    return observer(_run, DANN.classes, observed(cohort), validation, watch, settings.optimiser.n_epochs)


def train_dann(
    cohort: Cohort,
    settings: DannSettings,
    progress: ProgressCallback = ignore_progress,
    watch: Watch = UNWATCHED,
) -> DannPredictor:
    """Train DANN on every cell of a cohort.

    The adversary sees each class of each species with the same total weight: class proportions differ
    between the species (77% spiny human cells, 49% mouse), so that aligning the plain marginals would move
    excitatory onto inhibitory cells. Cells without a class take part in the adversary only, with the class
    probabilities that the same networks give them when trained without adversary.

    Parameters
    ----------
    cohort : Cohort
        Training cells; ``broad`` may be None.
    settings : DannSettings
        Architecture and training.
    progress : ProgressCallback
        Called after each epoch; see `run_training`.
    watch : Watch
        Where the state is kept, and which cells judge; nothing beyond the losses is noted without one.

    Returns
    -------
    DannPredictor

    Raises
    ------
    CohortError
        If some class has cells of one donor only.
    """
    cells = LearningCells(
        cohort.matrix(),
        class_numbers(cohort, DANN.task, DANN.classes),
        DANN.classes,
        inner_folds(cohort, DANN.task, settings.inner_folds, settings.seed),
        cohort.column("species"),
        cohort.domains(),
    )
    preprocessor = Preprocessor.fit(cells.x)
    observe = (
        None if watch is UNWATCHED else _observer(cohort, settings, preprocessor, domain_names(cells.domains), watch)
    )
    return fit_dann(cells, preprocessor, settings, progress, watch, observe)


def fit_dann(
    cells: LearningCells,
    preprocessor: Preprocessor,
    settings: DannSettings,
    progress: ProgressCallback = ignore_progress,
    watch: Watch = UNWATCHED,
    observe: Observe | None = None,
    *,
    biased: bool = True,
) -> DannPredictor:
    """Train DANN on cells of any features, classes and domains; see `train_dann`.

    Parameters
    ----------
    cells : LearningCells
        Training cells.
    preprocessor : Preprocessor
        Fitted on them.
    settings : DannSettings
        Architecture and training.
    progress, watch, observe
        See `run_training`.
    biased : bool
        See `Calibration.fit`.

    Returns
    -------
    DannPredictor
    """
    shares = _class_shares(cells, preprocessor, settings)
    return _fit(cells, preprocessor, settings, shares, progress, watch, observe, biased=biased)


def _fit(
    cells: LearningCells,
    preprocessor: Preprocessor,
    settings: DannSettings,
    shares: Floats,
    progress: ProgressCallback,
    watch: Watch = UNWATCHED,
    observe: Observe | None = None,
    *,
    biased: bool = True,
) -> DannPredictor:
    names, n_classes = domain_names(cells.domains), len(cells.classes)
    domains = _numbers(cells.domains, names)
    standardised = preprocessor.standardise(cells.x)
    z, present = preprocessor.complete(standardised)
    held_by = held_out_by(cells.folds, settings.n_members)
    training = TrainingCells(
        x=as_tensor(z),
        present=as_tensor(present),
        targets=as_tensor(soft_targets(cells.truth, n_classes, settings.smoothing)),
        domains=torch.as_tensor(domains),
        label_weights=as_tensor(cells.truth >= 0),
        domain_weights=as_tensor(balanced_weights(domains, shares)),
    )
    architecture: dict[str, Any] = {
        "n_members": settings.n_members,
        "n_inputs": z.shape[1],
        "hidden": list(settings.hidden),
        "n_classes": n_classes,
        "n_domains": len(names),
        "dropout": settings.dropout,
    }
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        net = Dann(**architecture)
        batches = BatchMaker(training, ~held_by, preprocessor, settings.augment, settings.mixup, settings.seed)
        run_training(net, batches, _loss(net, settings, len(names)), settings.optimiser, progress, watch, observe)
    held_out = hide_features(standardised, settings.augment, settings.seed)
    model = DannPredictor(
        name=DANN.name,
        classes=cells.classes,
        net=net,
        architecture=architecture,
        preprocessor=preprocessor,
        calibration=Calibration.none(n_classes),
        typicality_scale=Typicality.fit(held_out.z, preprocessor),
        background=prototypes(z, cells.species, settings.seed),
    )
    return calibrate(model, held_out, held_by, cells.truth, cells.species, biased=biased)
