"""Counterfactuals: the smallest change of a few features that flips a model's class.

Features may only take values found in cells of the other class: the quantiles of that class that ship with the
models (5% to 95%, in steps of 5%), or the values of given real cells. A beam search adds one feature at a time
until the other class is likeliest; each change is then shrunk as far as the flip allows, in 64 steps, and
unneeded ones are undone. Of the flips found, the one with the fewest features wins, then the smallest sum of
|Δz| (z in standard deviations of the training cells), unless it makes the cell less typical than 99%
of training cells and another does not. The model itself is evaluated at every step.

References
----------
.. [1] Wachter, Mittelstadt, Russell, "Counterfactual explanations without opening the black box", Harv J Law
   Technol 31, 2018.
.. [2] Guidotti, "Counterfactual explanations and how to find them", Data Min Knowl Disc, 2022.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neuroclass.explain.groups import quantities
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.cell_predictor import AnyPredictor
from neuroclass.types.arrays import Floats

MOST_FEATURES = 6
BEAM = 6
LEAST_TYPICAL = 0.01
_SHARES: Floats = np.linspace(0, 1, 65)
_MARGIN = 1e-6


@dataclass(frozen=True)
class Change:
    """One feature's part of a counterfactual, stored unit.

    Attributes
    ----------
    feature : str
        Name of the feature.
    now, then : float
        The value now, and the one needed.
    delta_z : float
        The difference in standard deviations of the training cells.
    """

    feature: str
    now: float
    then: float
    delta_z: float


@dataclass(frozen=True)
class Counterfactual:
    """A change that flips the class.

    Attributes
    ----------
    model : str
        Name of the model.
    label, target : str
        The predicted class, and the one after the change.
    changes : tuple of Change
        Largest first.
    probability_now, probability_then : float
        Calibrated probability of the target.
    typicality_now, typicality_then : float
        Fraction of training cells at least as unusual.
    within : str
        Description of the allowed values.
    """

    model: str
    label: str
    target: str
    changes: tuple[Change, ...]
    probability_now: float
    probability_then: float
    typicality_now: float
    typicality_then: float
    within: str

    @property
    def size(self) -> float:
        """Sum of |Δz| over the changed features."""
        return float(sum(abs(change.delta_z) for change in self.changes))


def feature_groups(joint: bool) -> list[tuple[int, ...]]:
    """Columns that change together: each alone, or one quantity under all stimuli."""
    if not joint:
        return [(k,) for k in range(len(FEATURE_NAMES))]
    return [tuple(FEATURE_NAMES.index(name) for name in names) for names in quantities().values()]


class _Search:
    """The search for one cell and one target class."""

    def __init__(
        self,
        model: AnyPredictor,
        x: Floats,
        species: str,
        target: int,
        allowed: Floats,
        groups: Sequence[tuple[int, ...]],
    ) -> None:
        self.model, self.species, self.target = model, species, target
        self.start = model.preprocessor.standardise(x[None])[0]
        self.allowed = model.preprocessor.standardise(allowed)
        present = np.isfinite(self.start)
        self.groups = [tuple(k for k in group if present[k]) for group in groups]
        self.groups = [group for group in self.groups if group]

    def probabilities(self, z: Floats) -> Floats:
        return self.model.standardised_probabilities(z, [self.species] * len(z))

    def lead(self, z: Floats) -> Floats:
        """The target's probability minus the best other class'; positive where the class has flipped."""
        p = self.probabilities(z)
        return np.asarray(p[:, self.target] - np.delete(p, self.target, axis=1).max(1))

    def candidates(self, z: Floats, used: frozenset[int]) -> tuple[Floats, list[frozenset[int]]]:
        """Every allowed value of every feature group not used yet."""
        rows, sets = [], []
        for number, group in enumerate(self.groups):
            if number in used:
                continue
            columns = list(group)
            values = self.allowed[:, columns]
            values = values[np.isfinite(values).all(1)]
            block = np.repeat(z[None], len(values), axis=0)
            block[:, columns] = values
            rows.append(block)
            sets += [used | {number}] * len(values)
        return (np.concatenate(rows) if rows else np.empty((0, len(z)))), sets

    def flips(self, most: int) -> list[Floats]:
        """Rows that flip the class with the fewest feature groups, at most `most`."""
        beam: list[tuple[Floats, frozenset[int]]] = [(self.start, frozenset())]
        for _ in range(most):
            parts = [self.candidates(z, used) for z, used in beam]
            z = np.concatenate([rows for rows, _ in parts])
            sets = [one for _, found in parts for one in found]
            if not len(z):
                return []
            lead = self.lead(z)
            if (lead > 0).any():
                return self._smallest(z[lead > 0], [sets[k] for k in np.flatnonzero(lead > 0)])
            kept: dict[frozenset[int], int] = {}
            for k in np.argsort(-lead):
                kept.setdefault(sets[k], int(k))
                if len(kept) == BEAM:
                    break
            beam = [(z[k], used) for used, k in kept.items()]
        return []

    def _smallest(self, z: Floats, sets: list[frozenset[int]]) -> list[Floats]:
        """The smallest flip for each set of feature groups, shrunk."""
        size = np.abs(np.nan_to_num(z - self.start)).sum(1)
        best: dict[frozenset[int], int] = {}
        for k in np.argsort(size):
            best.setdefault(sets[k], int(k))
        return [self.shrink(z[k]) for k in list(best.values())[: 2 * BEAM]]

    def shrink(self, z: Floats) -> Floats:
        """Move each changed group back towards the cell as far as the flip allows."""
        for group in sorted(self.groups, key=lambda g: -float(np.abs(z[list(g)] - self.start[list(g)]).sum())):
            columns = list(group)
            far, near = z[columns].copy(), self.start[columns]
            if np.array_equal(far, near):
                continue
            tried = np.repeat(z[None], len(_SHARES), axis=0)
            tried[:, columns] = near + _SHARES[:, None] * (far - near)
            flipped = np.flatnonzero(self.lead(tried) > _MARGIN)
            z = tried[flipped[0]] if len(flipped) else z
        return z


def counterfactual(
    model: AnyPredictor,
    features: Mapping[str, float],
    species: str,
    target: str,
    allowed: Floats,
    within: str,
    joint: bool = False,
    most: int = MOST_FEATURES,
) -> Counterfactual | None:
    """Find the smallest change that makes another class the likeliest.

    Parameters
    ----------
    model : Predictor
        DANN or LSPIN.
    features : mapping of name to float
        The cell's features, stored units.
    species : str
        Its species.
    target : str
        The desired class.
    allowed : ndarray, shape (n_values, 41)
        Values that each feature may take, stored units, one column per feature: quantiles of the target class, or
        real cells of it. NaN where there is none.
    within : str
        Description of the allowed values, for display.
    joint : bool
        Whether a quantity changes under all stimuli at once and counts as one change.
    most : int
        Maximum number of features, or quantities, to change.

    Returns
    -------
    Counterfactual or None
        None if no change within the allowed values flips the class, or the class is already the target.

    Raises
    ------
    KeyError
        If the model has no such class.
    """
    if target not in model.classes:
        raise KeyError(target)
    x = np.array([features.get(name, np.nan) for name in FEATURE_NAMES])
    search = _Search(model, x, species, model.classes.index(target), allowed, feature_groups(joint))
    before = search.probabilities(search.start[None])[0]
    label = model.classes[int(before.argmax())]
    if label == target or not np.isfinite(search.start).any():
        return None
    flips = search.flips(most)
    if not flips:
        return None
    starts = np.stack([search.start, *flips])
    typical = model.standardised_typicality(starts, [species] * len(starts))

    def rank(k: int) -> tuple[bool, int, float]:
        moved = np.abs(np.nan_to_num(flips[k] - search.start))
        count = sum(bool(moved[list(group)].any()) for group in search.groups)
        return bool(typical[k + 1] < min(LEAST_TYPICAL, float(typical[0]))), count, float(moved.sum())

    best = min(range(len(flips)), key=rank)
    after = search.probabilities(flips[best][None])[0]
    return Counterfactual(
        model=model.name,
        label=label,
        target=target,
        changes=_changes(model, x, search.start, flips[best]),
        probability_now=float(before[search.target]),
        probability_then=float(after[search.target]),
        typicality_now=float(typical[0]),
        typicality_then=float(typical[best + 1]),
        within=within,
    )


def _changes(model: AnyPredictor, x: Floats, start: Floats, z: Floats) -> tuple[Change, ...]:
    moved = [int(k) for k in np.flatnonzero(np.isfinite(start) & (np.nan_to_num(z) != np.nan_to_num(start)))]
    then = model.preprocessor.stored_units(z[None])[0]
    changes = [Change(FEATURE_NAMES[k], float(x[k]), float(then[k]), float(z[k] - start[k])) for k in moved]
    return tuple(sorted(changes, key=lambda change: -abs(change.delta_z)))
