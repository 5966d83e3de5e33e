"""A user's prior knowledge of a cell as class weights, and posteriors corrected for it.

With training proportions π and the user's proportions π′, p′(k | x) ∝ p(k | x) π′ₖ / πₖ. A weight is
π′ₖ / πₖ up to a common factor: 0 excludes a class, 2 makes it twice as likely as it was in training.

References
----------
.. [1] Saerens, Latinne, Decaestecker, "Adjusting the outputs of a classifier to new a priori
   probabilities", Neural Computation 14, 2002.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from neuroclass.cell_types import (
    BROAD_ORDER,
    HUMAN_SUBCLASS_ORDER,
    LINE_SUBCLASS,
    SUBCLASS_ORDER,
    Broad,
    HumanSubclass,
    Subclass,
)
from neuroclass.errors import SettingsError
from neuroclass.types.arrays import Floats

PRESETS: dict[str, dict[str, float]] = {
    "GABAergic": {Broad.EXCITATORY.value: 0.0},
    "glutamatergic": {Broad.INHIBITORY.value: 0.0},
}
LINE_PREFIX = "line="
_BROAD_OF: Mapping[str, Broad] = {s.value: s.broad for s in (*Subclass, *HumanSubclass)}
_CLASSES = tuple(dict.fromkeys((*BROAD_ORDER, *SUBCLASS_ORDER, *HUMAN_SUBCLASS_ORDER)))
_GABAERGIC: tuple[tuple[str, ...], ...] = tuple(
    tuple(name for name in order if _BROAD_OF[name] is Broad.INHIBITORY)
    for order in (SUBCLASS_ORDER, HUMAN_SUBCLASS_ORDER)
)
_LARGEST = 1e6


@dataclass(frozen=True)
class Prior:
    """Weights of classes; unnamed classes have weight 1.

    A broad class' weight applies to its subclasses too. A subclass' weight carries over to its broad class only
    if it determines it: the weight of Glutamatergic, or one that all GABAergic subclasses of a species share. Mouse and
    human subclasses of one name have one weight; Htr3a is mouse, Lamp5/Pax6 human.

    Attributes
    ----------
    weights : mapping of class to float
        Broad classes and subclasses, mouse or human, at least 0.

    Raises
    ------
    SettingsError
        If a class is unknown, a weight is negative or not finite, or no class is left.
    """

    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, weight in self.weights.items():
            if name not in _CLASSES:
                raise SettingsError(f"The prior names {name!r}; expected one of {', '.join(_CLASSES)}.")
            if not (math.isfinite(weight) and 0 <= weight <= _LARGEST):
                raise SettingsError(f"The prior gives {name} the weight {weight}; expected a number from 0 to 1e6.")
        for classes in (BROAD_ORDER, SUBCLASS_ORDER, HUMAN_SUBCLASS_ORDER):
            if not self.of(classes).any():
                raise SettingsError(f"The prior excludes all of {', '.join(classes)}; leave at least one class.")

    def __bool__(self) -> bool:
        return any(weight != 1 for weight in self.weights.values())

    def of(self, classes: Sequence[str]) -> Floats:
        """Weights of a model's classes, shape (n_classes,)."""
        return np.array([self._weight(name) for name in classes])

    def _weight(self, name: str) -> float:
        own = self.weights.get(name, 1.0)
        if name in _BROAD_OF:
            return own * self.weights.get(_BROAD_OF[name].value, 1.0)
        if name == Broad.EXCITATORY:
            return own * self.weights.get(Subclass.GLUTAMATERGIC.value, 1.0)
        for subclasses in _GABAERGIC:
            shared = {self.weights.get(subclass, 1.0) for subclass in subclasses}
            if len(shared) == 1 and shared != {1.0}:
                return own * shared.pop()
        return own


def reweight(probabilities: Floats, prior: Prior | Floats, classes: Sequence[str] = SUBCLASS_ORDER) -> Floats:
    """Posteriors under another prior.

    Parameters
    ----------
    probabilities : ndarray, shape (n_cells, n_classes)
        Calibrated posteriors under the training proportions.
    prior : Prior or ndarray, shape (n_classes,)
        The prior, or the class weights.
    classes : sequence of str
        Column names, needed if `prior` is a `Prior`.

    Returns
    -------
    ndarray, shape (n_cells, n_classes)
        Rows sum to 1. If the model gave probability 0 to all classes the prior leaves, those have the
        prior's probabilities.
    """
    weights = prior.of(classes) if isinstance(prior, Prior) else np.asarray(prior, dtype=np.float64)
    product = np.asarray(probabilities, dtype=np.float64) * weights
    total = product.sum(axis=1, keepdims=True)
    return np.where(total > 0, product / np.where(total > 0, total, 1.0), weights / weights.sum())


def kept_share(probabilities: Floats, weights: Floats) -> Floats:
    """Probability, without the prior, of the classes that the prior does not exclude, shape (n_cells,)."""
    return np.asarray(probabilities[:, weights > 0].sum(axis=1))


def parse_prior(texts: str | Sequence[str]) -> Prior:
    """Read ``Pvalb=0,Sst=2``, a preset (``GABAergic``, ``glutamatergic``) or ``line=<driver line>``.

    A driver line of the database excludes the broad class that it does not mark. Its subclass is not used,
    since predicting it is the models' task.

    Parameters
    ----------
    texts : str or sequence of str
        One or more specifications; their weights multiply.

    Returns
    -------
    Prior

    Raises
    ------
    SettingsError
        If a text cannot be parsed.
    """
    weights: dict[str, float] = {}
    for text in [texts] if isinstance(texts, str) else texts:
        for item in filter(None, (part.strip() for part in text.split(","))):
            for name, weight in _weights_of(item).items():
                weights[name] = weights.get(name, 1.0) * weight
    return Prior(weights)


def _weights_of(item: str) -> dict[str, float]:
    if item.lower().startswith(LINE_PREFIX):
        return _weights_of_line(item[len(LINE_PREFIX) :].strip())
    name, equals, text = (part.strip() for part in item.partition("="))
    if not equals:
        found = next((preset for preset in PRESETS if preset.lower() == name.lower()), None)
        if found is None:
            raise SettingsError(
                f"There is no prior {name!r}; expected CLASS=WEIGHT, {LINE_PREFIX}LINE, or one of {', '.join(PRESETS)}."
            )
        return PRESETS[found]
    known = {known.lower(): known for known in _CLASSES}
    try:
        return {known.get(name.lower(), name): float(text)}
    except ValueError as error:
        raise SettingsError(f"The prior {item!r} lacks a number after the equals sign; write such as Sst=2.") from error


def _weights_of_line(line: str) -> dict[str, float]:
    names = {name.lower(): name for name in LINE_SUBCLASS}
    subclass = LINE_SUBCLASS.get(names.get(line.lower(), ""))
    if subclass is None:
        raise SettingsError(
            f"The driver line {line!r} is unknown or marks no one class; name a line of the database such as "
            f"Gad2-IRES-Cre, or write {', '.join(PRESETS)} or CLASS=WEIGHT."
        )
    return PRESETS["GABAergic" if subclass.broad is Broad.INHIBITORY else "glutamatergic"]
