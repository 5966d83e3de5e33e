"""Train LSPIN: first each member with gates of its own, then the prediction networks behind the consensus.

Each member leaves out one donor group of the training cells, which then serves calibration.
"""

from typing import Any

import numpy as np
import torch

from neuroclass.cell_types import SUBCLASS_ORDER
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import LspinSettings
from neuroclass.features import FEATURE_NAMES
from neuroclass.nets.lspin import Lspin
from neuroclass.nets.stochastic_gates import expected_open, gate_values, similarity_penalty
from neuroclass.predictors.calibration import Calibration
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.predictors.typicality import Typicality
from neuroclass.training.batches import Batch, BatchMaker, TrainingCells, as_tensor
from neuroclass.training.crossfit import calibrate, hide_features, inner_folds, prototypes
from neuroclass.training.loop import Listener, StepLoss, run_training
from neuroclass.training.losses import LossTerms, cross_entropy
from neuroclass.training.targets import class_numbers, soft_targets


def _loss(net: Lspin, settings: LspinSettings) -> StepLoss:
    members = settings.n_members

    def loss(batch: Batch, progress: float) -> LossTerms:
        agree = progress >= settings.consensus_from
        x, present = batch.x.expand(members, -1, -1), batch.present.expand(members, -1, -1)
        output = net(x, present, agree)
        label = cross_entropy(output.logits, batch.targets, batch.label_weights)
        if agree:
            n_open = (output.gates[0] > 0).float().sum(-1).mean()
            return LossTerms(total=label.mean(), label=label.mean(), gate_penalty=n_open)
        n_open = (expected_open(output.alpha) * present).sum(-1).mean(1)
        weight = settings.gate_penalty * min(1.0, progress / settings.penalty_ramp)
        noiseless = gate_values(output.alpha)
        spread = ((noiseless - noiseless.mean(0)) ** 2 * present).sum(-1).mean(1)
        total = (label + weight * n_open + settings.agreement * spread).mean()
        if not settings.similarity:
            return LossTerms(total=total, label=label.mean(), gate_penalty=n_open.mean())
        similarity = similarity_penalty(output.gates, x)
        total = total + settings.similarity * similarity.mean()
        return LossTerms(total=total, label=label.mean(), gate_penalty=n_open.mean(), similarity=similarity.mean())

    return loss


def train_lspin(cohort: Cohort, settings: LspinSettings, listener: Listener | None = None) -> LspinPredictor:
    """Train LSPIN on every labelled cell of a cohort.

    Parameters
    ----------
    cohort : Cohort
        Training cells; those without a ``subclass`` are left out.
    settings : LspinSettings
        Architecture and training.
    listener : callable, optional
        See `run_training`.

    Returns
    -------
    LspinPredictor

    Raises
    ------
    CohortError
        If some class has cells of one donor only.
    """
    cohort = cohort.labelled("subclass")
    truth = class_numbers(cohort, "subclass", SUBCLASS_ORDER)
    preprocessor = Preprocessor.fit(cohort.matrix())
    standardised = preprocessor.standardise(cohort.matrix())
    z, present = preprocessor.complete(standardised)
    numbers = inner_folds(cohort, "subclass", settings.inner_folds, settings.seed)
    n_groups = int(numbers.max()) + 1
    held_by = np.stack([numbers == member % n_groups for member in range(settings.n_members)])
    n_cells = len(cohort)
    cells = TrainingCells(
        x=as_tensor(z),
        present=as_tensor(present),
        targets=as_tensor(soft_targets(truth, len(SUBCLASS_ORDER), settings.smoothing)),
        domains=torch.zeros(n_cells, dtype=torch.long),
        label_weights=torch.ones(n_cells),
        domain_weights=torch.ones(n_cells),
    )
    architecture: dict[str, Any] = {
        "n_members": settings.n_members,
        "n_features": len(FEATURE_NAMES),
        "n_classes": len(SUBCLASS_ORDER),
        "gating": list(settings.gating),
        "prediction": list(settings.prediction),
        "consensus": settings.consensus,
        "dropout": settings.dropout,
    }
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        net = Lspin(**architecture)
        batches = BatchMaker(cells, ~held_by, preprocessor, settings.augment, settings.mixup, settings.seed)
        run_training(net, batches, _loss(net, settings), settings.optimiser, listener)
    species = cohort.column("species")
    held_out = hide_features(standardised, settings.augment, settings.seed)
    model = LspinPredictor(
        name="lspin",
        classes=SUBCLASS_ORDER,
        net=net,
        architecture=architecture,
        preprocessor=preprocessor,
        calibration=Calibration.none(len(SUBCLASS_ORDER)),
        typicality_scale=Typicality.fit(held_out.z, preprocessor),
        background=prototypes(z, species, settings.seed),
    )
    return calibrate(model, held_out, held_by, truth, species)
