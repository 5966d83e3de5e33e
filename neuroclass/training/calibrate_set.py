"""Calibrate the models of one set of features on donors that each member has not seen.

Held-out cells are judged as they are ("home") and as simulated laboratories measure them ("away"), by both voices, as
any cell will be. Each voice's temperature comes from the cells that it is for; that of the subclasses away is lowered
by a factor of .78, because real laboratories' cells are classified better than simulated ones (the best factor is .81
on the cells of the visual cortex and .74 on those of the motor cortex; either makes the other's stated probabilities
come true). The limits of the prediction sets and the accuracy to expect come from the mixed answer, the limits for
cells taken as home and as away apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.predictors import voices
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.feature_set import EVEN, LEVELS, FeatureSetModel, Voice
from neuroclass.predictors.foundation import SPECIES
from neuroclass.predictors.lab_shifts import lab_covariance
from neuroclass.predictors.strangeness import Strangeness, allowance, deviations
from neuroclass.predictors.voices import AWAY, BROAD, HOME, REMEASURED, SUBCLASS, VOICES
from neuroclass.training.fit_feature_set import CellSource
from neuroclass.training.training_table import N_FOLDS, TrainingTable
from neuroclass.types.arrays import Floats, Integers

N_LABORATORIES = 3
"""Simulated laboratories in which each held-out cell is measured."""

_NOT_HOME = 0.02
_FEW_FEATURES = 8
_THRESHOLD = 0.5
_NORMAL = 1.96
_REAL_LABORATORIES = 0.78
_LEAST_CELLS = 50


@dataclass(frozen=True)
class _HeldOut:
    """Held-out cells: as they are, or as simulated laboratories measure them, one below the other.

    Attributes
    ----------
    z : ndarray, shape (n_cells, n_features)
        Standardised features.
    rows : ndarray of int, shape (n_cells,)
        Row of each in the training table.
    likelihoods : mapping of (voice, species) to ndarray, shape (n_cells, n_components)
        By the shapes of the other folds.
    parts : mapping of (task, voice) to mapping of part to ndarray, shape (n_cells, n_classes)
        What networks and kernel models say that have not seen the cell's donor.
    """

    z: Floats
    rows: Integers
    likelihoods: Mapping[tuple[str, str], Floats]
    parts: Mapping[tuple[str, str], Mapping[str, Floats]]


@dataclass(frozen=True)
class _Answers:
    """Mixed answers of one species' held-out cells: rows of the table, P(home), and probabilities by task."""

    rows: Integers
    home: Floats
    probabilities: Mapping[str, Floats]


class Calibration:
    """Everything that is fitted on held-out cells.

    Parameters
    ----------
    table : TrainingTable
        All cells.
    columns : ndarray of int
        Features of the set.
    fitted : mapping of (task, voice) to Voice
        The trained parts, not calibrated.
    sources : mapping of (task, voice) to CellSource
        Which member saw which donors, and how laboratories are simulated.
    """

    def __init__(
        self, table: TrainingTable, columns: Integers, fitted: Mapping[tuple[str, str], Voice],
        sources: Mapping[tuple[str, str], CellSource],
    ) -> None:  # fmt: skip
        self._table, self._columns = table, columns
        self._lab = lab_covariance(table.foundation.preprocessor)[np.ix_(columns, columns)]
        self._shapes = [{name: one.only(columns) for name, one in fold.items()} for fold in table.fold_shapes]
        self._voices = dict(fitted)
        self._sources, self._source = sources, sources[SUBCLASS, AWAY]
        rows = np.arange(len(table.z))
        every = np.tile(rows, N_LABORATORIES)
        own = table.z[:, columns]
        self._held = {
            HOME: self._held_out(own, rows),
            AWAY: self._held_out(self._source.shifted(own[every]), every),
        }

    def _held_out(self, z: Floats, rows: Integers) -> _HeldOut:
        likelihoods = {(voice, name): self._likelihoods(voice, z, rows, name) for voice in VOICES for name in SPECIES}
        return _HeldOut(z, rows, likelihoods, {key: self._parts(key, z, rows) for key in self._voices})

    def _parts(self, key: tuple[str, str], z: Floats, rows: Integers) -> dict[str, Floats]:
        one, own_fold = self._voices[key], self._table.folds[rows]
        unseen = self._sources[key].folds[:, None] == own_fold[None, :]
        members = one.members(z, agree=False)
        parts = {"net": (members * unseen[:, :, None]).sum(0) / unseen.sum(0)[:, None]}
        if one.kernel is not None:
            human = self._table.species[rows] != SPECIES[0]
            each = np.where(human[:, None], one.kernel.members(z, True), one.kernel.members(z, False))
            parts["kernel"] = each[own_fold, np.arange(len(z))]
        return parts

    def _likelihoods(self, voice: str, z: Floats, rows: Integers, species: str) -> Floats:
        """Of the components of a species, by the shapes of the other folds, shape (n_cells, n_components)."""
        result = np.empty((len(z), len(self._shapes[0][species].means)))
        for fold in range(N_FOLDS):
            chosen = self._table.folds[rows] == fold
            shapes = self._shapes[fold][species]
            if voice == HOME:
                result[chosen] = voices.home_likelihoods(z[chosen], shapes)
            else:
                other = REMEASURED[self._columns]
                result[chosen] = voices.away_likelihoods(z[chosen], shapes, self._lab, other)
        return result

    def model(self) -> FeatureSetModel:
        """Calibrate."""
        for task, voice in self._voices:
            self._heat(task, voice)
        limits: dict[tuple[str, str, str], Floats] = {}
        figures: dict[str, Any] = {}
        thresholds = {species: self._threshold(species) for species in SPECIES}
        for species in SPECIES:
            answers = {origin: self._answers(origin, species, thresholds[species]) for origin in VOICES}
            for task in answers[HOME].probabilities:
                ends = self._limits(task, answers)
                limits.update({(task, voice, species): values for voice, values in ends.items()})
                at = {voice: float(np.interp(COVERAGE, LEVELS, values)) for voice, values in ends.items()}
                for origin, found in answers.items():
                    limit = np.where(found.home >= EVEN, at[HOME], at[AWAY])
                    truth = self._table.truth[task][found.rows]
                    weights = self._weights(task, origin, truth)
                    row = self._figures(task, found.rows, found.probabilities[task], weights, limit)
                    figures.setdefault(species, {}).setdefault(task, {})[origin] = row
        return FeatureSetModel(
            self._columns,
            self._table.foundation,
            self._voices,
            limits,
            thresholds,
            {species: self._strangeness(species) for species in SPECIES},
            figures,
        )

    def _of(self, origin: str, species: str) -> Integers:
        """Places of a species' cells among the held-out cells."""
        return np.flatnonzero(self._table.species[self._held[origin].rows] == species)

    def _plain(self, task: str, voice: str, origin: str, species: str) -> dict[str, Floats]:
        """The parts of a voice for a species' held-out cells."""
        held, places = self._held[origin], self._of(origin, species)
        parts = {name: values[places] for name, values in held.parts[task, voice].items()}
        shapes = self._table.foundation.shapes[species]
        parts["t"] = voices.t_posterior(task, voice, held.likelihoods[voice, species][places], shapes)
        return parts

    def _heat(self, task: str, voice: str) -> None:
        """Choose the temperatures of one voice on the cells that it is for."""
        temperatures = dict.fromkeys(SPECIES, 1.0)
        for species in SPECIES if task == BROAD else SPECIES[:1]:
            truth = self._table.truth[task][self._held[voice].rows[self._of(voice, species)]]
            plain = voices.pooled(voice, self._plain(task, voice, voice, species))
            temperatures[species] = _temperature(plain, truth, self._weights(task, voice, truth))
            if (task, voice) == (SUBCLASS, AWAY):
                temperatures[species] *= _REAL_LABORATORIES
        self._voices[task, voice] = replace(self._voices[task, voice], temperatures=temperatures)

    def _weights(self, task: str, origin: str, truth: Integers) -> Floats:
        """Weights of held-out cells: equal at home; classes equally likely elsewhere."""
        if origin == HOME:
            return np.full(len(truth), 1 / len(truth))
        counts = np.bincount(truth, minlength=len(TASK_CLASSES[task]))
        weights = 1 / counts[truth]
        return np.asarray(weights / weights.sum())

    def _answers(self, origin: str, species: str, threshold: float) -> _Answers:
        """What both voices together say of a species' held-out cells."""
        home = voices.probability_home(self._ratio(origin, species), threshold)
        mixed: dict[str, Floats] = {}
        for voice, share in ((HOME, home), (AWAY, 1 - home)):
            for task, p in self._voice_answers(voice, origin, species).items():
                mixed[task] = mixed.get(task, 0.0) + share[:, None] * p
        return _Answers(self._held[origin].rows[self._of(origin, species)], home, mixed)

    def _voice_answers(self, voice: str, origin: str, species: str) -> dict[str, Floats]:
        logs = {
            task: voices.pooled(
                voice, self._plain(task, voice, origin, species), self._voices[task, voice].temperatures[species]
            )
            for task in ((BROAD, SUBCLASS) if species == Species.MOUSE else (BROAD,))
        }
        if species == Species.HUMAN:
            return {BROAD: np.exp(logs[BROAD])}
        broad, subclass = voices.reconciled(logs[BROAD], logs[SUBCLASS])
        return {BROAD: broad, SUBCLASS: subclass}

    def _ratio(self, origin: str, species: str) -> Floats:
        """Logarithm of the ratio of the densities at home and away, shape (n_cells,)."""
        held, places = self._held[origin], self._of(origin, species)
        shapes = self._table.foundation.shapes[species]
        task = SUBCLASS if species == Species.MOUSE else BROAD
        home, away = (
            voices.log_density(
                held.likelihoods[voice, species][places], voices.component_proportions(task, voice, shapes)
            )
            for voice in VOICES
        )
        return np.asarray(home - away)

    def _limits(self, task: str, answers: Mapping[str, _Answers]) -> dict[str, Floats]:
        """Quantiles of 1 − p(true class) at `LEVELS`, of the cells taken as home and of those taken as away.

        Cells as recorded and as simulated laboratories measure them weigh alike.
        """
        homes, scores, weights = [], [], []
        for origin, found in answers.items():
            truth = self._table.truth[task][found.rows]
            homes.append(found.home >= EVEN)
            scores.append(1 - found.probabilities[task][np.arange(len(truth)), truth])
            weights.append(self._weights(task, origin, truth))
        home, score, weight = (np.concatenate(part) for part in (homes, scores, weights))
        result = {}
        for voice, chosen in ((HOME, home), (AWAY, ~home)):
            chosen = chosen if chosen.sum() >= _LEAST_CELLS else np.ones(len(home), dtype=bool)
            result[voice] = _quantiles(score[chosen], weight[chosen] / weight[chosen].sum())
        return result

    def _figures(
        self, task: str, rows: Integers, p: Floats, weights: Floats, limit: Floats
    ) -> dict[str, Any]:  # fmt: skip
        """Accuracy and coverage on held-out cells."""
        truth = self._table.truth[task][rows]
        right = p.argmax(1) == truth
        accuracy = float(weights @ right)
        _, donor = np.unique(self._table.donors[rows], return_inverse=True)
        error = float(np.sqrt((np.bincount(donor, weights * (right - accuracy)) ** 2).sum()))
        names = TASK_CLASSES[task]
        inside = (1 - p) <= limit[:, None]
        return {
            "accuracy": accuracy,
            "low": max(0.0, accuracy - _NORMAL * error),
            "high": min(1.0, accuracy + _NORMAL * error),
            "by_class": {name: float(right[truth == k].mean()) for k, name in enumerate(names) if (truth == k).any()},
            "coverage": float(weights @ inside[np.arange(len(p)), truth]),
            "set_size": float(weights @ inside.sum(1)),
            "stated": float(weights @ p.max(1)),
            "n_cells": len(np.unique(rows)),
        }

    def _threshold(self, species: str) -> float:
        """The b of P(home): with few features, whose densities say little, what 98% of the held-out cells exceed."""
        if len(self._columns) > _FEW_FEATURES:
            return _THRESHOLD
        return min(_THRESHOLD, float(np.quantile(self._ratio(HOME, species), _NOT_HOME)))

    def _strangeness(self, species: str) -> Strangeness:
        """From held-out cells as they are, and moved as laboratories may move them."""
        distances, largest = [], []
        lab = self._lab + allowance(self._columns)
        places = np.flatnonzero(self._table.species == species)
        for number in range(1 + N_LABORATORIES):
            z = self._table.z[places][:, self._columns]
            moved = self._source.offset(z) if number else z
            for fold in range(N_FOLDS):
                chosen = self._table.folds[places] == fold
                distance, deviation = deviations(moved[chosen], self._shapes[fold][species], lab)
                distances.append(distance)
                largest.append(np.abs(deviation).max(1, initial=0.0))
        return Strangeness.fit(np.concatenate(distances), np.concatenate(largest))


def _temperature(log_p: Floats, truth: Integers, weights: Floats) -> float:
    """The temperature with the least weighted log loss."""
    rows = np.arange(len(truth))
    found = minimize_scalar(
        lambda t: -float(weights @ log_softmax(log_p / t, axis=1)[rows, truth]), bounds=(0.3, 5.0), method="bounded"
    )
    return float(found.x)


def _quantiles(scores: Floats, weights: Floats) -> Floats:
    """Weighted quantiles at `LEVELS`, with finite-sample correction."""
    order = np.argsort(scores)
    cumulative = np.cumsum(weights[order])
    n = 1 / (weights**2).sum()
    places = np.searchsorted(cumulative, np.minimum(1.0, LEVELS * (n + 1) / n) - 1e-12)
    return np.asarray(scores[order][np.minimum(places, len(scores) - 1)])
