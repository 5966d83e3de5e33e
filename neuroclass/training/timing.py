"""How long a training takes on this machine, said before it begins."""

import time
from dataclasses import replace

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import DannSettings, LspinSettings
from neuroclass.training.train import TRAINERS

_STEPS = (4, 24)


def training_seconds(system: str, cells: Cohort, settings: DannSettings | LspinSettings) -> float:
    """About how long a training takes, s, from two short ones on the same cells.

    Parameters
    ----------
    system : str
        ``dann`` or ``lspin``.
    cells : Cohort
        Training cells.
    settings : DannSettings or LspinSettings
        Of the training.

    Returns
    -------
    float
    """

    def timed(steps: int) -> float:
        start = time.perf_counter()
        TRAINERS[system](cells, replace(settings, optimiser=replace(settings.optimiser, steps=steps)))
        return time.perf_counter() - start

    timed(1)  # the first loads libraries
    short, longer = (timed(steps) for steps in _STEPS)
    a_step = max(0.0, longer - short) / (_STEPS[1] - _STEPS[0])
    return short + a_step * max(0, settings.optimiser.steps - _STEPS[0])
