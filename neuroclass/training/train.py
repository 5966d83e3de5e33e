"""Train a model and keep it: what the Train page's jobs, the command line and notebooks all call."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import hold_out_donors
from neuroclass.config import DannSettings, HumanSubclassSettings, LspinSettings, ValidationSettings
from neuroclass.errors import SettingsError
from neuroclass.io.artifacts import save_model
from neuroclass.predictors.predictor import Predictor
from neuroclass.training.card import training_card
from neuroclass.training.fit_dann import train_dann
from neuroclass.training.fit_human_subclass import train_human_subclass
from neuroclass.training.fit_lspin import train_lspin
from neuroclass.training.watch import JUDGED_BY, UNWATCHED, Watch, best_epoch
from neuroclass.types.models import DANN, HUMAN_SUBCLASS, LSPIN, MODELS, CohortModelSpec
from neuroclass.types.progress import EPOCH, Progress, ProgressCallback, ignore_progress

TRAINERS: Mapping[str, Callable[..., Predictor]] = {
    DANN.name: train_dann,
    LSPIN.name: train_lspin,
}
"""(cohort, settings, progress, watch) → predictor; the watch may be left out."""
NO_VALIDATION = ValidationSettings(share=0.0)


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
    *,
    validation: ValidationSettings = NO_VALIDATION,
    watch: Watch = UNWATCHED,
    card: Mapping[str, Any] | None = None,
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
    validation : ValidationSettings
        Donors that judge instead of training; by default none, as for the shipped models. The card says how the final
        model classifies their cells.
    watch : Watch
        Where the training's state is kept and when it pauses.
    card : mapping, optional
        What else the card should say.

    Returns
    -------
    TrainedModel

    Raises
    ------
    SettingsError
        If there is no such model, or the settings are another model's.
    CohortError
        If some class has cells of too few donors.
    TrainingPaused
        If the watch says stop.
    """
    spec = model_spec(name)
    settings = spec.settings() if settings is None else settings
    if not isinstance(settings, spec.settings):
        raise SettingsError(f"{type(settings).__name__} are not settings of {name}; expected {spec.settings.__name__}.")
    cells = cohort.labelled(spec.task)
    held_out = None
    if validation.share:
        fold = hold_out_donors(cells, spec.task, validation.share, settings.seed)
        cells, held_out = cells.take(fold.train), cells.take(fold.test)
        watch = replace(watch, validation=held_out, patience=validation.patience)
    history: list[Mapping[str, float]] = []

    def note(report: Progress) -> None:
        if report.stage == EPOCH:
            history.append(report.values)
        progress(report)

    predictor = TRAINERS[name](cells, settings, note, watch)
    whole = {**training_card(cells, spec.task, settings, predictor), **(card or {})}
    if held_out is not None:
        whole["validation"] = {**asdict(validation), **_validated(predictor, held_out, history, validation)}
    if folder is None:
        return TrainedModel(predictor, whole)
    return TrainedModel(predictor, save_model(predictor, folder / name, whole), folder / name)


def _validated(
    model: Predictor, cells: Cohort, history: list[Mapping[str, float]], validation: ValidationSettings
) -> dict[str, Any]:
    """How the final model classifies the donors that did not train it."""
    truth = cells.column(model.task)
    p = model.predict_proba(cells.matrix(), cells.column("species").tolist())
    guess = np.array(model.classes, dtype=object)[p.argmax(1)]
    best = best_epoch(history)
    return {
        "n_cells": len(cells),
        "n_donors": int(cells.frame["donor"].nunique()),
        "accuracy": float((guess == truth).mean()),
        "macro_f1": float(f1_score(truth, guess, labels=sorted(set(truth)), average="macro", zero_division=0)),
        "best_epoch": best,
        "n_epochs": len(history),
        "weights_of": best if validation.patience else len(history),
        "chosen_by": JUDGED_BY if validation.patience else "",
    }


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
