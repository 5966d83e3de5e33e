"""The training loop: the same for every network."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from neuroclass.config import OptimiserSettings
from neuroclass.training.batches import Batch, BatchMaker
from neuroclass.training.losses import LossTerms
from neuroclass.types.progress import EPOCH, Progress, ProgressCallback, ignore_progress

StepLoss = Callable[[Batch, float], LossTerms]


def rate_factor(progress: float) -> float:
    """Learning rate as a fraction of the highest: linear warm-up over the first twentieth, then a cosine to zero."""
    warm = min(1.0, progress / 0.05)
    return warm * 0.5 * (1 + math.cos(math.pi * progress))


def averaged(net: nn.Module, averaging: float) -> AveragedModel:
    """The running average of a net's weights, begun at its initial ones.

    After step k, 1, 2, …, the share min(averaging, k / (k + 9)) of the average is kept.
    """

    def average(mean: Tensor, value: Tensor, n_averaged: Tensor | int) -> Tensor:
        step = int(n_averaged)
        return torch.lerp(mean, value, 1 - min(averaging, step / (step + 9)))

    result = AveragedModel(net, avg_fn=average)
    result.update_parameters(net)
    return result


def run_training(
    net: nn.Module,
    batches: BatchMaker,
    loss: StepLoss,
    settings: OptimiserSettings,
    progress: ProgressCallback = ignore_progress,
) -> list[dict[str, float]]:
    """Train in place; the net ends in evaluation mode with the running average of its weights.

    Parameters
    ----------
    net : Module
        All members.
    batches : BatchMaker
        Source of batches.
    loss : callable
        (batch, share of training done, 0–1) → `LossTerms`.
    settings : OptimiserSettings
        Steps, rate, decay, averaging.
    progress : ProgressCallback
        Called after each epoch with its terms.

    Returns
    -------
    list of dict
        Terms at each epoch's last step.
    """
    optimiser = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = LambdaLR(optimiser, lambda step: rate_factor(step / settings.steps))
    average = averaged(net, settings.averaging)
    n_epochs = math.ceil(settings.steps / settings.steps_an_epoch)
    history = []
    net.train()
    for step in range(settings.steps):
        terms = loss(batches.draw(settings.batch_cells), step / settings.steps)
        optimiser.zero_grad(set_to_none=True)
        terms.total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        average.update_parameters(net)
        if (step + 1) % settings.steps_an_epoch == 0 or step + 1 == settings.steps:
            history.append(terms.floats())
            progress(Progress(EPOCH, len(history), n_epochs, history[-1]))
    net.load_state_dict(average.module.state_dict())
    net.eval()
    return history
