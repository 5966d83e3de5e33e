"""The labelled cells of one table: metrics and predictions of a system on them; baselines of the same features."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cell_types import TASK_CLASSES
from neuroclass.cohort.cohort import Cohort
from neuroclass.errors import CohortError
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.training.targets import class_numbers
from neuroclass.types.arrays import Floats, Integers, Mask

DIGITS = 4
"""Decimal places of stored probabilities."""
_SEEN = 0.5


class LabelledCells:
    """The cells of one table, all of one species and all with the task's label.

    Parameters
    ----------
    table : str
        The laboratory's name.
    cells : Cohort
        Its cells.
    task : str
        ``broad`` or ``subclass``.

    Raises
    ------
    CohortError
        If there is no cell, a cell has no label, or there are two species.
    """

    def __init__(self, table: str, cells: Cohort, task: str) -> None:
        species = sorted(set(cells.column("species")))
        n_labels = int(cells.frame[task].notna().sum())
        if len(species) != 1 or n_labels != len(cells):
            raise CohortError(
                f"{table} has {len(cells)} cells of the species {species}, {n_labels} of them with a {task} label; "
                "expected labelled cells of one species. Split the table by species and leave the others out."
            )
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
        columns = {f"p_{one}": p[:, k].round(DIGITS) for k, one in enumerate(self.classes)}
        members = ["|".join(names[inside]) for inside in sets]
        return pd.DataFrame(
            {
                "id": self.cells.column("id").astype(str),
                "laboratory": self.table,
                "species": self.species[0],
                "system": system,
                "truth": names[self.truth],
                "predicted": names[p.argmax(1)],
                "prediction_set": members,
                "home": np.round(home, DIGITS),
                **columns,
            }
        )


def estimators() -> Mapping[str, Callable[[], Any]]:
    """What makes each baseline, by name."""
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


def baseline_features(tested: LabelledCells, cohort: Cohort) -> tuple[Floats, Integers, Floats]:
    """What a baseline is fitted to and tested on: the same features of the database's cells of the species.

    Parameters
    ----------
    tested : LabelledCells
        The cells of another laboratory.
    cohort : Cohort
        The database's cells.

    Returns
    -------
    train : ndarray, shape (n_train, n_features)
        Standardised features that most tested cells have, imputed.
    truth : ndarray of int, shape (n_train,)
        Classes of the training cells.
    test : ndarray, shape (n_cells, n_features)
        The same features of the tested cells.
    """
    cells = cohort.of_species(tested.species[0]).labelled(tested.task)
    preprocessor = Preprocessor.fit(cells.matrix())
    train = preprocessor(cells.matrix())[0][:, tested.present]
    kept = np.where(tested.present, tested.x, np.nan)
    return train, class_numbers(cells, tested.task, tested.classes), preprocessor(kept)[0][:, tested.present]


def fit_baseline(name: str, train: Floats, truth: Integers, n_classes: int) -> Any:
    """A baseline fitted to the database's cells; logistic regression with classes weighted by 1/√n."""
    estimator = estimators()[name]()
    if name != "lr":
        return estimator.fit(train, truth)
    weights = 1 / np.sqrt(np.bincount(truth, minlength=n_classes))[truth]
    return estimator.fit(train, truth, sample_weight=weights / weights.mean())


def baselines(tested: LabelledCells, cohort: Cohort) -> list[dict[str, Any]]:
    """Metrics of the baselines, fitted to exactly the same features of the database's cells of the species."""
    train, truth, test = baseline_features(tested, cohort)
    rows = []
    for name in estimators():
        estimator = fit_baseline(name, train, truth, len(tested.classes))
        p = np.zeros((len(test), len(tested.classes)))
        p[:, np.asarray(estimator.classes_, dtype=np.int64)] = estimator.predict_proba(test)
        rows.append(tested.row(name, p, predicted=estimator.predict(test)))
    return rows
