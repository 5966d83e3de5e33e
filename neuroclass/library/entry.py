"""An entry of the model library: what is known of a model without loading it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.io.artifacts import PREDICTORS, weights_on
from neuroclass.io.estimators import SYSTEMS
from neuroclass.types.models import DANN, LSPIN

SHIPPED = "shipped"
SHIPPED_NAME = "Built-in models"
TASKS = (DANN.task, LSPIN.task)
"""The tasks of which a model can be chosen."""
SHORT = 8
_OF_CELLS = ("source", "n_cells", "n_donors", "simulated")


class Origin(StrEnum):
    """Where a model comes from."""

    SHIPPED = "shipped"
    RUN = "training run"
    ADDED = "added"


@dataclass(frozen=True)
class ModelEntry:
    """One model of the library.

    Attributes
    ----------
    id : str
        Stays the same whatever the model is called.
    name : str
        What people call it.
    origin : Origin
        Where it comes from.
    folder : Path
        Holds its card, weights and report; of the shipped models, the folder of all of them.
    card : mapping
        Its card; empty for the shipped models.
    note : str
        What people noted about it.
    added : float
        When it came, s since the epoch; 0 for the shipped models.
    owner : str
        Hash of whose browser it came from; empty if nobody's in particular.
    trouble : str
        Why it cannot be used; empty if it can.
    """

    id: str
    name: str
    origin: Origin
    folder: Path
    card: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    added: float = 0.0
    owner: str = ""
    trouble: str = ""

    @property
    def shipped(self) -> bool:
        """Whether it stands for the models that ship."""
        return self.origin is Origin.SHIPPED

    @property
    def task(self) -> str:
        """``broad`` or ``subclass``; empty for the shipped models, which do both."""
        return str(self.card.get("task", ""))

    @property
    def system(self) -> str:
        """Name of its system, as in the registry."""
        return str(self.card.get("system") or self.card.get("model", ""))

    @property
    def weights(self) -> str:
        """SHA-256 of its weights."""
        return weights_on(self.card)

    @property
    def short(self) -> str:
        """The first digits of `weights`."""
        return self.weights[:SHORT]

    @property
    def has_gates(self) -> bool:
        """Whether it gates features."""
        return self.card.get("model") == LSPIN.name

    @property
    def has_domains(self) -> bool:
        """Whether it has features in which domains should not differ."""
        return self.card.get("model") == DANN.name

    def belongs_to(self, owner: str) -> bool:
        """Whether it came from this visitor's browser."""
        return bool(owner) and self.owner == hidden(owner)

    def to_json(self, default: str = SHIPPED) -> dict[str, Any]:
        """The entry as ``models --json`` prints it."""
        cells = self.card.get("training_cells") or {}
        return {
            "id": self.id,
            "name": self.name,
            "origin": self.origin.value,
            "system": self.system,
            "task": self.task or None,
            "trained_on": {key: cells.get(key) for key in _OF_CELLS} if cells else None,
            "added": datetime.fromtimestamp(self.added).isoformat(timespec="seconds") if self.added else None,
            "protocol": self.card.get("protocol"),
            "metrics": (self.card.get("metrics") or {}).get("metrics"),
            "weights_sha256": self.weights or None,
            "note": self.note,
            "default": self.id == default,
            "folder": str(self.folder),
            "trouble": self.trouble or None,
        }


def hidden(owner: str) -> str:
    """Hash of an owner for the disk, so that it does not reveal the browser's secret; empty for nobody."""
    return hashlib.sha256(owner.encode()).hexdigest() if owner else ""


def trouble_of(card: Mapping[str, Any]) -> str:
    """Why the model of a card cannot be chosen; empty if it can."""
    model, task = str(card.get("model"))[:40], str(card.get("task"))[:40]
    if model not in (*PREDICTORS, *SYSTEMS) or task not in TASK_CLASSES:
        return f"it is of a system that this version does not know ({model}, {task})"
    if task not in TASKS:
        return f"it tells {task}; models of {' and '.join(TASKS)} can be chosen"
    return "" if weights_on(card) else "its card names no weights"
