"""The accuracy to expect of cells, and the stimulus that would raise it: figures by feature set, weighed by P(home)."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.features import FEATURES, Stimulus
from neuroclass.predictors.feature_set import FeatureSetModel
from neuroclass.predictors.voices import AWAY, HOME, shape_species
from neuroclass.types.arrays import Mask

_MIXED = ("accuracy", "low", "high", "coverage")
_RECORDED = {
    stimulus: np.array([spec.stimulus is stimulus for spec in FEATURES])
    for stimulus in Stimulus
    if stimulus is not Stimulus.NONE
}
_ENTERED = np.array([spec.stimulus is Stimulus.NONE for spec in FEATURES])


class _ModelsBySet(Protocol):
    def model_for(self, present: Mask) -> FeatureSetModel:
        """The models for cells with these features, shape (41,)."""
        ...


class Expectations:
    """Held-out figures of one task; each set of features is looked up once.

    Parameters
    ----------
    models : ModelsBySet
        The models of each set of features.
    task : str
        ``broad`` or ``subclass``.
    """

    def __init__(self, models: _ModelsBySet, task: str) -> None:
        self._models, self._task = models, task
        self._figures: dict[tuple[bytes, str], Mapping[str, Any] | None] = {}
        self._more: dict[bytes, list[tuple[str, Mask]]] = {}

    def _of(self, present: Mask, species: str) -> Mapping[str, Any] | None:
        key = present.tobytes(), shape_species(species)
        if key not in self._figures:
            held_out = self._models.model_for(present).held_out
            self._figures[key] = held_out.get(key[1], held_out[Species.MOUSE.value]).get(self._task)
        return self._figures[key]

    def _accuracy(self, present: Mask, species: str, home: float) -> float | None:
        figures = self._of(present, species) if present.any() else None
        return None if figures is None else _weighed(figures[HOME], figures[AWAY], "accuracy", home)

    def expected(self, present: Mask, species: str, home: float) -> dict[str, Any]:
        """Accuracy to expect with these features, shape (41,), and P(home); see `CellPredictor.expected`."""
        figures = self._of(present, species) if present.any() else None
        if figures is None:
            return {}
        at_home, away = figures[HOME], figures[AWAY]
        classes = at_home["by_class"]
        return {
            **{key: _weighed(at_home, away, key, home) for key in _MIXED},
            "by_class": {name: _weighed(classes, away["by_class"], name, home) for name in classes},
            "n_cells": at_home["n_cells"],
            "n_features": int(present.sum()),
            "species": shape_species(species),
            "probability_home": home,
            "home": at_home["accuracy"],
            "elsewhere": away["accuracy"],
        }

    def next_stimulus(self, present: Mask, species: str, home: float) -> dict[str, Any] | None:
        """The one stimulus more that would raise the accuracy most; see `CellPredictor.next_stimulus`."""
        if not present.any():
            return None
        key = present.tobytes()
        if key not in self._more:
            self._more[key] = _with_one_more(present)
        known = self._accuracy(present, species, home)
        now = 1.0 if known is None else known
        best: dict[str, Any] | None = None
        for stimulus, then in self._more[key]:
            accuracy = self._accuracy(then, species, home) or 0.0
            if accuracy > (best["accuracy"] if best else now):
                best = {"stimulus": stimulus, "accuracy": accuracy, "now": now}
        return best


def _weighed(at_home: Mapping[str, float], away: Mapping[str, float], key: str, home: float) -> float:
    return home * at_home[key] + (1 - home) * away[key]


def _with_one_more(present: Mask) -> list[tuple[str, Mask]]:
    """Each stimulus that was not recorded, with the features of those that were and its own."""
    recorded = {stimulus: bool((present & own).sum() >= own.sum() / 2) for stimulus, own in _RECORDED.items()}
    known = [own for stimulus, own in _RECORDED.items() if recorded[stimulus]]
    known += [_ENTERED] if (present & _ENTERED).any() else []
    return [
        (stimulus.value, np.logical_or.reduce([*known, own]))
        for stimulus, own in _RECORDED.items()
        if not recorded[stimulus]
    ]
