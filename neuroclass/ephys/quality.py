"""Quality of sweeps and cells: flagged with the value and the limit, never silently dropped."""

from collections.abc import Sequence
from dataclasses import dataclass

from neuroclass.ephys.measures import Response
from neuroclass.ephys.protocols import Epoch
from neuroclass.ephys.sweep import Sweep


@dataclass(frozen=True)
class Flag:
    """One finding about a sweep or a cell.

    Attributes
    ----------
    name : str
        What was found.
    sweep : int or None
        The sweep's number; None for the whole cell.
    value, limit : float
        What was measured and what is allowed.
    unit : str
        Unit of both.
    message : str
        The finding in words.
    excludes : bool
        Whether the sweep is left out of the features.
    """

    name: str
    sweep: int | None
    value: float
    limit: float
    unit: str
    message: str
    excludes: bool = False


def sweep_flags(sweep: Sweep, epochs: Sequence[Epoch]) -> list[Flag]:
    """Findings about one sweep."""
    return [
        Flag(
            "truncated_epoch",
            sweep.number,
            sweep.duration_s,
            epoch.end_s,
            "s",
            f"Sweep {sweep.number} ends within its stimulus, which is left out.",
        )
        for epoch in epochs
        if epoch.sweep_number == sweep.number and epoch.truncated
    ]


def cell_flags(responses: Sequence[Response]) -> list[Flag]:
    """Findings about the whole cell."""
    return []
