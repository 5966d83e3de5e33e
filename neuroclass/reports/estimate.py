"""How long a report takes, said before it begins: its fits, each in units of one training of the model."""

from collections import Counter
from collections.abc import Mapping

from neuroclass.evaluation.comparisons import ABLATIONS, BASELINES
from neuroclass.evaluation.learning import SIZES
from neuroclass.evaluation.protocols import N_FOLDS, N_REPEATS, N_SEEDS
from neuroclass.types.models import DANN

COST: Mapping[str, float] = {
    "lspin-paper": 0.66,
    "svc": 0.014,
    "lda": 0.002,
    "lasso": 0.009,
    "rf": 0.12,
    "xgboost": 0.084,
    "gbdt": 0.095,
    "ann": 0.029,
    "ann-ensemble": 0.23,
    "few-labels": 0.005,
    "etypes": 0.083,
    "circular": 0.001,
}
"""Processor time of one fit on the published mouse cells, in trainings of the shipped LSPIN; 1 where not listed."""
HELD_OUT, RETRAINED = 3.0, 1.1
"""The same, of a fold with its explanations and feature subsets, and of a network trained again for stability."""
N_RETRAINED = 3
N_REVERSALS = 3
"""Strengths of DANN's adversary beside the shipped one."""


def report_fits(system: str, baselines: bool) -> Counter[str]:
    """How often each system is fitted for a report.

    Parameters
    ----------
    system : str
        ``dann`` or ``lspin``.
    baselines : bool
        Whether the baselines are evaluated too.

    Returns
    -------
    Counter
        Fits by system, those of the folds that are explained apart.
    """
    folds = N_FOLDS * N_REPEATS
    dann = system == DANN.name
    fits = Counter({system: folds - N_FOLDS + N_SEEDS + (N_REVERSALS * N_FOLDS if dann else 0)})
    fits.update(dict.fromkeys(ABLATIONS[system], folds))
    if baselines:
        protocols = 2 if dann else 1
        fits.update({system: (protocols - 1) * N_SEEDS + (len(SIZES) + 1) * N_FOLDS})
        fits.update(dict.fromkeys(BASELINES, folds))
        fits.update(dict.fromkeys((*ABLATIONS[system], *BASELINES), protocols * N_SEEDS))
    return fits


def report_seconds(system: str, baselines: bool, training_s: float, jobs: int) -> float:
    """About how long a report takes.

    Parameters
    ----------
    system : str
        ``dann`` or ``lspin``.
    baselines : bool
        Whether the baselines are evaluated too.
    training_s : float
        How long one training takes on this machine, s.
    jobs : int
        Processes at once.

    Returns
    -------
    float
        s; tests of the comparisons and pictures come on top.
    """
    trainings = sum(n * COST.get(name, 1.0) for name, n in report_fits(system, baselines).items())
    trainings += N_FOLDS * HELD_OUT + N_RETRAINED * RETRAINED
    return trainings * training_s / max(1, jobs)
