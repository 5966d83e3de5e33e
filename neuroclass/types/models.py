"""The models NeuroClass trains, each declared once: name, task, classes and settings."""

from collections.abc import Mapping
from dataclasses import dataclass

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.config import DannSettings, LspinSettings


@dataclass(frozen=True)
class ModelSpec:
    """What a model is, before it is trained.

    Attributes
    ----------
    name, title : str
        On the command line and in file names, and for people.
    task : str
        What it tells, ``broad``, ``subclass`` or ``human_subclass``; also the cohort's column with the labels.
    """

    name: str
    title: str
    task: str

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes it tells apart, in the order of its probabilities."""
        return TASK_CLASSES[self.task]


@dataclass(frozen=True)
class CohortModelSpec(ModelSpec):
    """A model that any cohort with the database's labels can train.

    Attributes
    ----------
    settings : type
        Its settings; without arguments they are the shipped recipe's.
    """

    settings: type[DannSettings] | type[LspinSettings]


DANN = CohortModelSpec("dann", "DANN", "broad", DannSettings)
LSPIN = CohortModelSpec("lspin", "LSPIN", "subclass", LspinSettings)
HUMAN_SUBCLASS = ModelSpec("human-subclass", "Human subclass", "human_subclass")
"""Trained on cells of other laboratories too, so not one of `MODELS`."""

MODELS: Mapping[str, CohortModelSpec] = {spec.name: spec for spec in (DANN, LSPIN)}
MODEL_OF_TASK: Mapping[str, CohortModelSpec] = {spec.task: spec for spec in MODELS.values()}

SHIPPED_MODELS = (DANN.name, LSPIN.name, HUMAN_SUBCLASS.name)
"""How predictions name the shipped models."""

QUESTIONS: Mapping[str, str] = {
    DANN.name: "Excitatory or inhibitory (DANN)",
    LSPIN.name: "Mouse subclass (LSPIN)",
    HUMAN_SUBCLASS.name: "Human subclass",
}
"""What each shipped model answers, for people who choose among them."""

_TITLES = {DANN.name: DANN.title, LSPIN.name: LSPIN.title, HUMAN_SUBCLASS.name: "the human subclass model"}


def title_of(name: str) -> str:
    """What people read for the name that a prediction carries: a shipped model's title, else the name itself."""
    return _TITLES.get(name, name)


FEATURE_SETS = "feature-sets"
"""Folder of the models that are fitted to sets of features."""
