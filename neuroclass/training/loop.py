"""The training loop: the same for every network."""

import copy
import math
from collections.abc import Callable

import torch
from torch import nn

from neuroclass.config import OptimiserSettings
from neuroclass.training.batches import Batch, BatchMaker
from neuroclass.training.losses import LossTerms

StepLoss = Callable[[Batch, float], LossTerms]
Listener = Callable[[int, int, dict[str, float]], None]


def _learning_rate(progress: float, settings: OptimiserSettings) -> float:
    """Linear warm-up over the first twentieth, then a cosine to zero."""
    warm = min(1.0, progress / 0.05)
    return settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * progress))


def run_training(
    net: nn.Module,
    batches: BatchMaker,
    loss: StepLoss,
    settings: OptimiserSettings,
    listener: Listener | None = None,
) -> list[dict[str, float]]:
    """Train in place; the net ends in evaluation mode with the running average of its weights.

    Parameters
    ----------
    net : Module
        All members.
    batches : BatchMaker
        Source of batches.
    loss : callable
        (batch, progress 0–1) → `LossTerms`.
    settings : OptimiserSettings
        Steps, rate, decay, averaging.
    listener : callable, optional
        Called as (epoch, of, terms) after each epoch.

    Returns
    -------
    list of dict
        Terms at each epoch's last step.
    """
    parameters = list(net.parameters())
    optimiser = torch.optim.AdamW(parameters, weight_decay=settings.weight_decay)
    average = copy.deepcopy(net)
    history = []
    net.train()
    for step in range(settings.steps):
        progress = step / settings.steps
        for group in optimiser.param_groups:
            group["lr"] = _learning_rate(progress, settings)
        terms = loss(batches.draw(settings.batch_cells), progress)
        optimiser.zero_grad(set_to_none=True)
        terms.total.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        _update_average(average, net, min(settings.averaging, (step + 1) / (step + 10)))
        if (step + 1) % settings.steps_an_epoch == 0 or step + 1 == settings.steps:
            history.append(terms.floats())
            if listener:
                listener(len(history), math.ceil(settings.steps / settings.steps_an_epoch), history[-1])
    net.load_state_dict(average.state_dict())
    net.eval()
    return history


@torch.no_grad()
def _update_average(average: nn.Module, net: nn.Module, keep: float) -> None:
    for mean, value in zip(average.parameters(), net.parameters(), strict=True):
        mean.lerp_(value, 1 - keep)
    for kept, buffer in zip(average.buffers(), net.buffers(), strict=True):
        kept.copy_(buffer)
