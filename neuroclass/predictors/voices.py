"""The two voices of a verdict: one for recordings like the database's, one for any other laboratory's.

Each voice pools a network, the class-conditional t of the same features and, at home, a kernel logistic regression:
log p ∝ (Σ_i w_i log p_i) / T. The *home* voice knows the database's cells as they are, with its class proportions. The
*away* voice knows them as another laboratory may measure them, with classes equally likely: its network was trained on
shifted cells, its t has the covariance 1.2 Σ_w + K + .05 I, and any one feature may be another measurement under the
same name. A cell's own densities decide between them: P(home) = 1 / (1 + exp(−2 (log p_home(z) − log p_away(z) − b))).

DANN and LSPIN both know whether a mouse cell is excitatory (Glutamatergic). Their log odds are averaged, and LSPIN's
other subclasses share the rest, so that one cell has one answer; where the two contradict each other the mean is near
even odds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax, logsumexp, softmax

from neuroclass.cell_types import Species
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.types.arrays import Floats

HOME, AWAY = "home", "away"
VOICES = (HOME, AWAY)
BROAD, SUBCLASS = "broad", "subclass"

DOF = 8.0
_OWN_COVARIANCE = 0.5
_HOME_RIDGE = 0.02
_AWAY_SCALE = 1.2
_AWAY_RIDGE = 0.05
_REMEASURED_RATIO = 0.2
_REMEASURED = 0.02
_SHARPNESS = 2.0
_LEAST = 1e-3

WEIGHTS: dict[str, dict[str, float]] = {
    HOME: {"net": 0.35, "t": 0.3, "kernel": 0.35},
    AWAY: {"net": 0.3, "t": 0.7},
}
"""How much each part of a voice weighs."""

REMEASURED: Floats = np.where(["ratio" in name for name in FEATURE_NAMES], _REMEASURED_RATIO, _REMEASURED)
"""Probability that a feature of another laboratory is another measurement under the same name, shape (41,)."""


@dataclass(frozen=True)
class Judgement:
    """Class probabilities of cells.

    Attributes
    ----------
    broad, subclass : ndarray, shape (n_cells, n_classes)
        One joint answer; the subclasses of a human cell are an analogy.
    home : ndarray, shape (n_cells,)
        Probability that the recording is like the database's.
    excitatory : ndarray, shape (n_cells, 2)
        DANN's own probability of excitatory, and LSPIN's of Glutamatergic, before they are reconciled; DANN's twice
        for cells that are not mouse.
    """

    broad: Floats
    subclass: Floats
    home: Floats
    excitatory: Floats

    def of(self, task: str) -> Floats:
        """The probabilities of a task."""
        return self.broad if task == BROAD else self.subclass


def home_likelihoods(z: Floats, shapes: ClassShapes) -> Floats:
    """Logarithm of each class' density in the database, shape (n_cells, n_classes)."""
    covariances = shapes.blended(_OWN_COVARIANCE) + _HOME_RIDGE * np.eye(z.shape[1])
    return shapes.log_likelihoods(z, covariances, DOF)


def away_covariance(shapes: ClassShapes, lab: Floats) -> Floats:
    """Covariance of any class in an unknown laboratory, shape (n_features, n_features); `lab` is K."""
    return np.asarray(_AWAY_SCALE * shapes.pooled + lab + _AWAY_RIDGE * np.eye(len(lab)))


def away_likelihoods(z: Floats, shapes: ClassShapes, lab: Floats, remeasured: Floats) -> Floats:
    """Logarithm of each class' density in an unknown laboratory, shape (n_cells, n_classes).

    `remeasured` is the probability of each feature being another measurement under the same name.
    """
    covariance = away_covariance(shapes, lab)
    return shapes.log_likelihoods(z, np.broadcast_to(covariance, shapes.covariances.shape), DOF, remeasured)


def _groups(task: str, n_components: int) -> list[list[int]]:
    """The mixture components of each class of a task: mouse has a component per subclass, human one per broad class."""
    if task == SUBCLASS:
        return [[k] for k in range(n_components)]
    return [[0], list(range(1, n_components))]


def component_proportions(task: str, voice: str, shapes: ClassShapes) -> Floats:
    """Proportions of the components, shape (n_components,): the database's, or classes equally likely."""
    if voice == HOME:
        return shapes.proportions
    groups = _groups(task, len(shapes.means))
    result = np.empty(len(shapes.means))
    for group in groups:
        result[group] = 1 / len(groups) / len(group)
    return result


def log_density(likelihoods: Floats, proportions: Floats) -> Floats:
    """Logarithm of the mixture's density, shape (n_cells,)."""
    return np.asarray(logsumexp(likelihoods + np.log(proportions), axis=1))


def t_posterior(task: str, voice: str, likelihoods: Floats, shapes: ClassShapes) -> Floats:
    """The t's class probabilities, shape (n_cells, n_classes)."""
    joint = likelihoods + np.log(component_proportions(task, voice, shapes))
    classes = [logsumexp(joint[:, group], axis=1) for group in _groups(task, joint.shape[1])]
    return np.asarray(softmax(np.stack(classes, axis=1), axis=1))


def pooled(voice: str, parts: Mapping[str, Floats], temperature: float = 1.0) -> Floats:
    """Logarithm of the pooled class probabilities, shape (n_cells, n_classes).

    Parameters
    ----------
    voice : str
        Whose weights.
    parts : mapping of str to ndarray, shape (n_cells, n_classes)
        Probabilities of the voice's parts, as in `WEIGHTS`.
    temperature : float
        T.
    """
    total = sum(weight * np.log(parts[name] + _LEAST) for name, weight in WEIGHTS[voice].items())
    return np.asarray(log_softmax(total / temperature, axis=1))


def reconciled(broad: Floats, subclass: Floats, broad_weight: float = 0.5) -> tuple[Floats, Floats]:
    """One answer of both tasks from the logarithms of their probabilities.

    Parameters
    ----------
    broad : ndarray, shape (n_cells, 2)
        Excitatory, inhibitory.
    subclass : ndarray, shape (n_cells, 5)
        Glutamatergic first.
    broad_weight : float
        Weight of the log odds of the first in the mean of both.

    Returns
    -------
    broad : ndarray, shape (n_cells, 2)
        Probabilities; the first is that of Glutamatergic.
    subclass : ndarray, shape (n_cells, 5)
        Probabilities.
    """
    one, other = broad[:, 0] - broad[:, 1], subclass[:, 0] - logsumexp(subclass[:, 1:], axis=1)
    odds = broad_weight * one + (1 - broad_weight) * other
    return with_broad(np.asarray(expit(odds)), subclass)


def with_broad(excitatory: Floats, subclass: Floats) -> tuple[Floats, Floats]:
    """Both tasks' probabilities, given that of excitatory; the other subclasses share the rest as in `subclass`."""
    others = np.exp(log_softmax(subclass[:, 1:], axis=1)) * (1 - excitatory[:, None])
    return np.column_stack([excitatory, 1 - excitatory]), np.column_stack([excitatory, others])


def probability_home(ratio: Floats, threshold: float) -> Floats:
    """P(home) from the logarithm of the ratio of the densities, shape (n_cells,)."""
    return np.asarray(expit(_SHARPNESS * (ratio - threshold)))


def shape_species(species: str) -> str:
    """The species whose class shapes are used; mouse for an unknown one."""
    return Species.HUMAN.value if species == Species.HUMAN else Species.MOUSE.value
