"""A trained estimator of scikit-learn or XGBoost at inference, with what every model has around it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from neuroclass.predictors.predictor import Predictor
from neuroclass.types.arrays import Floats, Mask


@dataclass(frozen=True, kw_only=True)
class EstimatorPredictor(Predictor):
    """One estimator fitted to all training cells; what others, fitted without a cell's donor, said of it calibrates it.

    Attributes
    ----------
    learned : str
        Its task, ``broad`` or ``subclass``.
    estimator : object
        With ``predict_proba`` of completed, standardised features and ``classes_``, positions of the classes.
    """

    learned: str
    estimator: Any

    @property
    def task(self) -> str:
        """What the model tells, ``broad`` or ``subclass``; also the cohort's column with the labels."""
        return self.learned

    def member_probabilities(self, z: Floats, present: Mask) -> Floats:  # noqa: ARG002
        """Uncalibrated probabilities, shape (1, n_cells, n_classes); 0 for a class that training lacked."""
        return whole_probabilities(self.estimator, z, len(self.classes))[None]


def whole_probabilities(estimator: Any, z: Floats, n_classes: int) -> Floats:
    """Probabilities of all classes, shape (n_cells, n_classes); 0 for a class that training lacked."""
    result = np.zeros((len(z), n_classes))
    if len(z):
        result[:, np.asarray(estimator.classes_, dtype=np.int64)] = estimator.predict_proba(z)
    return result
