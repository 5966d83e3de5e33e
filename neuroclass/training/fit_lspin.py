"""Train LSPIN: an ensemble whose members each have gates of their own, drawn towards each other by one term.

The consensus of the gates takes effect in prediction only. Each member leaves out one donor group of the training
cells, which then serves calibration.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import LspinSettings
from neuroclass.nets.lspin import Lspin
from neuroclass.nets.stochastic_gates import expected_open, gate_values, similarity_penalty
from neuroclass.predictors.calibration import Calibration
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.predictors.typicality import Typicality
from neuroclass.training.batches import Batch, BatchMaker, TrainingCells, as_tensor
from neuroclass.training.crossfit import calibrate, held_out_by, hide_features, inner_folds, prototypes
from neuroclass.training.learning_cells import LearningCells
from neuroclass.training.loop import StepLoss, run_training
from neuroclass.training.losses import LossTerms, cross_entropy
from neuroclass.training.observe import ObservedCells, Outputs, observer
from neuroclass.training.targets import class_numbers, soft_targets
from neuroclass.training.watch import UNWATCHED, Observe, Watch
from neuroclass.types.arrays import Floats, Mask
from neuroclass.types.models import LSPIN
from neuroclass.types.progress import ProgressCallback, ignore_progress


def _loss(net: Lspin, settings: LspinSettings) -> StepLoss:
    members = settings.n_members

    def loss(batch: Batch, done: float) -> LossTerms:
        x, present = batch.x.expand(members, -1, -1), batch.present.expand(members, -1, -1)
        output = net(x, present, agree=False)
        label = cross_entropy(output.logits, batch.targets, batch.label_weights)
        n_open = (expected_open(output.alpha) * present).sum(-1).mean(1)
        weight = settings.gate_penalty * min(1.0, done / settings.penalty_ramp)
        noiseless = gate_values(output.alpha)
        spread = ((noiseless - noiseless.mean(0)) ** 2 * present).sum(-1).mean(1)
        total = (label + weight * n_open + settings.agreement * spread).mean()
        terms = LossTerms(total=total, label=label.mean(), gate_penalty=n_open.mean(), agreement=spread.mean())
        if not settings.similarity:
            return terms
        similarity = similarity_penalty(output.gates, x).mean()
        return replace(terms, total=total + settings.similarity * similarity, similarity=similarity)

    return loss


def fit_gates(
    z: Floats,
    present: Mask,
    targets: Floats,
    held_by: Mask,
    preprocessor: Preprocessor,
    settings: LspinSettings,
    weights: Floats | None = None,
    progress: ProgressCallback = ignore_progress,
    watch: Watch = UNWATCHED,
    observe: Observe | None = None,
) -> tuple[Lspin, dict[str, Any]]:
    """Train the networks alone.

    Parameters
    ----------
    z, present : ndarray, shape (n_cells, 41)
        Standardised, completed features, and which were measured.
    targets : ndarray, shape (n_cells, n_classes)
        Class probabilities.
    held_by : ndarray of bool, shape (n_members, n_cells)
        Which member may not see which cell.
    preprocessor : Preprocessor
        Fitted on the cells.
    settings : LspinSettings
        Architecture and training.
    weights : ndarray, shape (n_cells,), optional
        Of the cells; 1 by default.
    progress : ProgressCallback
        Called after each epoch.
    watch, observe
        See `run_training`.

    Returns
    -------
    net : Lspin
        In evaluation mode.
    architecture : dict
        Arguments that rebuild it.
    """
    n_cells, n_classes = targets.shape
    cells = TrainingCells(
        x=as_tensor(z),
        present=as_tensor(present),
        targets=as_tensor(targets),
        domains=torch.zeros(n_cells, dtype=torch.long),
        label_weights=torch.ones(n_cells) if weights is None else as_tensor(weights),
        domain_weights=torch.ones(n_cells),
    )
    architecture: dict[str, Any] = {
        "n_members": settings.n_members,
        "n_features": z.shape[1],
        "n_classes": n_classes,
        "gating": list(settings.gating),
        "prediction": list(settings.prediction),
        "consensus": settings.consensus,
        "dropout": settings.dropout,
    }
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        net = Lspin(**architecture)
        batches = BatchMaker(cells, ~held_by, preprocessor, settings.augment, settings.mixup, settings.seed)
        run_training(net, batches, _loss(net, settings), settings.optimiser, progress, watch, observe)
    return net, architecture


@torch.inference_mode()
def _run(net: nn.Module, x: Tensor, present: Tensor) -> Outputs:
    """The net as it predicts: all members see the consensus of the gates."""
    assert isinstance(net, Lspin)
    members = next(net.parameters()).shape[0]
    output = net(x.expand(members, -1, -1), present.expand(members, -1, -1), agree=True)
    return Outputs(output.logits, output.logits.log_softmax(-1).mean(0), output.gates[0])


def _observed(cohort: Cohort, preprocessor: Preprocessor) -> ObservedCells:
    z, present = preprocessor(cohort.matrix())
    truth = class_numbers(cohort, LSPIN.task, LSPIN.classes)
    return ObservedCells(cohort.column("id"), z, present, truth, np.zeros(len(cohort), dtype=np.int64))


def _observer(cohort: Cohort, settings: LspinSettings, preprocessor: Preprocessor, watch: Watch) -> Observe:
    validation = None if watch.validation is None else _observed(watch.validation, preprocessor)
    n_epochs = settings.optimiser.n_epochs
    return observer(_run, LSPIN.classes, _observed(cohort, preprocessor), validation, watch, n_epochs)


def train_lspin(
    cohort: Cohort,
    settings: LspinSettings,
    progress: ProgressCallback = ignore_progress,
    watch: Watch = UNWATCHED,
) -> LspinPredictor:
    """Train LSPIN on every labelled cell of a cohort.

    Parameters
    ----------
    cohort : Cohort
        Training cells; those without a ``subclass`` are left out.
    settings : LspinSettings
        Architecture and training.
    progress : ProgressCallback
        Called after each epoch; see `run_training`.
    watch : Watch
        Where the state is kept, and which cells judge; nothing beyond the loss is noted without one.

    Returns
    -------
    LspinPredictor

    Raises
    ------
    CohortError
        If some class has cells of one donor only.
    """
    cohort = cohort.labelled(LSPIN.task)
    cells = LearningCells(
        cohort.matrix(),
        class_numbers(cohort, LSPIN.task, LSPIN.classes),
        LSPIN.classes,
        inner_folds(cohort, LSPIN.task, settings.inner_folds, settings.seed),
        cohort.column("species"),
        cohort.domains(),
    )
    preprocessor = Preprocessor.fit(cells.x)
    observe = None if watch is UNWATCHED else _observer(cohort, settings, preprocessor, watch)
    return fit_lspin(cells, preprocessor, settings, progress, watch, observe)


def fit_lspin(
    cells: LearningCells,
    preprocessor: Preprocessor,
    settings: LspinSettings,
    progress: ProgressCallback = ignore_progress,
    watch: Watch = UNWATCHED,
    observe: Observe | None = None,
    *,
    biased: bool = True,
) -> LspinPredictor:
    """Train LSPIN on cells of any features and classes.

    Parameters
    ----------
    cells : LearningCells
        Training cells.
    preprocessor : Preprocessor
        Fitted on them.
    settings : LspinSettings
        Architecture and training.
    progress, watch, observe
        See `run_training`.
    biased : bool
        See `Calibration.fit`.

    Returns
    -------
    LspinPredictor
    """
    standardised = preprocessor.standardise(cells.x)
    z, present = preprocessor.complete(standardised)
    held_by = held_out_by(cells.folds, settings.n_members)
    targets = soft_targets(cells.truth, len(cells.classes), settings.smoothing)
    net, architecture = fit_gates(
        z, present, targets, held_by, preprocessor, settings, progress=progress, watch=watch, observe=observe
    )
    held_out = hide_features(standardised, settings.augment, settings.seed)
    model = LspinPredictor(
        name=LSPIN.name,
        classes=cells.classes,
        net=net,
        architecture=architecture,
        preprocessor=preprocessor,
        calibration=Calibration.none(len(cells.classes)),
        typicality_scale=Typicality.fit(held_out.z, preprocessor),
        background=prototypes(z, cells.species, settings.seed),
    )
    return calibrate(model, held_out, held_by, cells.truth, cells.species, biased=biased)
