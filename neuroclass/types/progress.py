"""Progress reports from long-running work."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Progress:
    """One progress report.

    Attributes
    ----------
    stage : str
        Name of the current step.
    done : int
        Number of units finished.
    total : int or None
        Total number of units; None if unknown.
    values : mapping of str to float
        Accompanying figures, such as the loss terms of an epoch.
    """

    stage: str
    done: int
    total: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)


EPOCH = "epoch"
"""The stage of training itself; its `values` are the loss terms."""

NETWORK = "network"
"""The stage of fitting one of several networks."""

FEATURE_SET = "feature set"
"""The stage of fitting the models of many sets of features."""

_SECONDS = 100
"""Above so many, minutes are said."""


def duration(seconds: float) -> str:
    """A time in words people read: seconds below 100 s, else minutes."""
    return f"{seconds:.0f} s" if seconds < _SECONDS else f"{seconds / 60:.0f} min"


ProgressCallback = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """Discard a progress report."""
