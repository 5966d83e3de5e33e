"""A training run as it stands: its state, what was asked, how far it is, what it gave."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from neuroclass.library.entry import hidden
from neuroclass.types.visitors import Right, Visitor


class State(StrEnum):
    """State of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    """Its process ended without a word: killed, or the machine restarted."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDER_WAY = (State.QUEUED, State.RUNNING)
RESUMABLE = (State.PAUSED, State.INTERRUPTED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Job:
    """Snapshot of one training run.

    Attributes
    ----------
    id : str
        Names the run's folder.
    model : str
        ``dann`` or ``lspin``.
    state : State
        What has become of it.
    status : mapping
        The last status its process wrote: phase, epoch, of, seconds, left_s, and the epoch's quantities.
    history : tuple of dict
        Epoch, of and quantities of every epoch so far.
    config : mapping
        What was asked, see `RunConfig`; empty where it cannot be read.
    result : mapping
        What it reported; empty until it is done.
    metrics : mapping
        How its model classifies cells that did not train it; empty where none were held out.
    message : str
        Last lines of the process' messages.
    folder : Path
        Where the run's files and the trained model are.
    owner : str
        Hash of who started it; empty if it was nobody in particular.
    """

    id: str
    model: str
    state: State
    status: Mapping[str, Any]
    history: tuple[dict[str, Any], ...]
    config: Mapping[str, Any]
    result: Mapping[str, Any]
    metrics: Mapping[str, Any]
    message: str
    folder: Path
    owner: str = ""

    def belongs_to(self, owner: str) -> bool:
        """Whether a visitor started it, or nobody in particular did."""
        return self.owner in ("", hidden(owner))

    def controlled_by(self, who: Visitor) -> bool:
        """Whether a visitor may pause, resume and cancel it."""
        return who.may(Right.MANAGE_OTHERS) or (who.may(Right.TRAIN) and self.belongs_to(who.owner))

    @property
    def name(self) -> str:
        """What its owner calls the model; empty without one."""
        return str(self.config.get("name", ""))

    @property
    def is_search(self) -> bool:
        """Whether it searches for settings instead of training."""
        return bool(self.config.get("search"))


def number(value: object, otherwise: float = 0.0) -> float:
    """A number from a file that may be damaged."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else otherwise  # type: ignore[arg-type]


def tail(path: Path, n_bytes: int = 2000) -> str:
    """Last lines of a text file; empty where there is none."""
    try:
        return path.read_bytes()[-n_bytes:].decode("utf-8", "replace")
    except OSError:
        return ""
