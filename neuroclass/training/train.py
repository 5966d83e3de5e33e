"""Train a model and keep it: what the Train page's jobs, the command line and notebooks all call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neuroclass.cohort.cohort import Cohort
from neuroclass.config import DannSettings, HumanSubclassSettings, LspinSettings
from neuroclass.errors import SettingsError
from neuroclass.io.artifacts import save_model
from neuroclass.predictors.predictor import Predictor
from neuroclass.training.card import training_card
from neuroclass.training.fit_dann import train_dann
from neuroclass.training.fit_human_subclass import train_human_subclass
from neuroclass.training.fit_lspin import train_lspin
from neuroclass.types.models import DANN, HUMAN_SUBCLASS, LSPIN, MODELS, CohortModelSpec
from neuroclass.types.progress import ProgressCallback, ignore_progress

TRAINERS: Mapping[str, Callable[[Cohort, Any, ProgressCallback], Predictor]] = {
    DANN.name: train_dann,
    LSPIN.name: train_lspin,
}


@dataclass(frozen=True)
class TrainedModel:
    """A trained model, its card, and the folder it was saved to, if any."""

    predictor: Predictor
    card: dict[str, Any]
    folder: Path | None = None


def model_spec(name: str) -> CohortModelSpec:
    """What is declared of a model.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    if name not in MODELS:
        raise SettingsError(f"There is no model {name}; expected one of {', '.join(MODELS)}.")
    return MODELS[name]


def train_model(
    name: str,
    cohort: Cohort,
    settings: DannSettings | LspinSettings | None = None,
    folder: Path | None = None,
    progress: ProgressCallback = ignore_progress,
) -> TrainedModel:
    """Train DANN or LSPIN on the labelled cells of a cohort.

    Parameters
    ----------
    name : str
        ``dann`` or ``lspin``.
    cohort : Cohort
        Cells; those without the model's label are left out.
    settings : DannSettings or LspinSettings, optional
        The shipped recipe's by default.
    folder : Path, optional
        Folder of models; weights and card are written to the folder of the model's name in it.
    progress : ProgressCallback
        Called after each epoch with its loss terms.

    Returns
    -------
    TrainedModel

    Raises
    ------
    SettingsError
        If there is no such model, or the settings are another model's.
    CohortError
        If some class has cells of one donor only.
    """
    spec = model_spec(name)
    settings = spec.settings() if settings is None else settings
    if not isinstance(settings, spec.settings):
        raise SettingsError(f"{type(settings).__name__} are not settings of {name}; expected {spec.settings.__name__}.")
    cells = cohort.labelled(spec.task)
    predictor = TRAINERS[name](cells, settings, progress)
    card = training_card(cells, spec.task, settings, predictor)
    if folder is None:
        return TrainedModel(predictor, card)
    return TrainedModel(predictor, save_model(predictor, folder / name, card), folder / name)


def train_human_model(
    cohort: Cohort,
    settings: HumanSubclassSettings | None = None,
    folder: Path | None = None,
    progress: ProgressCallback = ignore_progress,
) -> TrainedModel:
    """Train the human subclass model.

    Parameters
    ----------
    cohort : Cohort
        From `load_human_cells`.
    settings : HumanSubclassSettings, optional
        The shipped recipe's by default.
    folder : Path, optional
        Folder of models; weights and card are written to ``human-subclass`` in it.
    progress : ProgressCallback
        Called after each epoch of the gated network.

    Returns
    -------
    TrainedModel

    Raises
    ------
    CohortError
        See `train_human_subclass`.
    """
    settings = settings or HumanSubclassSettings()
    predictor = train_human_subclass(cohort, settings, progress)
    card = training_card(cohort.labelled(HUMAN_SUBCLASS.task), HUMAN_SUBCLASS.task, settings, predictor)
    card |= {"used_features": list(predictor.used_names)}
    if folder is None:
        return TrainedModel(predictor, card)
    folder = folder / HUMAN_SUBCLASS.name
    return TrainedModel(predictor, save_model(predictor, folder, card), folder)
