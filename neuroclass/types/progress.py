"""How long work tells those who wait for it how far it is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is.

    Attributes
    ----------
    stage : str
        What is being done.
    done : int
        Units finished.
    total : int or None
        Units in all; None where that is not known.
    values : mapping of str to float
        Figures that go with it, such as the loss terms of an epoch.
    """

    stage: str
    done: int
    total: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)


EPOCH = "epoch"
"""The stage of training itself; its `values` are the loss terms."""

ProgressCallback = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """A callback that reports to nobody."""
