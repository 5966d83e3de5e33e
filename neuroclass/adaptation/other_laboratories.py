"""Test on cells of other laboratories: each cell alone, and as an unlabelled batch, beside baselines.

The baselines are fitted to the same features of the database's cells.

The models are those of the library: no cell of the tested tables took part in training or calibration. Under
``leave-one-laboratory-out`` the temperature and the set limit of a table's cells come from the *other* tables' labelled
cells instead of simulated laboratories; the table itself stays unseen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from neuroclass.adaptation.laboratory import Alone, adapt, make_batch
from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.outside import OUTSIDE_NAMES, load_outside
from neuroclass.errors import SettingsError
from neuroclass.evaluation.evaluate import Evaluation
from neuroclass.evaluation.names import Protocol
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.cell_predictor import CellPredictor
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers, Mask
from neuroclass.types.models import MODELS
from neuroclass.types.progress import Progress, ProgressCallback, ignore_progress

ALONE, BATCH, NETWORK = "alone", "batch", "one network for all features"
_SEEN = 0.5
_FLOOR = 1e-3


@dataclass(frozen=True)
class Systems:
    """What is tested.

    Attributes
    ----------
    predictors : mapping of name to CellPredictor
        ``dann`` and ``lspin``.
    networks : mapping of name to Alone
        The networks trained on all features, which impute what is missing.
    """

    predictors: Mapping[str, CellPredictor]
    networks: Mapping[str, Alone]


def evaluate_outside(
    name: str,
    systems: Systems,
    cohort: Cohort,
    data: Path | None,
    protocol: Protocol = Protocol.OUTSIDE,
    progress: ProgressCallback = ignore_progress,
) -> Evaluation:
    """Evaluate DANN or LSPIN on every table of other laboratories that has the task's classes.

    Parameters
    ----------
    name : str
        ``dann`` or ``lspin``.
    systems : Systems
        The trained systems.
    cohort : Cohort
        The database's cells, on which the baselines are fitted.
    data : Path or None
        Folder that holds ``outside/``; None for the one named by ``NEUROCLASS_DATA``.
    protocol : Protocol
        ``outside`` or ``leave-one-laboratory-out``.
    progress : ProgressCallback
        Called after each table.

    Returns
    -------
    Evaluation
        Its result has ``laboratories``, a row a table and system; its predictions a row a cell and system of ours.

    Raises
    ------
    SettingsError
        If the system is not one of ours.
    """
    if name not in MODELS:
        raise SettingsError(
            f"{protocol.value} evaluates {' or '.join(MODELS)}, with the baselines beside them; found {name}."
        )
    task = MODELS[name].task
    tables = {one: load_outside(data, one) for one in OUTSIDE_NAMES}
    used = {one: cells for one, cells in tables.items() if cells.frame[task].notna().all()}
    rows: list[dict[str, Any]] = []
    frames = []
    for number, (table, cells) in enumerate(used.items(), start=1):
        tested = _Tested(table, cells, task)
        found, frame = _ours(name, systems, tested, cohort)
        rows += found
        frames.append(frame)
        if protocol is Protocol.OUTSIDE:
            rows += _baselines(tested, cohort)
        progress(Progress("laboratory", number, len(used)))
    predictions = pd.concat(frames, ignore_index=True)
    if protocol is Protocol.LEAVE_ONE_LABORATORY_OUT:
        rows = _recalibrated(predictions, TASK_CLASSES[task])
    result = {
        "model": name,
        "task": task,
        "protocol": protocol.value,
        "trained_on": systems.predictors[name].models.foundation.source,
        "n_cells": int(predictions["id"].nunique()),
        "laboratories": rows,
    }
    return Evaluation(result, predictions)


class _Tested:
    """The cells of one table."""

    def __init__(self, table: str, cells: Cohort, task: str) -> None:
        self.table, self.task, self.classes = table, task, TASK_CLASSES[task]
        self.cells, self.x = cells, cells.matrix()
        self.species = cells.column("species").tolist()
        self.truth = class_numbers(cells, task, self.classes)
        self.present: Mask = np.isfinite(self.x).mean(0) > _SEEN

    def row(
        self, system: str, p: Floats, sets: Mask | None = None, predicted: Integers | None = None, **more: Any
    ) -> dict[str, Any]:
        """Metrics of one system on these cells; its likeliest classes, where it does not predict by its margins."""
        right = (p.argmax(1) if predicted is None else predicted) == self.truth
        recall = [float(right[self.truth == k].mean()) for k in np.unique(self.truth)]
        row: dict[str, Any] = {
            "laboratory": self.table,
            "system": system,
            "species": self.species[0],
            "n_cells": len(right),
            "n_features": int(self.present.sum()),
            "accuracy": float(right.mean()),
            "balanced_accuracy": float(np.mean(recall)),
            "classes": {self.classes[k]: value for k, value in zip(np.unique(self.truth), recall, strict=True)},
            "stated": float(p.max(1).mean()),
        }
        if sets is not None:
            row |= {
                "coverage": float(sets[np.arange(len(sets)), self.truth].mean()),
                "set_size": float(sets.sum(1).mean()),
            }
        return row | more

    def frame(self, system: str, p: Floats, sets: Mask, home: Floats) -> pd.DataFrame:
        """Predictions by cell, without any feature."""
        names = np.array(self.classes)
        columns = {f"p_{one}": p[:, k] for k, one in enumerate(self.classes)}
        members = ["|".join(names[inside]) for inside in sets]
        return pd.DataFrame(
            {
                "id": self.cells.column("id").astype(str),
                "laboratory": self.table,
                "system": system,
                "truth": names[self.truth],
                "predicted": names[p.argmax(1)],
                "prediction_set": members,
                "home": home,
                **columns,
            }
        )


def _ours(name: str, systems: Systems, tested: _Tested, cohort: Cohort) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    model = systems.predictors[name]
    p = model.predict_proba(tested.x, tested.species)
    sets = _as_mask(model.prediction_set(tested.x, tested.species), tested.classes)
    home = model.probability_home(tested.x, tested.species)
    expected = pd.DataFrame(model.expected_each(tested.x, tested.species))
    strange = float((model.typicality_of(tested.x, tested.species) < _STRANGE).mean())
    rows = [
        tested.row(
            ALONE,
            p,
            sets,
            promised=float(expected["accuracy"].mean()),
            taken_as_home=float(home.mean()),
            strange=strange,
        )
    ]
    frames = [tested.frame(ALONE, p, sets, home)]
    ids = tested.cells.column("id").astype(str).tolist()
    report = adapt(make_batch(ids, tested.x, tested.species), list(systems.predictors.values()), cohort)
    outcome = report.outcomes.get(name)
    if outcome is not None:
        inside = sets if outcome.sets is None else outcome.sets
        rows.append(
            tested.row(
                BATCH,
                outcome.after,
                inside,
                adapted=outcome.adapted,
                why_not=outcome.why_not or None,
                stability=outcome.fit.stability,
                gain=outcome.fit.gain,
            )
        )
        frames.append(tested.frame(BATCH, outcome.after, inside, home))
    rows.append(tested.row(NETWORK, systems.networks[name].predict_proba(tested.x, tested.species)))
    return rows, pd.concat(frames, ignore_index=True)


_STRANGE = 0.01


def _as_mask(sets: Sequence[tuple[str, ...]], classes: tuple[str, ...]) -> Mask:
    return np.array([[one in chosen for one in classes] for chosen in sets])


def _estimators() -> dict[str, Callable[[], Any]]:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC
    from xgboost import XGBClassifier

    return {
        "lda": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
        "lr": lambda: LogisticRegression(C=0.1, max_iter=2000),
        "svc": lambda: SVC(C=3.0, probability=True, random_state=0),
        "xgboost": lambda: XGBClassifier(
            n_estimators=200, max_depth=4, learning_rate=0.1, subsample=0.8, n_jobs=1, random_state=0
        ),
    }


def _baselines(tested: _Tested, cohort: Cohort) -> list[dict[str, Any]]:
    """Baselines fitted to exactly the same features of the database's cells of the species."""
    cells = cohort.of_species(tested.species[0]).labelled(tested.task)
    preprocessor = Preprocessor.fit(cells.matrix())
    truth = class_numbers(cells, tested.task, tested.classes)
    train = preprocessor(cells.matrix())[0][:, tested.present]
    kept = np.where(tested.present, tested.x, np.nan)
    test = preprocessor(kept)[0][:, tested.present]
    weights = 1 / np.sqrt(np.bincount(truth, minlength=len(tested.classes)))[truth]
    rows = []
    for name, make in _estimators().items():
        estimator = make()
        if name == "lr":
            estimator.fit(train, truth, sample_weight=weights / weights.mean())
        else:
            estimator.fit(train, truth)
        p = np.zeros((len(test), len(tested.classes)))
        p[:, np.asarray(estimator.classes_, dtype=np.int64)] = estimator.predict_proba(test)
        rows.append(tested.row(name, p, predicted=estimator.predict(test)))
    return rows


def _recalibrated(predictions: pd.DataFrame, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """For each table, coverage and stated probability with temperature and limit from the other tables' cells."""
    alone = predictions[predictions["system"] == ALONE]
    rows = []
    for table in alone["laboratory"].unique():
        own, others = (alone[(alone["laboratory"] == table) == inside] for inside in (True, False))
        if others.empty:
            continue
        p, truth = _probabilities(others, classes)
        weights = 1 / others.groupby("laboratory")["id"].transform("size").to_numpy()
        temperature = _temperature(p, truth, weights / weights.sum())
        scores = 1 - _heated(p, temperature)[np.arange(len(p)), truth]
        limit = float(np.quantile(scores, COVERAGE))
        q, own_truth = _probabilities(own, classes)
        as_is, heated = q, _heated(q, temperature)
        inside = (1 - heated) <= limit
        shown = [set(text.split("|")) for text in own["prediction_set"]]
        rows.append(
            {
                "laboratory": table,
                "calibrated_on": sorted(others["laboratory"].unique()),
                "n_cells": len(own),
                "accuracy": float((q.argmax(1) == own_truth).mean()),
                "temperature": temperature,
                "stated": float(as_is.max(1).mean()),
                "stated_recalibrated": float(heated.max(1).mean()),
                "coverage": float(np.mean([one in chosen for one, chosen in zip(own["truth"], shown, strict=True)])),
                "coverage_recalibrated": float(inside[np.arange(len(q)), own_truth].mean()),
                "set_size": float(np.mean([len(chosen) for chosen in shown])),
                "set_size_recalibrated": float(inside.sum(1).mean()),
            }
        )
    return rows


def _probabilities(frame: pd.DataFrame, classes: tuple[str, ...]) -> tuple[Floats, Integers]:
    p = frame[[f"p_{name}" for name in classes]].to_numpy(dtype=np.float64)
    return p, np.array([classes.index(name) for name in frame["truth"]])


def _heated(p: Floats, temperature: float) -> Floats:
    return np.asarray(softmax(np.log(p + _FLOOR) / temperature, axis=1))


def _temperature(p: Floats, truth: Integers, weights: Floats) -> float:
    logs, rows = np.log(p + _FLOOR), np.arange(len(truth))
    found = minimize_scalar(
        lambda t: -float(weights @ log_softmax(logs / t, axis=1)[rows, truth]), bounds=(0.3, 5.0), method="bounded"
    )
    return float(found.x)
