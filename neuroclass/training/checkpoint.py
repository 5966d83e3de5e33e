"""The complete state of a training, so that it continues as if it had never stopped, to the last bit.

Besides weights, it is the optimiser's moments, the schedule, the averaged weights, those of the best epoch, the
history, and the two sources of random numbers: torch's, and the batch maker's.
"""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel

from neuroclass.errors import ModelFileError
from neuroclass.io.checkpoints import Arrays, read_arrays, write_arrays
from neuroclass.training.batches import BatchMaker
from neuroclass.training.watch import Watch

Weights = dict[str, Tensor]
_NET, _AVERAGE, _BEST, _MOMENT, _TORCH = "net.", "average.", "best.", "moment.", "rng.torch"
_LOG = logging.getLogger(__name__)


@dataclass
class LoopState:
    """Everything that the next step depends on.

    Attributes
    ----------
    net, optimiser, schedule, average, batches
        The objects in training; they are changed in place.
    step : int
        Steps done.
    history : list of dict
        Quantities of each epoch.
    best : dict of str to Tensor
        Averaged weights of the best epoch so far; empty where none is kept.
    """

    net: nn.Module
    optimiser: AdamW
    schedule: LambdaLR
    average: AveragedModel
    batches: BatchMaker
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: Weights = field(default_factory=dict)

    def arrays(self) -> Arrays:
        """All tensors, by name."""
        parts = {_NET: self.net.state_dict(), _AVERAGE: self.average.module.state_dict(), _BEST: self.best}
        tensors = {prefix + name: value for prefix, weights in parts.items() for name, value in weights.items()}
        for number, moments in self.optimiser.state_dict()["state"].items():
            tensors |= {f"{_MOMENT}{number}.{name}": value for name, value in moments.items()}
        tensors[_TORCH] = torch.get_rng_state()
        return {name: value.detach().contiguous().numpy() for name, value in tensors.items()}

    def facts(self) -> dict[str, Any]:
        """Everything else, as JSON."""
        return {
            "step": self.step,
            "history": self.history,
            "groups": self.optimiser.state_dict()["param_groups"],
            "schedule": self.schedule.state_dict(),
            "n_averaged": int(self.average.n_averaged),
            "batches": self.batches.rng.bit_generator.state,
        }

    def restore(self, arrays: Arrays, facts: dict[str, Any]) -> None:
        """Take over a state of `arrays` and `facts`.

        Raises
        ------
        KeyError, ValueError, RuntimeError
            If it is that of another net.
        """
        tensors = {name: torch.from_numpy(value.copy()) for name, value in arrays.items()}
        self.net.load_state_dict(_named(tensors, _NET))
        self.average.module.load_state_dict(_named(tensors, _AVERAGE))
        self.average.n_averaged.fill_(int(facts["n_averaged"]))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in _named(tensors, _MOMENT).items():
            number, _, which = name.partition(".")
            moments.setdefault(int(number), {})[which] = value
        self.optimiser.load_state_dict({"state": moments, "param_groups": facts["groups"]})
        self.schedule.load_state_dict(facts["schedule"])
        self.batches.rng.bit_generator.state = facts["batches"]
        self.best = _named(tensors, _BEST)
        self.step, self.history = int(facts["step"]), list(facts["history"])
        torch.set_rng_state(tensors[_TORCH])


def _named(tensors: Weights, prefix: str) -> Weights:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


class Keeper:
    """Writes a training's state at intervals, and continues from it."""

    def __init__(self, watch: Watch) -> None:
        self.path, self.fingerprint, self.every_s = watch.checkpoint, watch.fingerprint, watch.every_s
        self._written = time.monotonic()

    def restore(self, state: LoopState) -> None:
        """Continue from the kept state; a damaged one, or another training's, is left aside and training begins anew.

        Either way the weights become the same: a training depends on nothing but its settings and cells.
        """
        if self.path is None or not self.path.is_file():
            return
        try:
            arrays, facts = read_arrays(self.path)
        except ModelFileError as error:
            _LOG.warning("%s Training begins anew.", error)
            return
        if facts.get("fingerprint") != self.fingerprint:
            _LOG.warning("%s belongs to other settings, cells or versions. Training begins anew.", self.path)
            return
        state.restore(arrays, facts)

    def write(self, state: LoopState, *, at_once: bool = False) -> None:
        """Keep the state, where the last one is old enough or `at_once`."""
        if self.path is None or not (at_once or time.monotonic() - self._written >= self.every_s):
            return
        write_arrays(self.path, state.arrays(), {"fingerprint": self.fingerprint, **state.facts()})
        self._written = time.monotonic()
