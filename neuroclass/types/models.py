"""The two models NeuroClass trains, each declared once: name, task, classes and settings."""

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
        What it tells, ``broad`` or ``subclass``; also the cohort's column with the labels.
    settings : type
        Its settings; without arguments they are the shipped recipe's.
    """

    name: str
    title: str
    task: str
    settings: type[DannSettings] | type[LspinSettings]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes it tells apart, in the order of its probabilities."""
        return TASK_CLASSES[self.task]


DANN = ModelSpec("dann", "DANN", "broad", DannSettings)
LSPIN = ModelSpec("lspin", "LSPIN", "subclass", LspinSettings)

MODELS: Mapping[str, ModelSpec] = {spec.name: spec for spec in (DANN, LSPIN)}
MODEL_OF_TASK: Mapping[str, ModelSpec] = {spec.task: spec for spec in MODELS.values()}

FEATURE_SETS = "feature-sets"
"""Folder of the models that are fitted to sets of features."""
