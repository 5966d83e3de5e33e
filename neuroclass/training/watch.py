"""How one training is looked after: where its state is kept, when it stops, which cells judge it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neuroclass.cohort.cohort import Cohort

if TYPE_CHECKING:
    from torch import nn

JUDGED_BY = "validation_macro_f1"
"""The best epoch is that with the highest; the first of several."""
Observe = Callable[["nn.Module", int, bool], Mapping[str, float]]
"""(net with averaged weights, in evaluation mode; epoch, 1 …; whether it is the last) → quantities of the epoch."""


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Watch:
    """How one training is looked after; by default not at all.

    Attributes
    ----------
    checkpoint : Path or None
        File that keeps the training's complete state; training continues from it where it is there.
    fingerprint : str
        Of settings and cells; a state with another one is not continued.
    every_s : float
        Least time between two states, s.
    stop : callable
        Asked before each step whether to pause.
    validation : Cohort or None
        Labelled cells of donors that do not train.
    patience : int
        Epochs without a better validation macro F1 after which training ends; 0 never. With a patience the weights of
        the best epoch are kept, else those of the last.
    snapshots : Path or None
        Folder for gates and embedding of a few cells, every few epochs.
    """

    checkpoint: Path | None = None
    fingerprint: str = ""
    every_s: float = 2.0
    stop: Callable[[], bool] = _never
    validation: Cohort | None = None
    patience: int = 0
    snapshots: Path | None = None


UNWATCHED = Watch()


def best_epoch(history: Sequence[Mapping[str, float]]) -> int | None:
    """Number, 1 …, of the epoch with the highest validation macro F1; None without validation."""
    scores = [epoch[JUDGED_BY] for epoch in history if JUDGED_BY in epoch]
    return 1 + scores.index(max(scores)) if scores else None


def is_over(history: Sequence[Mapping[str, float]], patience: int) -> bool:
    """Whether so many epochs have passed since the best one."""
    best = best_epoch(history)
    return bool(patience and best is not None and len(history) - best >= patience)
