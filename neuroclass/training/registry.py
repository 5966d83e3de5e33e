"""Every system by name: one call trains any of them on a cohort."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import AugmentSettings, DannSettings, LspinSettings, OptimiserSettings
from neuroclass.errors import SettingsError
from neuroclass.training.baselines import ESTIMATORS, fit_estimator
from neuroclass.training.paper_lspin import train_paper_lspin
from neuroclass.training.selection import DANN_CANDIDATES, LSPIN_CANDIDATES, select_and_train
from neuroclass.training.train import TRAINERS
from neuroclass.types.arrays import Floats
from neuroclass.types.models import DANN, LSPIN, MODELS, ModelSpec
from neuroclass.types.progress import ProgressCallback


class Classifier(Protocol):
    """Interface of every trained system."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes in the order of the probabilities."""
        ...

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Probabilities, shape (n_cells, n_classes), of features in stored units, NaN where missing."""
        ...


Settings = TypeVar("Settings", DannSettings, LspinSettings)
Trainer = Callable[[Cohort, str, int, ProgressCallback], Classifier]


@dataclass(frozen=True)
class System:
    """A system that can be trained and evaluated.

    Attributes
    ----------
    name : str
        On the command line; `neuroclass.evaluation.names` has its title.
    tasks : tuple of str
        Columns it can learn, ``broad`` and ``subclass``; the first by default.
    train : callable
        (cohort, task, seed, progress) → `Classifier`.
    """

    name: str
    tasks: tuple[str, ...]
    train: Trainer


def network(spec: ModelSpec, settings: DannSettings | LspinSettings | None = None) -> Trainer:
    """Trainer of one of the networks, by default with the shipped recipe's settings."""

    def train(cohort: Cohort, _: str, seed: int, progress: ProgressCallback) -> Classifier:
        recipe = settings or MODELS[spec.name].settings()
        return TRAINERS[spec.name](cohort, replace(recipe, seed=seed), progress)

    return train


def _nested(spec: ModelSpec, candidates: Sequence[Settings]) -> Trainer:
    def train(cohort: Cohort, task: str, seed: int, progress: ProgressCallback) -> Classifier:
        def with_settings(cells: Cohort, settings: Settings) -> Classifier:
            return TRAINERS[spec.name](cells, replace(settings, seed=seed), progress)

        return select_and_train(cohort, task, candidates, with_settings, seed)

    return train


def _paper_lspin() -> Trainer:
    return lambda cohort, _, seed, progress: train_paper_lspin(cohort, seed, progress)


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

_ALL = (LSPIN.task, DANN.task)

SYSTEMS: dict[str, System] = {
    system.name: system
    for system in (
        System(DANN.name, (DANN.task,), network(DANN)),
        System("dann-lambda0", (DANN.task,), network(DANN, DannSettings(reversal=0.0))),
        System("dann-shallow", (DANN.task,), network(DANN, SHALLOW_DANN)),
        System("dann-nested", (DANN.task,), _nested(DANN, DANN_CANDIDATES)),
        System(LSPIN.name, (LSPIN.task,), network(LSPIN)),
        System("lspin-nested", (LSPIN.task,), _nested(LSPIN, LSPIN_CANDIDATES)),
        System("lspin-paper", (LSPIN.task,), _paper_lspin()),
        *(System(name, _ALL, _estimator(name)) for name in ESTIMATORS),
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
