"""The training loop: torch's schedule and average give the weights of the recipe written out step by step."""

import copy
import math

import numpy as np
import pytest
import torch

from neuroclass.config import AugmentSettings, OptimiserSettings
from neuroclass.nets.dann import Dann
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.batches import BatchMaker, TrainingCells, as_tensor
from neuroclass.training.loop import rate_factor, run_training
from neuroclass.training.losses import LossTerms, cross_entropy
from neuroclass.types.progress import Progress
from tests.planted import planted_cohort

SETTINGS = OptimiserSettings(steps=45, batch_cells=32, learning_rate=1e-2, averaging=0.9, steps_an_epoch=20)


def net_and_batches():
    """A net with dropout and two members, and its source of batches, both from a fixed seed."""
    cohort = planted_cohort(80)
    preprocessor = Preprocessor.fit(cohort.matrix())
    z, present = preprocessor(cohort.matrix())
    n = len(cohort)
    truth = (cohort.column("broad") == "inhibitory").astype(int)
    cells = TrainingCells(
        as_tensor(z), as_tensor(present), as_tensor(np.eye(2)[truth]), torch.zeros(n, dtype=torch.long),
        torch.ones(n), torch.ones(n),
    )  # fmt: skip
    torch.manual_seed(3)
    net = Dann(n_members=2, n_inputs=41, hidden=[8, 4], n_classes=2, n_domains=2, dropout=0.1)
    return net, BatchMaker(cells, np.ones((2, n), bool), preprocessor, AugmentSettings(), 0.3, 0)


def loss_of(net):
    def loss(batch, done):
        output = net(batch.x.expand(2, -1, -1), done)
        label = cross_entropy(output.label, batch.targets, batch.label_weights).mean()
        return LossTerms(total=label, label=label)

    return loss


def step_by_step(net, batches, loss, settings):
    """Warm-up and cosine, and the average of the weights, by hand."""
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=settings.weight_decay)
    average = copy.deepcopy(net)
    net.train()
    for step in range(settings.steps):
        done = step / settings.steps
        for group in optimiser.param_groups:
            warm = min(1.0, done / 0.05)
            group["lr"] = settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * done))
        terms = loss(batches.draw(settings.batch_cells), done)
        optimiser.zero_grad(set_to_none=True)
        terms.total.backward()
        optimiser.step()
        keep = min(settings.averaging, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean, value in zip(average.parameters(), net.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)
            for kept, buffer in zip(average.buffers(), net.buffers(), strict=True):
                kept.copy_(buffer)
    return average.state_dict()


def test_the_loop_gives_the_weights_of_the_recipe_step_by_step():
    net, batches = net_and_batches()
    run_training(net, batches, loss_of(net), SETTINGS)
    other, batches = net_and_batches()
    expected = step_by_step(other, batches, loss_of(other), SETTINGS)
    found = net.state_dict()
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert torch.allclose(found[name], value, rtol=0, atol=1e-7), name
    assert not net.training


def test_the_rate_rises_for_a_twentieth_and_falls_to_nothing():
    assert rate_factor(0.0) == 0
    assert rate_factor(0.025) == pytest.approx(0.5, abs=0.01)
    assert rate_factor(0.05) == pytest.approx(0.99, abs=0.01)
    assert rate_factor(1.0) == pytest.approx(0.0)


def test_progress_is_reported_each_epoch_with_the_last_one_short():
    net, batches = net_and_batches()
    seen: list[Progress] = []
    history = run_training(net, batches, loss_of(net), SETTINGS, seen.append)
    assert [(one.stage, one.done, one.total) for one in seen] == [("epoch", k, 3) for k in (1, 2, 3)]
    assert [dict(one.values) for one in seen] == history
    assert set(history[0]) == {"total", "label"}
