"""The paper's DANN by its own protocol, and the same recipe by an honest one.

As published, mouse cells alone train it, each test set is standardised by itself, and both test sets choose it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.splits import hold_out_donors
from neuroclass.evaluation.protocols import Trial
from neuroclass.evaluation.published_split import BroadCells
from neuroclass.evaluation.search_on_test import Run, Search, one_of, spread, written
from neuroclass.predictors.preprocess import PaperScaler
from neuroclass.training.paper_dann import PaperDannModel, PaperDannSettings, fit_paper_dann
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers
from neuroclass.types.models import DANN

N_TRIALS = 24
OWN, TRAINING = "own", "training"
"""How test cells are standardised: by their own mean and standard deviation, or by the training cells'."""
HIDDEN = ((64, 32, 16), (128, 64, 32), (100, 50, 25), (64, 32, 16, 8), (128, 64, 32, 16))
PENALTIES, RATES = (1e-4, 1.0), (0.001, 0.2)
VALIDATION_SHARE = 0.15
N_BACKGROUND = 12


def train_published(cells: BroadCells, settings: PaperDannSettings, seed: int) -> PaperDannModel:
    """Train on mouse cells alone, as the paper's code does without saying so."""
    scaler = PaperScaler.fit(cells.x[cells.scaled])
    z = scaler.standardise(cells.x)
    held = (z[cells.validation], cells.truth[cells.validation])
    domains = np.zeros(len(cells.train), dtype=np.int64)
    net = fit_paper_dann(z[cells.train], cells.truth[cells.train], domains, held, settings, seed)
    prototypes = np.unique(np.linspace(0, len(cells.train) - 1, N_BACKGROUND).astype(int))
    return PaperDannModel(net, scaler, z[cells.train[prototypes]])


def score_published(cells: BroadCells, model: PaperDannModel) -> pd.DataFrame:
    """Predictions on both test sets, standardised both ways.

    Returns
    -------
    DataFrame
        ``row`` (of the cells), ``species``, ``scaled`` (`OWN` or `TRAINING`), ``truth`` and ``predicted`` (positions).
    """
    tables = []
    for species in np.unique(cells.species[cells.test]):
        rows = cells.test[cells.species[cells.test] == species]
        x = cells.x[rows]
        for name, scaler in ((OWN, PaperScaler.fit(x)), (TRAINING, model.preprocessor)):
            predicted = model.standardised_probabilities(scaler.standardise(x)).argmax(1)
            parts = {"row": rows, "species": species, "scaled": name, "truth": cells.truth[rows]}
            tables.append(pd.DataFrame({**parts, "predicted": predicted}))
    return pd.concat(tables, ignore_index=True)


def run_dann(cells: BroadCells, settings: PaperDannSettings, seed: int) -> dict[str, Any]:
    """Train by the published protocol and score; ``predictions`` as `score_published` gives them."""
    torch.set_num_threads(1)
    return {"predictions": score_published(cells, train_published(cells, settings, seed))}


def accuracies(run: Run) -> dict[tuple[str, str], float]:
    """Accuracy by species and scaling."""
    table: pd.DataFrame = run["predictions"]
    right = table["truth"] == table["predicted"]
    found = right.groupby([table["species"], table["scaled"]]).mean()
    return {(str(a), str(b)): float(value) for (a, b), value in found.items()}


def objective(run: Run) -> float:
    """What the paper's search makes as large as possible: the mean accuracy of both test sets."""
    return float(np.mean([value for (_, scaled), value in accuracies(run).items() if scaled == OWN]))


def _proposed(trial: Any) -> PaperDannSettings:
    return replace(
        PaperDannSettings(),
        hidden=one_of(trial, "hidden", HIDDEN),
        weight_penalty=trial.suggest_float("weight_penalty", *PENALTIES, log=True),
        learning_rate=trial.suggest_float("learning_rate", *RATES, log=True),
    )


_PUBLISHED = PaperDannSettings()
SEARCH = Search(
    propose=_proposed,
    first={
        "hidden": written(_PUBLISHED.hidden),
        "weight_penalty": _PUBLISHED.weight_penalty,
        "learning_rate": _PUBLISHED.learning_rate,
    },
    train=run_dann,
    score=objective,
    stage="DANN: settings tried on the test cells",
)


def candidates(trials: Sequence[tuple[PaperDannSettings, Run]]) -> pd.DataFrame:
    """Every setting that was tried: trial (from 1), settings, and accuracy as ``<species> <scaling>``."""
    rows = []
    for number, (settings, run) in enumerate(trials, start=1):
        row: dict[str, Any] = {
            "trial": number,
            "hidden": written(settings.hidden),
            "weight_penalty": settings.weight_penalty,
            "learning_rate": settings.learning_rate,
            "objective": objective(run),
        }
        rows.append(row | {" ".join(key): value for key, value in accuracies(run).items()})
    return pd.DataFrame(rows)


def spreads(runs: Sequence[Run]) -> dict[str, dict[str, float]]:
    """Accuracy over runs that nothing chose, as ``<species> <scaling>``."""
    found = [accuracies(run) for run in runs]
    return {" ".join(key): spread([one[key] for one in found]) for key in found[0]}


def honest_fold(cells: Cohort, trial: Trial, settings: PaperDannSettings) -> pd.DataFrame:
    """The same recipe with the labels of both species, on donors that it has not seen.

    The scaler sees the fold's training cells only, whole donors of which judge the epochs; a missing feature counts as
    their mean.

    Returns
    -------
    DataFrame
        As `neuroclass.evaluation.metrics` describes predictions.
    """
    torch.set_num_threads(1)
    train, test = cells.take(trial.train), cells.take(trial.test)
    inner = hold_out_donors(train, DANN.task, VALIDATION_SHARE, trial.seed)
    scaler = PaperScaler.fit(train.take(inner.train).matrix())
    z, truth, species = _parts(train, scaler)
    held = (z[inner.test], truth[inner.test])
    net = fit_paper_dann(z[inner.train], truth[inner.train], species[inner.train], held, settings, trial.seed)
    model = PaperDannModel(net, scaler, z[:1])
    p = model.standardised_probabilities(scaler.standardise(test.matrix()))
    frame = test.frame[["id", "species", "donor"]].assign(
        repeat=trial.repeat,
        fold=trial.fold,
        truth=test.frame[DANN.task],
        predicted=[DANN.classes[k] for k in p.argmax(1)],
    )
    return frame.assign(**{f"p_{name}": p[:, column] for column, name in enumerate(DANN.classes)})


def _parts(cells: Cohort, scaler: PaperScaler) -> tuple[Floats, Integers, Integers]:
    z = np.nan_to_num(scaler.standardise(cells.matrix()))
    species = (cells.frame["species"] != "mouse").to_numpy(dtype=np.int64)
    return z, class_numbers(cells, DANN.task, DANN.classes), species
