"""Every system by name: one call trains any of them on a cohort."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import AugmentSettings, DannSettings, LspinSettings, OptimiserSettings
from neuroclass.errors import SettingsError
from neuroclass.training.baselines import ESTIMATORS, fit_estimator
from neuroclass.training.fit_dann import train_dann
from neuroclass.training.fit_lspin import train_lspin
from neuroclass.training.loop import Listener
from neuroclass.training.paper_lspin import train_paper_lspin
from neuroclass.training.selection import DANN_CANDIDATES, LSPIN_CANDIDATES, select_and_train
from neuroclass.types.arrays import Floats


class Classifier(Protocol):
    """What every trained system can do."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the probabilities."""
        ...

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Probabilities, shape (n_cells, n_classes), of features in stored units, NaN where missing."""
        ...


Trainer = Callable[[Cohort, str, int, Listener | None], Classifier]


@dataclass(frozen=True)
class System:
    """A system that can be trained and evaluated.

    Attributes
    ----------
    name, title : str
        On the command line, and for people.
    tasks : tuple of str
        Columns it can learn, ``broad`` and ``subclass``; the first by default.
    train : callable
        (cohort, task, seed, listener) → `Classifier`.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    train: Trainer


def _dann(settings: DannSettings) -> Trainer:
    return lambda cohort, _, seed, listener: train_dann(cohort, replace(settings, seed=seed), listener)


def _lspin(settings: LspinSettings) -> Trainer:
    return lambda cohort, _, seed, listener: train_lspin(cohort, replace(settings, seed=seed), listener)


def _nested_dann() -> Trainer:
    def train(cohort: Cohort, task: str, seed: int, _: Listener | None) -> Classifier:
        return select_and_train(
            cohort, task, DANN_CANDIDATES, lambda cells, s: train_dann(cells, replace(s, seed=seed)), seed
        )

    return train


def _nested_lspin() -> Trainer:
    def train(cohort: Cohort, task: str, seed: int, _: Listener | None) -> Classifier:
        return select_and_train(
            cohort, task, LSPIN_CANDIDATES, lambda cells, s: train_lspin(cells, replace(s, seed=seed)), seed
        )

    return train


def _paper_lspin() -> Trainer:
    return lambda cohort, _, seed, listener: train_paper_lspin(cohort, seed, listener)


def _estimator(name: str) -> Trainer:
    return lambda cohort, task, seed, _: fit_estimator(name, cohort, task, seed)


SHALLOW_DANN = DannSettings(
    hidden=(4,),
    reversal=1.0,
    mixup=0.0,
    smoothing=0.0,
    augment=AugmentSettings(masked_share=0.0, shifted_share=0.0),
    optimiser=OptimiserSettings(weight_decay=1.0),
)
"""For a species without labels: what fits the labelled species less closely transfers further."""

_ALL = ("subclass", "broad")

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System("dann", "DANN", ("broad",), _dann(DannSettings())),
        System("dann-lambda0", "DANN, λ = 0", ("broad",), _dann(DannSettings(reversal=0.0))),
        System("dann-shallow", "DANN, one-layer extractor", ("broad",), _dann(SHALLOW_DANN)),
        System("dann-nested", "DANN, settings chosen within each fold", ("broad",), _nested_dann()),
        System("lspin", "LSPIN", ("subclass",), _lspin(LspinSettings())),
        System("lspin-nested", "LSPIN, settings chosen within each fold", ("subclass",), _nested_lspin()),
        System("lspin-paper", "LSPIN, the paper's recipe", ("subclass",), _paper_lspin()),
        *(System(name, spec.title, _ALL, _estimator(name)) for name, spec in ESTIMATORS.items()),
    )
}


def system_named(name: str) -> System:
    """The system of that name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    if name not in SYSTEMS:
        raise SettingsError(f"There is no system {name!r}; expected one of {', '.join(SYSTEMS)}.")
    return SYSTEMS[name]
