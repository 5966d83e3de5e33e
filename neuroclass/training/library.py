"""The models of any set of features: shipped, kept on disk, or fitted on demand in seconds."""

import hashlib
from collections.abc import Collection
from contextlib import suppress
from functools import cached_property, lru_cache
from itertools import combinations
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from neuroclass.config import MODELS_DIR, cache_folder
from neuroclass.errors import ModelFileError, NeuroClassError
from neuroclass.features import FEATURE_NAMES, Stimulus, features_of
from neuroclass.io.artifacts import stamp_of
from neuroclass.io.feature_sets import (
    FOUNDATION,
    file_name,
    load_feature_set,
    load_foundation,
    present_of,
    save_feature_set,
    save_foundation,
)
from neuroclass.predictors.class_mixtures import ClassMixtures
from neuroclass.predictors.feature_set import FeatureSetModel
from neuroclass.predictors.foundation import Foundation
from neuroclass.training.feature_sets import fit_feature_set
from neuroclass.training.training_table import TrainingTable, drawn_table, fit_mixtures, training_table
from neuroclass.types.arrays import Mask
from neuroclass.types.models import FEATURE_SETS
from neuroclass.types.progress import FEATURE_SET, Progress, ProgressCallback, ignore_progress

if TYPE_CHECKING:
    from neuroclass.cohort.cohort import Cohort

MOST_IMPUTED = 2
LEAST_TO_IMPUTE = 10
_KEPT = 64


class FeatureSetLibrary:
    """Models by feature set.

    A set that lacks at most two features of a shipped one of ten or more is served by it, those features at their
    expectation given the others. Any other set is fitted to exactly its features: to the database's cells where they
    are loaded, else to stand-ins drawn from the mixtures that ship.

    Parameters
    ----------
    folder : Path, optional
        Folder of models that holds ``feature-sets``; the shipped ones by default.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or MODELS_DIR) / FEATURE_SETS
        self._models: dict[str, FeatureSetModel] = {}
        self._lock, self._fitting = Lock(), Lock()

    @cached_property
    def _base(self) -> tuple[Foundation, ClassMixtures]:
        return load_foundation(self.folder)

    @property
    def foundation(self) -> Foundation:
        """What the models share."""
        return self._base[0]

    @cached_property
    def identity(self) -> str:
        """SHA-256 over the cards of the foundation and of the sets that ship, as they were when first asked for."""
        cards = {path.stem: path.read_bytes() for path in sorted(self.folder.glob("*.json"))}
        digests = {name: hashlib.sha256(card).hexdigest() for name, card in cards.items()}
        return hashlib.sha256(repr(digests).encode()).hexdigest()

    @cached_property
    def shipped(self) -> tuple[Mask, ...]:
        """The sets that are on disk beside the foundation, each shape (41,)."""
        names = sorted(path.stem for path in self.folder.glob("*.json"))
        return tuple(present_of(name) for name in names if name != FOUNDATION)

    @cached_property
    def _table(self) -> TrainingTable:
        return _real_cells(self.foundation.training) or drawn_table(*self._base)

    @property
    def _fitted(self) -> Path:
        """Where sets are kept that were fitted on demand."""
        kind = "cells" if self._table.foundation.source == self.foundation.source else "stand-ins"
        return cache_folder() / FEATURE_SETS / f"{self.foundation.training}-{kind}"

    def served_by(self, present: Mask) -> Mask:
        """The set whose models serve cells with these features, shape (41,)."""
        best, fewest = present, MOST_IMPUTED + 1
        for one in self.shipped:
            n_missing = int((one & ~present).sum())
            if (present & ~one).any() or one.sum() < LEAST_TO_IMPUTE:
                continue
            if n_missing < fewest:
                best, fewest = one, n_missing
        return best

    def is_ready(self, present: Mask) -> bool:
        """Whether the set's models exist, so that no time passes until the first verdict."""
        served = self.served_by(present)
        name = file_name(served)
        return name in self._models or self._shipped(served) or (self._fitted / f"{name}.json").exists()

    def ships(self, present: Mask) -> bool:
        """Whether a set that ships serves these features."""
        return self._shipped(self.served_by(present))

    def _shipped(self, present: Mask) -> bool:
        return any((one == present).all() for one in self.shipped)

    def model_for(self, present: Mask, progress: ProgressCallback = ignore_progress) -> FeatureSetModel:
        """The models for cells with these features, fitted if need be.

        Parameters
        ----------
        present : ndarray of bool, shape (41,)
            The features; at least one.
        progress : ProgressCallback
            Called while fitting.

        Returns
        -------
        FeatureSetModel
        """
        served = self.served_by(present)
        name = file_name(served)
        found = self._models.get(name) or self._loaded(served)
        if found is None:
            with self._fitting:  # one at a time; sets that need no fit do not wait
                found = self._models.get(name) or self._loaded(served) or self._fit(served, progress)
                return self._keep(name, found)
        return self._keep(name, found)

    def _keep(self, name: str, model: FeatureSetModel) -> FeatureSetModel:
        with self._lock:
            if name not in self._models and len(self._models) >= _KEPT:
                self._models.pop(next(iter(self._models)))
            return self._models.setdefault(name, model)

    def _loaded(self, present: Mask) -> FeatureSetModel | None:
        """The models on disk; None if they have to be fitted."""
        if self._shipped(present):
            return load_feature_set(self.folder, present, self.foundation)
        with suppress(ModelFileError):
            return load_feature_set(self._fitted, present, self._table.foundation)
        return None

    def _fit(self, present: Mask, progress: ProgressCallback) -> FeatureSetModel:
        model = fit_feature_set(self._table, present, progress=progress)
        with suppress(OSError):  # A folder that cannot be written costs time, not the verdict.
            save_feature_set(model, self._fitted)
        return model


def _real_cells(training: str) -> TrainingTable | None:
    """The loaded cells, if they are those of the shipped models."""
    from neuroclass.cohort.loading import load_cohort

    try:
        cohort = load_cohort()
        table = None if cohort.simulated else training_table(cohort)
    except NeuroClassError:
        return None
    return table if table is not None and table.foundation.training == training else None


def feature_set_library(folder: Path | None = None) -> FeatureSetLibrary:
    """The library of a folder of models, one for the life of the process unless its files are replaced."""
    return _library(folder, stamp_of((folder or MODELS_DIR) / FEATURE_SETS))


@lru_cache(maxsize=4)
def _library(folder: Path | None, stamp: str) -> FeatureSetLibrary:  # noqa: ARG001 (the key of the cache)
    return FeatureSetLibrary(folder)


def whole_stimuli() -> tuple[Mask, ...]:
    """The features of every combination of stimuli, and of features without one; 31 sets, each shape (41,)."""
    groups = [set(features_of(stimulus)) for stimulus in Stimulus]
    chosen = [set[str]().union(*some) for n in range(1, len(groups) + 1) for some in combinations(groups, n)]
    return tuple(_mask(features) for features in chosen)


def _mask(features: Collection[str]) -> Mask:
    return np.array([name in features for name in FEATURE_NAMES])


_SHARED = (
    "fast_trough_v_long_square", "latency", "peak_v_long_square", "ri", "sag", "tau", "threshold_i_long_square",
    "threshold_v_long_square", "upstroke_downstroke_ratio_long_square", "vrest",
)  # fmt: skip
_LONG_SQUARE = (*_SHARED, "f_i_curve_slope", "trough_v_long_square", "vm_for_sag")
_SHORT_AND_RAMP = (
    "fast_trough_v_ramp", "fast_trough_v_short_square", "peak_v_ramp", "peak_v_short_square", "threshold_i_ramp",
    "threshold_v_ramp", "threshold_v_short_square", "trough_v_ramp", "upstroke_downstroke_ratio_ramp",
    "upstroke_downstroke_ratio_short_square",
)  # fmt: skip
PUBLISHED_SETS: tuple[Mask, ...] = (
    _mask(_SHARED),
    _mask((*_LONG_SQUARE, "seal_gohm")),
    _mask((*_LONG_SQUARE, *_SHORT_AND_RAMP)),
)
"""Sets of features that published Patch-seq tables bring: Scala et al. 2021, Gouwens et al. 2020, Lee et al. 2023."""


def build_library(cohort: "Cohort", folder: Path, progress: ProgressCallback = ignore_progress) -> int:
    """Fit the sets that ship: all combinations of stimuli, and those of published tables.

    Parameters
    ----------
    cohort : Cohort
        Labelled cells of both species.
    folder : Path
        Folder of models.
    progress : ProgressCallback
        Called after each set.

    Returns
    -------
    int
        Number of sets.
    """
    table = training_table(cohort)
    place = folder / FEATURE_SETS
    save_foundation(table.foundation, fit_mixtures(table), place)
    sets = list({one.tobytes(): one for one in (*whole_stimuli(), *PUBLISHED_SETS)}.values())
    for number, present in enumerate(sets, start=1):
        save_feature_set(fit_feature_set(table, present), place)
        progress(Progress(FEATURE_SET, number, len(sets)))
    return len(sets)
