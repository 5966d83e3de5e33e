"""Human cells: DANN for their features, reconciled with the human subclass model.

Both know whether a human cell is excitatory (Glutamatergic). As for mouse cells, their log odds are averaged, and the
other subclasses share the rest; but the human subclass model, which saw interneurons of another laboratory beside the
database's cells, weighs four times as much as DANN. Each scales and clips a cell's features in its own way, so they are
standardised without clipping here: human interneurons lie far out among the database's cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.predictors.calibration import COVERAGE, ranked_sets
from neuroclass.predictors.cell_predictor import CellPredictor
from neuroclass.predictors.human_subclass import HumanSubclassPredictor
from neuroclass.predictors.preprocess import UnclippedPreprocessor
from neuroclass.predictors.priors import reweight
from neuroclass.predictors.voices import BROAD, reconciled
from neuroclass.types.arrays import Floats, Mask

DANN_WEIGHT = 1 / 5
_TINY = 1e-6


def as_one(broad: Floats, subclass: Floats) -> tuple[Floats, Floats]:
    """DANN's and the human subclass model's probabilities as one answer, see `reconciled`."""
    return reconciled(np.log(broad + _TINY), np.log(subclass + _TINY), DANN_WEIGHT)


def _of_human(species: Sequence[str] | None, n_cells: int) -> Mask:
    return np.array(["unknown"] * n_cells if species is None else list(species), dtype=object) == Species.HUMAN


@dataclass(frozen=True)
class HumanAwarePredictor(CellPredictor):
    """DANN's predictions, for human cells reconciled with the human subclass model.

    Attributes
    ----------
    human : HumanSubclassPredictor
        The human subclass model.
    """

    human: HumanSubclassPredictor

    @property
    def preprocessor(self) -> UnclippedPreprocessor:
        """Scaler and imputer; it does not clip."""
        own = self.models.foundation.preprocessor
        return UnclippedPreprocessor(own.mean, own.scale, own.covariance)

    def _answers(self, z: Floats) -> tuple[Floats, Floats]:
        """Broad and human subclass probabilities of human cells, shapes (n_cells, 2) and (n_cells, 5)."""
        names = [Species.HUMAN.value] * len(z)
        plain = self._each(z, names, lambda model, rows, of: model.judge(rows, of).of(BROAD), np.full(2, 0.5))
        fine = self.human.predict_proba(self.preprocessor.stored_units(z), names)
        return as_one(plain, fine)

    def standardised_probabilities(self, z: Floats, species: Sequence[str] | None = None) -> Floats:
        """`predict_proba` from standardised features."""
        rows = _of_human(species, len(z))
        result = super().standardised_probabilities(z, species)
        if rows.any():
            result[rows] = self._answers(z[rows])[0]
        return result

    def standardised_typicality(self, z: Floats, species: Sequence[str] | None = None) -> Floats:
        """Fraction of held-out cells at least as unusual, of the models that know the cell better, shape (n_cells,)."""
        result = super().standardised_typicality(z, species)
        rows = _of_human(species, len(z))
        if rows.any():
            result[rows] = np.maximum(result[rows], self.human.typicality_of(self.preprocessor.stored_units(z[rows])))
        return result


@dataclass(frozen=True)
class HumanCellPredictor(HumanAwarePredictor):
    """Subclasses of human cells."""

    def standardised_probabilities(self, z: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """`predict_proba` from standardised features."""
        return self._answers(z)[1]

    def both_tasks(self, z: Floats, species: Sequence[str] | None = None) -> Floats:  # noqa: ARG002
        """Broad, then subclass probabilities of standardised features, shape (n_cells, 7)."""
        return np.concatenate(self._answers(z), axis=1)

    def prediction_set(
        self,
        x: Floats,
        species: Sequence[str] | None = None,
        coverage: float = COVERAGE,
        weights: Floats | None = None,
        *,
        allow_empty: bool = False,
    ) -> list[tuple[str, ...]]:
        """Prediction set of each cell, likeliest class first, at the nominal `coverage`."""
        probabilities = self.predict_proba(x, species)
        if weights is not None:
            probabilities = reweight(probabilities, weights)
        hidden = self.human.hidden_share(np.isfinite(x))
        names = [Species.HUMAN.value] * len(x)
        inside = self.human.calibration.sets(probabilities, hidden, names, coverage, allow_empty=allow_empty)
        inside &= True if weights is None else weights > 0
        return ranked_sets(probabilities, inside, self.classes)

    def gates(self, x: Floats, species: Sequence[str] | None = None) -> Floats:
        """LSPIN's consensus gates, shape (n_cells, 41): 0 shut to 1 open, 0 for missing and unused features."""
        return self.human.gates(x, species)

    def next_stimuli(
        self,
        x: Floats,
        species: Sequence[str],  # noqa: ARG002
        homes: Sequence[float],  # noqa: ARG002
    ) -> list[dict[str, Any] | None]:
        """Not measured for human subclasses."""
        return [None] * len(x)

    def expected_each(self, x: Floats, species: Sequence[str]) -> list[dict[str, Any]]:  # noqa: ARG002
        """What held-out cells of other donors reached with the same stimuli; see `HumanSubclassPredictor`."""
        found = self.human.expected_accuracy(x)
        return [
            {**one, "stimuli": one["stimuli"].split("+"), "n_features": int(np.isfinite(row).sum())} if one else {}
            for one, row in zip(found, x, strict=True)
        ]
