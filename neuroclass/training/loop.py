"""The training loop: the same for every network."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from neuroclass.config import OptimiserSettings
from neuroclass.errors import TrainingPaused
from neuroclass.training.batches import Batch, BatchMaker
from neuroclass.training.checkpoint import Keeper, LoopState
from neuroclass.training.losses import LossTerms
from neuroclass.training.watch import UNWATCHED, Observe, Watch, best_epoch, is_over
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
    watch: Watch = UNWATCHED,
    observe: Observe | None = None,
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
        Called after each epoch with its terms; where training continues, first for each epoch done before.
    watch : Watch
        Where the state is kept, and when training stops.
    observe : callable, optional
        What else to note of each epoch.

    Returns
    -------
    list of dict
        Terms at each epoch's last step, and what was observed.

    Raises
    ------
    TrainingPaused
        If the watch says stop; the state is kept.
    """
    optimiser = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = LambdaLR(optimiser, lambda step: rate_factor(step / settings.steps))
    state = LoopState(net, optimiser, schedule, averaged(net, settings.averaging), batches)
    n_epochs = math.ceil(settings.steps / settings.steps_an_epoch)
    keeper = Keeper(watch)
    keeper.restore(state)
    for number, values in enumerate(state.history, start=1):
        progress(Progress(EPOCH, number, n_epochs, values))
    net.train()
    state.average.module.eval()
    while state.step < settings.steps and not is_over(state.history, watch.patience):
        if watch.stop():
            keeper.write(state, at_once=True)
            raise TrainingPaused(f"Paused after {state.step} of {settings.steps} steps.")
        terms = _step(state, loss, settings)
        if state.step % settings.steps_an_epoch == 0 or state.step == settings.steps:
            _end_epoch(state, terms, n_epochs, watch, observe)
            progress(Progress(EPOCH, len(state.history), n_epochs, state.history[-1]))
        keeper.write(state)
    keeper.write(state, at_once=True)
    net.load_state_dict(state.best or state.average.module.state_dict())
    net.eval()
    return state.history


def _step(state: LoopState, loss: StepLoss, settings: OptimiserSettings) -> LossTerms:
    terms = loss(state.batches.draw(settings.batch_cells), state.step / settings.steps)
    state.optimiser.zero_grad(set_to_none=True)
    terms.total.backward()  # type: ignore[no-untyped-call]
    state.optimiser.step()
    state.schedule.step()
    state.average.update_parameters(state.net)
    state.step += 1
    return terms


def _end_epoch(state: LoopState, terms: LossTerms, n_epochs: int, watch: Watch, observe: Observe | None) -> None:
    """Note the epoch, and its weights where they are the best so far and early stopping may want them."""
    number = len(state.history) + 1
    seen = observe(state.average.module, number, number == n_epochs) if observe else {}
    state.history.append({**terms.floats(), **seen})
    if watch.patience and best_epoch(state.history) == number:
        state.best = {name: value.clone() for name, value in state.average.module.state_dict().items()}
