"""What LSPIN and DANN share as scikit-learn classifiers: features, classes and donor groups in, probabilities out."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from neuroclass.config import AugmentSettings, DannSettings, LspinSettings
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES
from neuroclass.io.artifacts import predictor_from, read_card, save_model
from neuroclass.predictors.preprocess import PlainPreprocessor, Preprocessor
from neuroclass.training.learning_cells import LearningCells
from neuroclass.types.arrays import Floats, Integers

Recipe = TypeVar("Recipe", DannSettings, LspinSettings)

ENTRY = "estimator"
FEW_CELLS = 200
"""With fewer, calibration does not move the border between classes."""


class NetworkClassifier(ClassifierMixin, BaseEstimator):
    """What both classifiers share: features in, classes and donor groups known, probabilities out."""

    predictor_: Any
    n_members: int
    steps: int
    learning_rate: float
    random_state: int

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _cells(self, x: Any, y: Any, groups: Any, domains: Any) -> LearningCells:
        """Check what `fit` was given, and learn the classes; labels that are None or NaN are unknown."""
        known = np.asarray(pd.notna(np.asarray(y, dtype=object))) if y is not None else None
        if known is None or known.ndim != 1 or known.all():
            x, y = validate_data(self, x, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
            known = np.ones(len(x), dtype=bool)
        else:
            x = validate_data(self, x, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2)
            y = np.asarray(y, dtype=object)
            if len(y) != len(x):
                raise ValueError(f"y has {len(y)} labels, X {len(x)} cells; expected as many.")
        labels = np.asarray(y)[known]
        labels = labels.astype(type(labels[0])) if labels.dtype == object and len(labels) else labels
        check_classification_targets(labels)
        self.classes_, places = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y holds one class only, {self.classes_.tolist()}; expected at least two classes.")
        truth = np.full(len(x), -1)
        truth[known] = places.ravel()
        self.n_iter_ = self._settings().optimiser.steps
        n_cells = len(x)
        one = np.full(n_cells, "cells", dtype=object)
        spaces = one if domains is None else _as_long(domains, n_cells, "domains").astype(str).astype(object)
        donors = np.arange(n_cells) if groups is None else _as_long(groups, n_cells, "groups")
        return LearningCells(
            self._placed(x),
            truth,
            tuple(map(str, self.classes_)),
            self._folds(truth, donors),
            spaces,
            spaces.astype(str),
        )

    def _settings(self) -> Any:
        raise NotImplementedError

    def _common(self, recipe: Recipe) -> Recipe:
        """A recipe with the parameters that both classifiers have; features other than the 41 are not augmented."""
        return replace(
            recipe,
            n_members=self.n_members,
            optimiser=replace(recipe.optimiser, steps=self.steps, learning_rate=self.learning_rate),
            augment=recipe.augment if self._published else AugmentSettings(masked_share=0.0, shifted_share=0.0),
            seed=self.random_state,
        )

    def _folds(self, truth: Integers, donors: npt.NDArray[Any]) -> Integers:
        """Donor group that each labelled cell is held out with; none where some class has a single donor."""
        settings, known = self._settings(), np.flatnonzero(truth >= 0)
        numbers = np.full(len(truth), -1)
        fewest = min(len(set(donors[truth == k].tolist())) for k in range(len(self.classes_)))
        if fewest >= 2:
            split = StratifiedGroupKFold(min(settings.inner_folds, fewest), shuffle=True, random_state=settings.seed)
            for number, (_, held) in enumerate(split.split(known, truth[known], donors[known])):
                numbers[known[held]] = number
        return numbers

    @property
    def _published(self) -> bool:
        """Whether the features are some of the 41, so that their units and meaning are known."""
        return set(getattr(self, "feature_names_in_", [""])) <= set(FEATURE_NAMES)

    def _placed(self, x: Floats) -> Floats:
        """The features in the network's order: some of the 41 among all of them, others as they come."""
        if not self._published:
            return x
        placed = np.full((len(x), len(FEATURE_NAMES)), np.nan)
        placed[:, [FEATURE_NAMES.index(name) for name in self.feature_names_in_]] = x
        return placed

    def _kind(self) -> type[Preprocessor]:
        return Preprocessor if self._published else PlainPreprocessor

    def _checked(self, x: Any) -> Floats:
        check_is_fitted(self)
        return self._placed(
            np.asarray(validate_data(self, x, reset=False, dtype=np.float64, ensure_all_finite="allow-nan"))
        )

    def predict_proba(self, X: Any, domains: npt.ArrayLike | None = None) -> Floats:  # noqa: ARG002
        """Calibrated probabilities, shape (n_cells, n_classes), in the order of ``classes_``."""
        x = self._checked(X)
        return np.asarray(self.predictor_.predict_proba(x))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The likeliest class of each cell."""
        likeliest = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[likeliest])

    def prediction_set(self, X: Any, coverage: float = 0.9) -> list[tuple[str, ...]]:
        """Prediction set of each cell, likeliest class first; see `Predictor.prediction_set`."""
        x = self._checked(X)
        return list(self.predictor_.prediction_set(x, coverage=coverage))

    def save(self, folder: str | Path) -> Path:
        """Write weights (safetensors) and card (JSON) to a folder.

        Returns
        -------
        Path
            The folder.
        """
        check_is_fitted(self)
        names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        entry = {
            "parameters": self.get_params(),
            "classes": self.classes_.tolist(),
            "n_features": int(self.n_features_in_),
            "feature_names": names,
        }
        try:
            json.dumps(entry)
        except TypeError as error:
            raise ModelFileError(f"A parameter cannot be written as JSON ({error}); use plain numbers.") from error
        save_model(self.predictor_, Path(folder), {ENTRY: entry})
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelFileError
            If files are missing, damaged or of another kind of classifier.
        """
        card = read_card(Path(folder))
        entry = card.get(ENTRY)
        if not isinstance(entry, Mapping) or card.get("model") != cls._name():
            raise ModelFileError(
                f"{folder} holds no saved {cls.__name__}: its card says model = {card.get('model')!r}. Name a folder "
                "that save() wrote."
            )
        model = cls(**entry["parameters"])
        model.classes_ = np.array(entry["classes"])
        model.n_features_in_ = int(entry["n_features"])
        if entry["feature_names"]:
            model.feature_names_in_ = np.array(entry["feature_names"], dtype=object)
        model.n_iter_ = model._settings().optimiser.steps
        predictor = predictor_from(cls._predictor(), Path(folder), card)
        kind, parts = model._kind(), predictor.preprocessor
        model.predictor_ = replace(predictor, preprocessor=kind(parts.mean, parts.scale, parts.covariance))
        return model

    @classmethod
    def _predictor(cls) -> Any:
        raise NotImplementedError

    @classmethod
    def _name(cls) -> str:
        return str(cls._predictor().spec.name)


def _as_long(values: Any, n_cells: int, what: str) -> npt.NDArray[Any]:
    found = np.asarray(values)
    if found.shape != (n_cells,):
        raise ValueError(f"{what} has the shape {found.shape}; expected one entry per cell, ({n_cells},).")
    return found
