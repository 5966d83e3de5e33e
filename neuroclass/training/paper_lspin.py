"""LSPIN by the paper's recipe: one network, tanh throughout, plain gradient descent on the whole training set.

References
----------
.. [1] Ophir, Shefi, Lindenbaum, arXiv:2306.00528, 2023, and its public code's hyper-parameters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neuroclass.cohort.cohort import Cohort
from neuroclass.nets.lspin import Lspin
from neuroclass.nets.stochastic_gates import expected_open
from neuroclass.predictors.calibration import Calibration
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.predictors.typicality import Typicality
from neuroclass.training.batches import as_tensor
from neuroclass.training.crossfit import prototypes
from neuroclass.training.losses import LossTerms, cross_entropy
from neuroclass.training.targets import class_numbers, soft_targets
from neuroclass.types.models import LSPIN
from neuroclass.types.progress import EPOCH, Progress, ProgressCallback, ignore_progress


@dataclass(frozen=True)
class PaperSettings:
    """Published hyper-parameters.

    Attributes
    ----------
    gating, prediction : tuple of int
        Units of the hidden layers of both networks.
    gate_penalty : float
        Weight of the mean probability that a gate is not shut.
    learning_rate : float
        Of plain gradient descent.
    steps : int
        Full-batch steps.
    initial_sd : float
        Standard deviation of the initial weights.
    """

    gating: tuple[int, ...] = (50, 50, 50)
    prediction: tuple[int, ...] = (40, 20)
    gate_penalty: float = 0.01047
    learning_rate: float = 0.0599
    steps: int = 1000
    initial_sd: float = 0.1


AfterStep = Callable[[int, Lspin, LossTerms], None]


def _nothing(step: int, net: Lspin, terms: LossTerms) -> None:
    """Discard what a step tells."""


def fit_paper_net(
    x: Tensor, present: Tensor, targets: Tensor, settings: PaperSettings, seed: int, after: AfterStep = _nothing
) -> tuple[Lspin, dict[str, Any]]:
    """Train the paper's network on standardised features.

    Parameters
    ----------
    x, present : Tensor, shape (n_cells, n_features)
        Standardised features; 1 where one was measured.
    targets : Tensor, shape (n_cells, n_classes)
        Class probabilities.
    settings : PaperSettings
        Layers, penalty, rate and number of steps.
    seed : int
        Of weights and gates' noise.
    after : callable
        Called after each step with its number from 1, the network and the loss terms; must draw no random numbers.

    Returns
    -------
    net : Lspin
        Trained, in evaluation mode.
    architecture : dict
        Arguments that rebuild it.
    """
    architecture: dict[str, Any] = {
        "n_members": 1,
        "n_features": x.shape[1],
        "n_classes": targets.shape[1],
        "gating": list(settings.gating),
        "prediction": list(settings.prediction),
        "normalise": True,
        "bounded": True,
        "sd": settings.initial_sd,
    }
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = Lspin(**architecture)
        optimiser = torch.optim.SGD(net.parameters(), lr=settings.learning_rate)
        for step in range(1, settings.steps + 1):
            output = net(x[None], present[None], agree=False)
            label = cross_entropy(output.logits, targets).sum()
            n_open = expected_open(output.alpha).mean()
            terms = LossTerms(label + settings.gate_penalty * n_open, label, gate_penalty=n_open)
            optimiser.zero_grad()
            terms.total.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            after(step, net, terms)
    return net.eval(), architecture


def train_paper_lspin(cohort: Cohort, seed: int, progress: ProgressCallback = ignore_progress) -> LspinPredictor:
    """Train LSPIN as the paper's code does, except that the scaler knows training cells only.

    Parameters
    ----------
    cohort : Cohort
        Training cells; those without a ``subclass`` are left out.
    seed : int
        Of weights and gates' noise.
    progress : ProgressCallback
        Called every 20 steps with the loss terms.

    Returns
    -------
    LspinPredictor
        Uncalibrated; its penalty is a mean over features, so most gates stay open.
    """
    settings = PaperSettings()
    cohort = cohort.labelled(LSPIN.task)
    preprocessor = Preprocessor.fit(cohort.matrix())
    z, present = preprocessor(cohort.matrix())
    n_classes = len(LSPIN.classes)
    targets = as_tensor(soft_targets(class_numbers(cohort, LSPIN.task, LSPIN.classes), n_classes, 0.0))

    def report(step: int, _: Lspin, terms: LossTerms) -> None:
        if step % 20 == 0:
            progress(Progress(EPOCH, step // 20, settings.steps // 20, terms.floats()))

    net, architecture = fit_paper_net(as_tensor(z), as_tensor(present), targets, settings, seed, report)
    return LspinPredictor(
        name=LSPIN.name,
        classes=LSPIN.classes,
        net=net,
        architecture=architecture,
        preprocessor=preprocessor,
        calibration=Calibration.none(n_classes),
        typicality_scale=Typicality.fit(preprocessor.standardise(cohort.matrix()), preprocessor),
        background=prototypes(z, np.asarray(cohort.column("species")), seed),
    )
