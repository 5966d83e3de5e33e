"""The shipped models of feature sets, and cells drawn from the mixtures that ship: no table is needed."""

from functools import lru_cache

import numpy as np

from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus
from neuroclass.predictors.cell_predictor import CellPredictor, GatedCellPredictor
from neuroclass.predictors.class_mixtures import ClassMixtures
from neuroclass.predictors.foundation import Foundation
from neuroclass.predictors.preprocess import CLIP
from neuroclass.training.library import FeatureSetLibrary, feature_set_library
from neuroclass.types.models import DANN, LSPIN

N_MOUSE_CLASSES = 5


def library() -> FeatureSetLibrary:
    """The shipped models."""
    return feature_set_library(None)


def dann() -> CellPredictor:
    return CellPredictor(DANN, library(), {})


def lspin() -> GatedCellPredictor:
    return GatedCellPredictor(LSPIN, library(), {})


def of_stimuli(*stimuli: Stimulus) -> np.ndarray:
    """Features of some stimuli, shape (41,)."""
    return np.array([spec.stimulus in stimuli for spec in FEATURES])


LONG_SQUARE = of_stimuli(Stimulus.LONG_SQUARE)


def named(*names: str) -> np.ndarray:
    """A set of features by name, shape (41,)."""
    present = np.isin(FEATURE_NAMES, names)
    assert present.sum() == len(names)
    return present


@lru_cache(maxsize=4)
def base() -> tuple[Foundation, ClassMixtures]:
    from neuroclass.io.feature_sets import load_foundation

    return load_foundation(library().folder)


def drawn(species: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Cells of a species, as many as trained the models: standardised features, and the class' position."""
    z, group = base()[1].sample(seed)
    own = (group < N_MOUSE_CLASSES) == (species == "mouse")
    return np.clip(z[own], -CLIP, CLIP), group[own] - (0 if species == "mouse" else N_MOUSE_CLASSES)


def in_stored_units(z: np.ndarray) -> np.ndarray:
    """Features in stored units, NaN where missing."""
    return base()[0].preprocessor.stored_units(z)


def only(z: np.ndarray, present: np.ndarray) -> np.ndarray:
    """The same cells with features outside `present` missing."""
    return np.where(present, z, np.nan)
