"""Train any system of the registry to a model that can be kept, chosen and explained like the shipped ones."""

import time
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.config import AugmentSettings, DannSettings, LspinSettings
from neuroclass.errors import ModelFileError, SettingsError
from neuroclass.io.artifacts import save_model
from neuroclass.predictors.estimator import EstimatorPredictor
from neuroclass.predictors.predictor import Predictor
from neuroclass.predictors.typicality import Typicality
from neuroclass.training.baselines import ESTIMATORS, fit_estimator
from neuroclass.training.card import training_card
from neuroclass.training.crossfit import crossfitted, hide_features, prototypes
from neuroclass.training.paper_lspin import PaperSettings, train_paper_lspin
from neuroclass.training.registry import SHALLOW_DANN, system_named
from neuroclass.training.train import TRAINERS, TrainedModel
from neuroclass.types.models import DANN, LSPIN, MODELS
from neuroclass.types.progress import ProgressCallback, ignore_progress

DONOR_GROUPS = 5
"""Groups whose held-out predictions calibrate a system without members."""

_PAPER = "lspin-paper"
_RECIPES: Mapping[str, DannSettings | LspinSettings] = {
    "dann-lambda0": DannSettings(reversal=0.0),
    "dann-shallow": SHALLOW_DANN,
}
_NESTED = "nested"


def train_estimator(name: str, cohort: Cohort, task: str, seed: int) -> EstimatorPredictor:
    """Train an estimator with calibration, prediction sets and typicality.

    Parameters
    ----------
    name : str
        One of `ESTIMATORS`.
    cohort : Cohort
        Training cells; those without the label are left out.
    task : str
        ``broad`` or ``subclass``.
    seed : int
        Of the estimator, of donor groups and prototypes.

    Returns
    -------
    EstimatorPredictor

    Raises
    ------
    CohortError
        If some class has cells of one donor only.
    """
    cells = cohort.labelled(task)
    classes = TASK_CLASSES[task]
    calibration = crossfitted(
        cells, task, lambda part: fit_estimator(name, part, task, seed), len(classes), DONOR_GROUPS, seed
    )
    fitted = fit_estimator(name, cells, task, seed)
    z = fitted.preprocessor.standardise(cells.matrix())
    return EstimatorPredictor(
        name=name,
        classes=classes,
        learned=task,
        estimator=fitted.estimator,
        preprocessor=fitted.preprocessor,
        calibration=calibration,
        typicality_scale=Typicality.fit(hide_features(z, AugmentSettings(), seed).z, fitted.preprocessor),
        background=prototypes(fitted.preprocessor.complete(z)[0], cells.column("species"), seed),
    )


def _paper_lspin(cohort: Cohort, seed: int, progress: ProgressCallback) -> Predictor:
    """The paper's LSPIN, calibrated on what it says of donors that it has not seen."""
    cells = cohort.labelled(LSPIN.task)
    model = train_paper_lspin(cells, seed, progress)
    calibration = crossfitted(
        cells, LSPIN.task, lambda part: train_paper_lspin(part, seed), len(model.classes), DONOR_GROUPS, seed
    )
    z = model.preprocessor.standardise(cells.matrix())
    hidden = hide_features(z, AugmentSettings(), seed).z
    return replace(model, calibration=calibration, typicality_scale=Typicality.fit(hidden, model.preprocessor))


def train_predictor(
    name: str,
    cohort: Cohort,
    task: str,
    seed: int,
    settings: DannSettings | LspinSettings | None = None,
    progress: ProgressCallback = ignore_progress,
) -> Predictor:
    """Train a system of the registry; `settings` replace a network's recipe.

    Raises
    ------
    SettingsError
        If there is no such system, or it does not learn the task.
    CohortError
        If some class has cells of one donor only.
    """
    system = system_named(name)
    if task not in system.tasks:
        raise SettingsError(f"{name} does not tell {task}; it tells {' or '.join(system.tasks)}.")
    if name in ESTIMATORS:
        return train_estimator(name, cohort, task, seed)
    if name == _PAPER:
        return _paper_lspin(cohort, seed, progress)
    recipe = settings or recipe_of(name)
    cells = cohort.labelled(task)
    if recipe is None:
        found = system.train(cells, task, seed, progress)
        assert isinstance(found, Predictor)
        return found
    return TRAINERS[DANN.name if isinstance(recipe, DannSettings) else LSPIN.name](
        cells, replace(recipe, seed=seed), progress
    )


def recipe_of(name: str) -> DannSettings | LspinSettings | None:
    """The settings of a network's recipe; None for systems that have none, or choose them while training."""
    return MODELS[name].settings() if name in MODELS else _RECIPES.get(name)


def train_system(
    name: str,
    cohort: Cohort,
    task: str | None = None,
    *,
    seed: int = 0,
    title: str = "",
    folder: Path | None = None,
    progress: ProgressCallback = ignore_progress,
) -> TrainedModel:
    """Train a system of the registry and keep it.

    Parameters
    ----------
    name : str
        The system.
    cohort : Cohort
        Cells; those without the label are left out.
    task : str, optional
        ``broad`` or ``subclass``; by default the system's first.
    seed : int
        Of everything random.
    title : str
        What people call the model.
    folder : Path, optional
        Folder of models; the model's files go to the folder of the system's name in it.
    progress : ProgressCallback
        Called after each epoch of a network.

    Returns
    -------
    TrainedModel

    Raises
    ------
    SettingsError, CohortError
        See `train_predictor`.
    """
    task = task or system_named(name).tasks[0]
    start = time.monotonic()
    model = train_predictor(name, cohort, task, seed, progress=progress)
    card = training_card(cohort.labelled(task), task, settings_of(name, model, seed), model)
    card |= {"system": name, "seconds": round(time.monotonic() - start, 1), **({"name": title} if title else {})}
    if folder is None:
        return TrainedModel(model, card)
    return TrainedModel(model, save_model(model, folder / name, card), folder / name)


def settings_of(name: str, model: Predictor, seed: int) -> DannSettings | LspinSettings | Mapping[str, Any]:
    """The settings that a system's card names."""
    recipe = recipe_of(name)
    if recipe is not None:
        return replace(recipe, seed=seed)
    if name == _PAPER:
        return {**vars(PaperSettings()), "donor_groups": DONOR_GROUPS, "seed": seed}
    if not isinstance(model, EstimatorPredictor):
        return {"settings": "chosen by cross-validation within the training cells", "seed": seed}
    chosen = {key: value for key, value in model.estimator.get_params().items() if _plain(value)}
    return {**chosen, "donor_groups": DONOR_GROUPS, "seed": seed}


def _plain(value: object) -> bool:
    """Whether JSON can hold it."""
    if isinstance(value, float) and value != value:
        return False
    return isinstance(value, bool | int | float | str | type(None)) or (
        isinstance(value, tuple) and all(_plain(one) for one in value)
    )


def trainer_of(card: Mapping[str, Any]) -> Callable[[Cohort, int], Predictor]:
    """How to train a model again as a card describes: (cohort, seed) → model.

    Parameters
    ----------
    card : mapping
        Of a model of the registry.

    Returns
    -------
    callable

    Raises
    ------
    ModelFileError
        If its settings are not those of this version.
    """
    name = str(card.get("system") or card.get("model"))
    task = str(card.get("task"))
    recipe = recipe_of(name)
    settings = None if recipe is None else _rebuilt(type(recipe), card.get("settings"))
    return lambda cohort, seed: train_predictor(name, cohort, task, seed, settings)


def _rebuilt(kind: type[Any], values: object) -> Any:
    """A dataclass of settings from what JSON made of it."""
    known = {field.name: field for field in fields(kind)}
    if not isinstance(values, Mapping) or set(values) - set(known):
        extra = ", ".join(sorted(set(values) - set(known))) if isinstance(values, Mapping) else str(values)[:40]
        raise ModelFileError(
            f"The card's settings hold {extra}, which {kind.__name__} of this version does not know; the model can be "
            "used but not trained again. Train one with this version."
        )
    default = kind()
    found = {}
    for name, value in values.items():
        before = getattr(default, name)
        if is_dataclass(before):
            found[name] = _rebuilt(type(before), value)
        else:
            found[name] = tuple(value) if isinstance(before, tuple) else value
    return kind(**found)
