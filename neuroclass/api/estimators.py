"""LSPIN and DANN as scikit-learn classifiers, for the 41 features or any others."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

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
from neuroclass.predictors.dann import DannPredictor
from neuroclass.predictors.lspin import LspinPredictor
from neuroclass.predictors.preprocess import PlainPreprocessor, Preprocessor
from neuroclass.training.fit_dann import fit_dann
from neuroclass.training.fit_lspin import fit_lspin
from neuroclass.training.learning_cells import LearningCells
from neuroclass.types.arrays import Floats, Integers

ENTRY = "estimator"
_FEW_CELLS = 200
"""With fewer, calibration does not move the border between classes."""


class _NetworkClassifier(ClassifierMixin, BaseEstimator):
    """What both classifiers share: features in, classes and donor groups known, probabilities out."""

    predictor_: Any

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
        raise ValueError(f"{what} has the shape {found.shape}; expected one entry a cell, ({n_cells},).")
    return found


class LSPINClassifier(_NetworkClassifier):
    """Locally sparse network: a gating network opens, per cell, the few features that a prediction network may see.

    Some of the 41 features, as columns of a DataFrame, are transformed, augmented and completed as for the shipped
    model; any other features are standardised only.

    Parameters
    ----------
    n_members : int
        Networks in the ensemble.
    gate_penalty : float
        Weight of the number of open gates, λ1.
    similarity : float
        Weight of the gates' differences between alike cells, λ2.
    steps : int
        Training steps.
    learning_rate : float
        Highest rate.
    random_state : int
        Seed.

    Attributes
    ----------
    classes_ : ndarray
        Classes in the order of the probabilities.
    predictor_ : LspinPredictor
        The trained networks.

    References
    ----------
    .. [1] Yang, Lindenbaum and Kluger, "Locally sparse neural networks for tabular biomedical data", ICML 2022.

    Examples
    --------
    >>> import neuroclass as nc
    >>> cells = nc.load_cohort().labelled("subclass").to_frame()
    >>> x, y = cells[["tau", "width", "f_i_curve_slope", "ri"]], cells["subclass"]
    >>> model = nc.LSPINClassifier(n_members=3, steps=60).fit(x, y, groups=cells["donor"])
    >>> model.gates(x).shape == x.shape
    True
    """

    def __init__(
        self,
        n_members: int = 10,
        gate_penalty: float = LspinSettings().gate_penalty,
        similarity: float = LspinSettings().similarity,
        steps: int = LspinSettings().optimiser.steps,
        learning_rate: float = LspinSettings().optimiser.learning_rate,
        random_state: int = 0,
    ) -> None:
        self.n_members = n_members
        self.gate_penalty = gate_penalty
        self.similarity = similarity
        self.steps = steps
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _settings(self) -> LspinSettings:
        recipe = LspinSettings()
        return replace(
            recipe,
            n_members=self.n_members,
            gate_penalty=self.gate_penalty,
            similarity=self.similarity,
            optimiser=replace(recipe.optimiser, steps=self.steps, learning_rate=self.learning_rate),
            augment=recipe.augment if self._published else AugmentSettings(masked_share=0.0, shifted_share=0.0),
            seed=self.random_state,
        )

    def fit(self, X: Any, y: Any, groups: npt.ArrayLike | None = None) -> Self:
        """Train.

        Parameters
        ----------
        X : array-like, shape (n_cells, n_features)
            Features, NaN where missing.
        y : array-like, shape (n_cells,)
            Classes.
        groups : array-like, shape (n_cells,), optional
            Donor of each cell, so that no donor is on both sides of calibration; by default each cell its own.

        Returns
        -------
        LSPINClassifier

        Raises
        ------
        ValueError
            If there is one class only, or the shapes differ.
        """
        cells = self._cells(X, y, groups, None)
        preprocessor = self._kind().fit(cells.x)
        self.predictor_ = fit_lspin(cells, preprocessor, self._settings(), biased=len(cells.x) >= _FEW_CELLS)
        return self

    def gates(self, X: Any) -> Floats:
        """Gates of each cell, shape (n_cells, n_features): 0 shut to 1 open, 0 for missing features."""
        x = self._checked(X)
        gates = self.predictor_.gates(x)
        if self._published:
            gates = gates[:, [FEATURE_NAMES.index(name) for name in self.feature_names_in_]]
        return np.asarray(gates)

    @classmethod
    def _predictor(cls) -> type[LspinPredictor]:
        return LspinPredictor


class DANNClassifier(_NetworkClassifier):
    """Domain-adversarial network: classes are learned from features in which the domain cannot be found out.

    Cells whose label is None or NaN take part in the adversary only, such as those of an unlabelled species.

    Parameters
    ----------
    n_members : int
        Networks in the ensemble.
    reversal : float
        Highest weight of the reversed gradient, λ; 0 for no adversary.
    steps : int
        Training steps.
    learning_rate : float
        Highest rate.
    random_state : int
        Seed.

    Attributes
    ----------
    classes_ : ndarray
        Classes in the order of the probabilities.
    predictor_ : DannPredictor
        The trained networks.

    References
    ----------
    .. [1] Ganin et al., "Domain-adversarial training of neural networks", JMLR 17, 2016.

    Examples
    --------
    >>> import neuroclass as nc
    >>> cells = nc.load_cohort().to_frame()
    >>> x = cells[["tau", "width", "f_i_curve_slope", "ri"]]
    >>> model = nc.DANNClassifier(n_members=3, steps=60)
    >>> model = model.fit(x, cells["broad"], domains=cells["species"], groups=cells["donor"])
    >>> len(model.embed(x)) == len(x)
    True
    """

    def __init__(
        self,
        n_members: int = 10,
        reversal: float = DannSettings().reversal,
        steps: int = DannSettings().optimiser.steps,
        learning_rate: float = DannSettings().optimiser.learning_rate,
        random_state: int = 0,
    ) -> None:
        self.n_members = n_members
        self.reversal = reversal
        self.steps = steps
        self.learning_rate = learning_rate
        self.random_state = random_state

    def _settings(self) -> DannSettings:
        recipe = DannSettings()
        return replace(
            recipe,
            n_members=self.n_members,
            reversal=self.reversal,
            optimiser=replace(recipe.optimiser, steps=self.steps, learning_rate=self.learning_rate),
            augment=recipe.augment if self._published else AugmentSettings(masked_share=0.0, shifted_share=0.0),
            seed=self.random_state,
        )

    def fit(
        self,
        X: Any,
        y: Any,
        domains: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : array-like, shape (n_cells, n_features)
            Features, NaN where missing.
        y : array-like, shape (n_cells,)
            Classes; None or NaN where unknown.
        domains : array-like, shape (n_cells,), optional
            Domain of each cell, such as its species or laboratory; by default all one.
        groups : array-like, shape (n_cells,), optional
            Donor of each cell; by default each cell its own.

        Returns
        -------
        DANNClassifier

        Raises
        ------
        ValueError
            If there is one class only, or the shapes differ.
        """
        cells = self._cells(X, y, groups, domains)
        preprocessor = self._kind().fit(cells.x)
        self.predictor_ = fit_dann(cells, preprocessor, self._settings(), biased=len(cells.x) >= _FEW_CELLS)
        return self

    def embed(self, X: Any) -> Floats:
        """Domain-invariant features of each cell, shape (n_cells, width)."""
        x = self._checked(X)
        return np.asarray(self.predictor_.embed(x))

    @classmethod
    def _predictor(cls) -> type[DannPredictor]:
        return DannPredictor
