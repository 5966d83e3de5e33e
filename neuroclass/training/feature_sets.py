"""The models of one set of features: fit the four networks, and calibrate on donors that each member has not seen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from neuroclass.cell_types import TASK_CLASSES, Species
from neuroclass.errors import SettingsError
from neuroclass.predictors import voices
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.feature_set import LEVELS, FeatureSetModel, Voice
from neuroclass.predictors.foundation import SPECIES
from neuroclass.predictors.lab_shifts import lab_covariance
from neuroclass.predictors.strangeness import Strangeness, allowance, deviations
from neuroclass.predictors.voices import AWAY, BROAD, HOME, REMEASURED, SUBCLASS, VOICES
from neuroclass.training.fit_feature_set import CellSource, train_network
from neuroclass.training.fit_kernel import fit_kernel
from neuroclass.training.training_table import N_FOLDS, TrainingTable
from neuroclass.types.arrays import Floats, Integers, Mask
from neuroclass.types.progress import NETWORK, Progress, ProgressCallback, ignore_progress

N_LABORATORIES = 3
"""Simulated laboratories in which each held-out cell is measured."""

_NOT_HOME = 0.02
_FEW_FEATURES = 8
_THRESHOLD = 0.5
_NORMAL = 1.96


@dataclass(frozen=True)
class _HeldOut:
    """Held-out cells of one voice: as they are, or as simulated laboratories measure them, one below the other."""

    z: Floats
    rows: Integers
    likelihoods: Mapping[str, Floats]
    parts: Mapping[str, Mapping[str, Floats]]


def fit_feature_set(
    table: TrainingTable, present: Mask, seed: int = 0, progress: ProgressCallback = ignore_progress
) -> FeatureSetModel:
    """Fit DANN and LSPIN to exactly some features.

    Parameters
    ----------
    table : TrainingTable
        Training cells.
    present : ndarray of bool, shape (41,)
        The features.
    seed : int
        Of weights, batches and simulated laboratories.
    progress : ProgressCallback
        Called after each of the four networks.

    Returns
    -------
    FeatureSetModel

    Raises
    ------
    SettingsError
        If the set is empty.
    """
    columns = np.flatnonzero(present)
    if not len(columns):
        raise SettingsError("A set of features for DANN and LSPIN is empty; name at least one feature.")
    fitted: dict[tuple[str, str], Voice] = {}
    sources: dict[tuple[str, str], CellSource] = {}
    for task in (SUBCLASS, BROAD):
        for voice in VOICES:
            net, architecture, source = train_network(table, columns, task, voice, seed)
            kernel = fit_kernel(table, columns, task, seed) if voice == HOME else None
            fitted[task, voice] = Voice(net, architecture, kernel, dict.fromkeys(SPECIES, 1.0))
            sources[task, voice] = source
            progress(Progress(NETWORK, len(fitted), 4))
    fit = _Calibration(table, columns, fitted, sources)
    return fit.model()


class _Calibration:
    """Everything that is fitted on held-out cells."""

    def __init__(
        self, table: TrainingTable, columns: Integers, fitted: Mapping[tuple[str, str], Voice],
        sources: Mapping[tuple[str, str], CellSource],
    ) -> None:  # fmt: skip
        self._table, self._columns = table, columns
        self._lab = lab_covariance(table.foundation.preprocessor)[np.ix_(columns, columns)]
        self._shapes = [{name: one.only(columns) for name, one in fold.items()} for fold in table.fold_shapes]
        self._voices = dict(fitted)
        self._source = sources[SUBCLASS, AWAY]
        rows = np.arange(len(table.z))
        every = np.tile(rows, N_LABORATORIES)
        own = table.z[:, columns]
        self._held = {
            HOME: self._held_out(HOME, own, rows, sources),
            AWAY: self._held_out(AWAY, self._source.shifted(own[every]), every, sources),
        }

    def _held_out(
        self, voice: str, z: Floats, rows: Integers, sources: Mapping[tuple[str, str], CellSource]
    ) -> _HeldOut:
        parts: dict[str, dict[str, Floats]] = {}
        own_fold = self._table.folds[rows]
        for task in (SUBCLASS, BROAD):
            one = self._voices[task, voice]
            unseen = sources[task, voice].folds[:, None] == own_fold[None, :]
            members = one.members(z, agree=False)
            parts[task] = {"net": (members * unseen[:, :, None]).sum(0) / unseen.sum(0)[:, None]}
            if one.kernel is not None:
                human = self._table.species[rows] != SPECIES[0]
                each = np.where(human[:, None], one.kernel.members(z, True), one.kernel.members(z, False))
                parts[task]["kernel"] = each[own_fold, np.arange(len(z))]
        return _HeldOut(z, rows, {name: self._likelihoods(voice, z, rows, name) for name in SPECIES}, parts)

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
        logs: dict[tuple[str, str, str], Floats] = {}
        for task, voice in self._voices:
            self._pool(task, voice, logs)
        limits: dict[tuple[str, str, str], Floats] = {}
        figures: dict[str, Any] = {}
        for species in SPECIES:
            for voice in VOICES:
                for task, p in self._answers(voice, species, logs).items():
                    found, limits[task, voice, species] = self._figures(task, voice, species, p)
                    figures.setdefault(species, {}).setdefault(task, {})[voice] = found
        return FeatureSetModel(
            self._columns,
            self._table.foundation,
            self._voices,
            limits,
            {species: self._threshold(species) for species in SPECIES},
            {species: self._strangeness(species) for species in SPECIES},
            figures,
        )

    def _of(self, voice: str, species: str) -> Integers:
        """Places of a species' cells among the held-out cells of a voice."""
        return np.flatnonzero(self._table.species[self._held[voice].rows] == species)

    def _pool(self, task: str, voice: str, logs: dict[tuple[str, str, str], Floats]) -> None:
        """Choose the temperatures of one voice; keep the logarithms of its probabilities."""
        held, one = self._held[voice], self._voices[task, voice]
        temperatures = dict.fromkeys(SPECIES, 1.0)
        for species in SPECIES if task == BROAD else SPECIES[:1]:
            places = self._of(voice, species)
            parts = {name: values[places] for name, values in held.parts[task].items()}
            shapes = self._table.foundation.shapes[species]
            parts["t"] = voices.t_posterior(task, voice, held.likelihoods[species][places], shapes)
            truth = self._table.truth[task][held.rows[places]]
            plain = voices.pooled(voice, parts)
            temperatures[species] = _temperature(plain, truth, self._weights(task, voice, truth))
            logs[task, voice, species] = voices.pooled(voice, parts, temperatures[species])
        self._voices[task, voice] = replace(one, temperatures=temperatures)

    def _weights(self, task: str, voice: str, truth: Integers) -> Floats:
        """Weights of held-out cells: equal at home; classes equally likely elsewhere."""
        if voice == HOME:
            return np.full(len(truth), 1 / len(truth))
        counts = np.bincount(truth, minlength=len(TASK_CLASSES[task]))
        weights = 1 / counts[truth]
        return np.asarray(weights / weights.sum())

    def _answers(self, voice: str, species: str, logs: Mapping[tuple[str, str, str], Floats]) -> dict[str, Floats]:
        """Held-out probabilities of the tasks that the species has."""
        if species == Species.HUMAN:
            return {BROAD: np.exp(logs[BROAD, voice, species])}
        broad, subclass = voices.reconciled(logs[BROAD, voice, species], logs[SUBCLASS, voice, species])
        return {BROAD: broad, SUBCLASS: subclass}

    def _figures(self, task: str, voice: str, species: str, p: Floats) -> tuple[dict[str, Any], Floats]:
        """Accuracy on held-out cells, and the quantiles of 1 − p(true class)."""
        places = self._of(voice, species)
        rows = self._held[voice].rows[places]
        truth = self._table.truth[task][rows]
        weights = self._weights(task, voice, truth)
        right = p.argmax(1) == truth
        scores = 1 - p[np.arange(len(p)), truth]
        limits = _quantiles(scores, weights)
        accuracy = float(weights @ right)
        _, donor = np.unique(self._table.donors[rows], return_inverse=True)
        error = float(np.sqrt((np.bincount(donor, weights * (right - accuracy)) ** 2).sum()))
        names = TASK_CLASSES[task]
        limit = np.interp(COVERAGE, LEVELS, limits)
        return {
            "accuracy": accuracy,
            "low": max(0.0, accuracy - _NORMAL * error),
            "high": min(1.0, accuracy + _NORMAL * error),
            "by_class": {name: float(right[truth == k].mean()) for k, name in enumerate(names) if (truth == k).any()},
            "coverage": float(weights @ (scores <= limit)),
            "set_size": float(weights @ ((1 - p) <= limit).sum(1)),
            "stated": float(weights @ p.max(1)),
            "n_cells": len(np.unique(rows)),
        }, limits

    def _threshold(self, species: str) -> float:
        """B of P(home): with few features, whose densities say little, what 98% of the held-out cells exceed."""
        if len(self._columns) > _FEW_FEATURES:
            return _THRESHOLD
        held = self._held[HOME]
        places = self._of(HOME, species)
        shapes = self._table.foundation.shapes[species]
        task = SUBCLASS if species == Species.MOUSE else BROAD
        away = self._likelihoods(AWAY, held.z[places], held.rows[places], species)
        home, other = (
            voices.log_density(likelihoods, voices.component_proportions(task, voice, shapes))
            for voice, likelihoods in ((HOME, held.likelihoods[species][places]), (AWAY, away))
        )
        return min(_THRESHOLD, float(np.quantile(home - other, _NOT_HOME)))

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
