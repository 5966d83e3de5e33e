"""Protocols: how cells are split into training and test cells, and how test cells are modified."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import donor_folds, paper_dann_split, paper_lspin_split
from neuroclass.errors import CohortError, SettingsError
from neuroclass.evaluation.laboratories import HOME, Laboratory, shifted_laboratories, stimulus_combinations
from neuroclass.evaluation.names import Protocol
from neuroclass.types.arrays import Integers

N_FOLDS = 5
N_REPEATS = 5
N_SEEDS = 5


@dataclass(frozen=True)
class Trial:
    """One training run and its test cells.

    Attributes
    ----------
    repeat, fold, seed : int
        Which one it is; `seed` is the system's.
    train, test : ndarray of int
        Rows of the cohort.
    labels_hidden : bool
        Whether the test cells take part in training without their labels.
    laboratories : tuple of Laboratory
        As which the test cells are measured, each in turn.
    """

    repeat: int
    fold: int
    seed: int
    train: Integers
    test: Integers
    labels_hidden: bool = False
    laboratories: tuple[Laboratory, ...] = (HOME,)


@dataclass(frozen=True)
class Plan:
    """The cells of a protocol and its trials."""

    cohort: Cohort
    trials: tuple[Trial, ...]


def _cells(cohort: Cohort, task: str) -> Cohort:
    labelled = cohort.labelled(task)
    if not len(labelled):
        raise CohortError(f"No cell of {cohort.source} has a {task} label; evaluation needs labelled cells.")
    return labelled


def _donor_cv(cohort: Cohort, task: str, repeats: int) -> Plan:
    cells = _cells(cohort, task)
    folds = donor_folds(cells, task, N_FOLDS, repeats)
    return Plan(cells, tuple(Trial(f.repeat, f.number, f.repeat * N_FOLDS + f.number, f.train, f.test) for f in folds))


def _paper_split(cohort: Cohort, task: str, repeats: int) -> Plan:
    cells = _cells(cohort, task)
    if task == "subclass":
        cells = cells.of_species(Species.MOUSE).complete()
        fold = paper_lspin_split(cells)
    else:
        fold = paper_dann_split(cells)
    return Plan(cells, tuple(Trial(seed, 0, seed, fold.train, fold.test) for seed in range(repeats)))


def _leave_species_out(cohort: Cohort, task: str, repeats: int) -> Plan:
    cells = _cells(cohort, task)
    human = (cells.frame["species"] == Species.HUMAN).to_numpy()
    if not human.any() or human.all():
        raise CohortError(f"{cells.source} has {task} labels of one species only; leave-species-out needs both.")
    train, test = np.flatnonzero(~human), np.flatnonzero(human)
    return Plan(cells, tuple(Trial(seed, 0, seed, train, test, labels_hidden=True) for seed in range(repeats)))


def _measured_as(laboratories: Callable[[], tuple[Laboratory, ...]]) -> Callable[[Cohort, str, int], Plan]:
    def plan(cohort: Cohort, task: str, repeats: int) -> Plan:
        plain = _donor_cv(cohort, task, repeats)
        labs = laboratories()
        return Plan(plain.cohort, tuple(replace(trial, laboratories=labs) for trial in plain.trials))

    return plan


_PLANS: dict[Protocol, tuple[Callable[[Cohort, str, int], Plan], int]] = {
    Protocol.DONOR_CV: (_donor_cv, N_REPEATS),
    Protocol.PAPER_SPLIT: (_paper_split, N_SEEDS),
    Protocol.LEAVE_SPECIES_OUT: (_leave_species_out, N_SEEDS),
    Protocol.MASKED: (_measured_as(stimulus_combinations), 1),
    Protocol.LAB_SHIFT: (_measured_as(shifted_laboratories), 1),
}

DIVIDING: tuple[Protocol, ...] = tuple(_PLANS)
"""The protocols that divide one cohort into training and test cells."""


def trainings_of(protocol: Protocol) -> int:
    """How often a protocol trains a system, with its own number of repeats or seeds."""
    make, repeats = _PLANS[protocol]
    return repeats if make in (_paper_split, _leave_species_out) else repeats * N_FOLDS


def plan_protocol(protocol: Protocol, cohort: Cohort, task: str, repeats: int | None = None) -> Plan:
    """Divide a cohort.

    Parameters
    ----------
    protocol : Protocol
        Which one.
    cohort : Cohort
        All cells; those without the label are left out.
    task : str
        ``broad`` or ``subclass``.
    repeats : int, optional
        Repeats of donor-cv, masked and lab-shift, else seeds; by default the protocol's own number.

    Returns
    -------
    Plan

    Raises
    ------
    CohortError
        If the cohort lacks labels, donors or species.
    SettingsError
        If the protocol tests on other tables, not on cells of the cohort.
    """
    if protocol not in _PLANS:
        raise SettingsError(
            f"{protocol.value} tests on the tables of other laboratories; expected one of "
            f"{', '.join(one.value for one in DIVIDING)} to divide a cohort."
        )
    make, default = _PLANS[protocol]
    return make(cohort, task, repeats or default)
