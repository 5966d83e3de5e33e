"""Fit the models of one set of features: four networks and two kernel models, then their calibration."""

import numpy as np

from neuroclass.errors import SettingsError
from neuroclass.predictors.feature_set import FeatureSetModel, Voice
from neuroclass.predictors.foundation import SPECIES
from neuroclass.predictors.voices import BROAD, HOME, SUBCLASS, VOICES
from neuroclass.training.calibrate_set import Calibration
from neuroclass.training.fit_feature_set import CellSource, train_network
from neuroclass.training.fit_kernel import fit_kernel
from neuroclass.training.training_table import TrainingTable
from neuroclass.types.arrays import Integers, Mask
from neuroclass.types.progress import NETWORK, Progress, ProgressCallback, ignore_progress
from neuroclass.work.threads import one_thread


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
    with one_thread():
        return _fit(table, columns, seed, progress)


def _fit(table: TrainingTable, columns: Integers, seed: int, progress: ProgressCallback) -> FeatureSetModel:
    fitted: dict[tuple[str, str], Voice] = {}
    sources: dict[tuple[str, str], CellSource] = {}
    for task in (SUBCLASS, BROAD):
        for voice in VOICES:
            net, architecture, source = train_network(table, columns, task, voice, seed)
            kernel = fit_kernel(table, columns, task, seed) if voice == HOME else None
            fitted[task, voice] = Voice(net, architecture, kernel, dict.fromkeys(SPECIES, 1.0))
            sources[task, voice] = source
            progress(Progress(NETWORK, len(fitted), 4))
    return Calibration(table, columns, fitted, sources).model()
