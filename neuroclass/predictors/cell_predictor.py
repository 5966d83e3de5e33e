"""DANN or LSPIN for any cells: each is judged by the models of exactly its features."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.predictors.calibration import COVERAGE, ranked_sets
from neuroclass.predictors.expectations import Expectations
from neuroclass.predictors.feature_set import FeatureSetModel
from neuroclass.predictors.foundation import Foundation
from neuroclass.predictors.predictor import Predictor
from neuroclass.predictors.preprocess import Preprocessor, by_pattern, transform
from neuroclass.predictors.priors import reweight
from neuroclass.predictors.voices import SUBCLASS, shape_species
from neuroclass.types.arrays import Floats, Mask
from neuroclass.types.models import DANN, ModelSpec

_NO_FEATURES_LIMIT = 1.0


class ModelsBySet(Protocol):
    """Where the models of a set of features come from."""

    @property
    def foundation(self) -> Foundation:
        """What the models share."""
        ...

    @property
    def identity(self) -> str:
        """SHA-256 over all that the models are made from."""
        ...

    def model_for(self, present: Mask) -> FeatureSetModel:
        """The models for cells with these features, shape (41,)."""
        ...


@dataclass(frozen=True)
class CellPredictor:
    """One task's predictions for any cells.

    Attributes
    ----------
    spec : ModelSpec
        DANN's or LSPIN's.
    models : ModelsBySet
        The models of each set of features.
    card : mapping
        The shipped model's card.
    """

    spec: ModelSpec
    models: ModelsBySet
    card: Mapping[str, Any]

    @property
    def name(self) -> str:
        """``dann`` or ``lspin``."""
        return self.spec.name

    @property
    def task(self) -> str:
        """What the model tells, ``broad`` or ``subclass``."""
        return self.spec.task

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of every array of probabilities."""
        return self.spec.classes

    @property
    def preprocessor(self) -> Preprocessor:
        """Scaler and imputer."""
        return self.models.foundation.preprocessor

    @property
    def background(self) -> Floats:
        """Standardised prototypes of the training cells, shape (n_prototypes, 41)."""
        return self.models.foundation.background

    def _each(
        self, z: Floats, species: Sequence[str] | None, call: Callable[[FeatureSetModel, Floats, list[str]], Floats],
        empty: Floats,
    ) -> Floats:  # fmt: skip
        """Call the model of each pattern of features present; cells without any get `empty`."""
        names = ["unknown"] * len(z) if species is None else [str(name) for name in species]
        result = np.empty((len(z), *empty.shape))
        for pattern, rows in by_pattern(~np.isnan(z)):
            chosen = np.flatnonzero(rows)
            if not pattern.any():
                result[chosen] = empty
                continue
            result[chosen] = call(self.models.model_for(pattern), z[chosen], [names[row] for row in chosen])
        return result

    def _no_features(self) -> Floats:
        """The training cells' proportions."""
        own = self.models.foundation.shapes[Species.MOUSE.value].proportions
        return own if self.task == SUBCLASS else np.array([own[0], 1 - own[0]])

    def standardised_probabilities(self, z: Floats, species: Sequence[str] | None = None) -> Floats:
        """`predict_proba` from standardised features."""
        return self._each(z, species, lambda model, x, names: model.judge(x, names).of(self.task), self._no_features())

    def both_tasks(self, z: Floats, species: Sequence[str] | None = None) -> Floats:
        """Broad, then subclass probabilities of standardised features, shape (n_cells, 2 + n_subclasses)."""
        own = self.models.foundation.shapes[Species.MOUSE.value].proportions

        def judge(model: FeatureSetModel, rows: Floats, names: list[str]) -> Floats:
            found = model.judge(rows, names)
            return np.concatenate([found.broad, found.subclass], axis=1)

        return self._each(z, species, judge, np.concatenate([[own[0], 1 - own[0]], own]))

    def predict_proba(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Calibrated probabilities, shape (n_cells, n_classes).

        Parameters
        ----------
        x : ndarray, shape (n_cells, 41)
            Features in stored units, NaN where missing.
        species : sequence of str, optional
            ``mouse`` or ``human``; for an unknown one the mean of both.
        """
        return self.standardised_probabilities(self.preprocessor.standardise(x), species)

    def probability_home(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Probability that each recording is like the database's, shape (n_cells,)."""
        z = self.preprocessor.standardise(x)
        return self._each(z, species, lambda model, rows, names: model.judge(rows, names).home, np.array(0.5))

    def prediction_set(
        self,
        x: Floats,
        species: Sequence[str] | None = None,
        coverage: float = COVERAGE,
        weights: Floats | None = None,
        *,
        allow_empty: bool = False,
    ) -> list[tuple[str, ...]]:
        """Prediction set of each cell, likeliest class first, at the nominal `coverage`.

        See `neuroclass.predictors.predictor.Predictor.prediction_set`.
        """
        z = self.preprocessor.standardise(x)
        probabilities = self.standardised_probabilities(z, species)
        if weights is not None:
            probabilities = reweight(probabilities, weights)

        def limit(model: FeatureSetModel, rows: Floats, names: list[str]) -> Floats:
            return model.limits_of(self.task, names, model.judge(rows, names).home, coverage)

        limits = self._each(z, species, limit, np.array(_NO_FEATURES_LIMIT))
        inside = (1 - probabilities) <= limits[:, None]
        if not allow_empty:
            inside[np.arange(len(inside)), probabilities.argmax(1)] = True
        inside &= True if weights is None else weights > 0
        return ranked_sets(probabilities, inside, self.classes)

    def _unclipped(self, x: Floats) -> Floats:
        known = np.where(np.isfinite(x), x, np.nan)
        return np.asarray((transform(known) - self.preprocessor.mean) / self.preprocessor.scale)

    def typicality_of(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """Fraction of held-out cells, in any laboratory, at least as unusual on the features present, (n_cells,)."""
        return self.standardised_typicality(self._unclipped(x), species)

    def standardised_typicality(self, z: Floats, species: Sequence[str] | None = None) -> Floats:
        """`typicality_of` from standardised features."""
        return self._each(z, species, lambda model, rows, names: model.typicality(rows, names), np.array(1.0))

    def deviations(self, x: Floats, species: Sequence[str]) -> Floats:
        """Each feature's deviation from what the cell's others imply, in standard deviations, shape (n_cells, 41).

        Under the cell's likeliest class, allowing for any laboratory's offset; 0 for missing features.
        """

        def spread(model: FeatureSetModel, rows: Floats, name: str) -> Floats:
            return model.unusual(rows, name)[1]

        return self._by_species(x, species, spread, 0.0)

    def from_home(self, x: Floats, species: Sequence[str]) -> Floats:
        """Each feature's distance from the database's likeliest class, in its standard deviations, shape (n_cells, 41).

        NaN for missing features.
        """
        return self._by_species(x, species, lambda model, rows, name: model.from_home(rows, name), np.nan)

    def _by_species(
        self,
        x: Floats,
        species: Sequence[str],
        call: Callable[[FeatureSetModel, Floats, str], Floats],
        empty: float,
    ) -> Floats:
        """A figure of each feature, shape (n_cells, 41), by the class shapes of each cell's species."""

        def spread(model: FeatureSetModel, rows: Floats, names: list[str]) -> Floats:
            whole, known_for = np.full(rows.shape, empty), np.array([shape_species(name) for name in names])
            for name in np.unique(known_for):
                chosen = np.flatnonzero(known_for == name)
                whole[np.ix_(chosen, model.columns)] = call(model, rows[chosen], str(name))
            return whole

        z = self._unclipped(x)
        return self._each(z, species, spread, np.full(z.shape[1], empty))

    def excitatory_apart(self, x: Floats, species: Sequence[str]) -> Floats:
        """What DANN alone gives to excitatory and LSPIN alone to Glutamatergic, shape (n_cells, 2)."""
        z = self.preprocessor.standardise(x)
        return self._each(z, species, lambda model, rows, names: model.judge(rows, names).excitatory, np.full(2, 0.5))

    def expected(self, x: Floats, species: str) -> dict[str, Any]:
        """Accuracy to expect of one cell, shape (41,), with exactly its features.

        Returns
        -------
        dict
            ``accuracy`` with ``low`` and ``high`` (95% interval over donors), ``coverage``, ``by_class``, ``n_cells``,
            ``n_features``, ``species``; ``home`` and ``elsewhere``, the accuracy on held-out cells as recorded by the
            database and as simulated laboratories measure them, and ``probability_home``, which weighs them; empty
            where nothing is known.
        """
        return self.expected_each(x[None], [species])[0]

    def expected_each(self, x: Floats, species: Sequence[str]) -> list[dict[str, Any]]:
        """`expected` of many cells, shape (n_cells, 41)."""
        figures = Expectations(self.models, self.task)
        every = zip(np.isfinite(x), species, self.probability_home(x, species), strict=True)
        return [figures.expected(present, str(name), float(home)) for present, name, home in every]

    def next_stimulus(self, x: Floats, species: str, home: float) -> dict[str, Any] | None:
        """The one stimulus more whose features would raise the expected accuracy of a cell, shape (41,), most.

        Returns
        -------
        dict or None
            ``stimulus``, ``accuracy`` with all its features and ``now`` without (fractions of held-out cells, weighted
            by P(home)); None where none helps.
        """
        return self.next_stimuli(x[None], [species], [home])[0]

    def next_stimuli(self, x: Floats, species: Sequence[str], homes: Sequence[float]) -> list[dict[str, Any] | None]:
        """`next_stimulus` of many cells, shape (n_cells, 41)."""
        figures = Expectations(self.models, self.task)
        every = zip(np.isfinite(x), species, homes, strict=True)
        return [figures.next_stimulus(present, str(name), home) for present, name, home in every]


@dataclass(frozen=True)
class GatedCellPredictor(CellPredictor):
    """LSPIN's; adds the gates."""

    def gates(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """The consensus gates, shape (n_cells, 41): 0 shut to 1 open, 0 for missing features."""
        z = self.preprocessor.standardise(x)
        return self._each(z, species, lambda model, rows, names: model.gates(rows, names), np.zeros(z.shape[1]))


@dataclass(frozen=True)
class JointPredictor:
    """Both tasks of the same cells at once, so that an explanation asks the models once.

    Attributes
    ----------
    subclass : CellPredictor
        The subclass model.
    """

    subclass: CellPredictor
    name: str = "dann and lspin"

    @property
    def classes(self) -> tuple[str, ...]:
        """Broad classes, then subclasses."""
        return (*DANN.classes, *self.subclass.classes)

    @property
    def preprocessor(self) -> Preprocessor:
        """Scaler and imputer."""
        return self.subclass.preprocessor

    @property
    def background(self) -> Floats:
        """Standardised prototypes of the training cells."""
        return self.subclass.background

    def standardised_probabilities(self, z: Floats, species: Sequence[str] | None = None) -> Floats:
        """Probabilities of both tasks, shape (n_cells, 2 + n_subclasses)."""
        return self.subclass.both_tasks(z, species)


AnyPredictor: TypeAlias = CellPredictor | Predictor
"""What judges cells: the models of exactly their features, or one network for all features."""
