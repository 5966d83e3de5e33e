"""The accuracy to expect with a cell's features: measured for whole stimuli, else estimated between random sets.

Between random sets of features accuracy is estimated by ridge regression of its logit, with an interval that holds
both the regression's error on sets it was not fitted to and the sampling of donors.

References
----------
.. [1] Hoerl, Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12, 1970.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroclass.cell_types import Species
from neuroclass.evaluation.feature_subsets import ALL, LEAST
from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus, features_of
from neuroclass.types.arrays import Floats, Mask

if TYPE_CHECKING:
    import pandas as pd

RECORDED_SHARE = 0.5
_STIMULI = np.array([spec.stimulus.value for spec in FEATURES])
_PENALTIES = 10.0 ** np.arange(-2, 5)
_NORMAL = 1.96


def stimuli_of(features: Collection[str]) -> frozenset[Stimulus]:
    """The stimuli of which at least half the features were measured; ``NONE`` stands for features entered by hand."""
    known = set(features)
    return frozenset(
        stimulus
        for stimulus in Stimulus
        if len(known & set(features_of(stimulus))) >= RECORDED_SHARE * len(features_of(stimulus))
    )


def _terms(subsets: Mask) -> Floats:
    """Regressors of the accuracy: features, fraction of each stimulus, and their number; shape (n, n_terms)."""
    bits = subsets.astype(float)
    shares = np.stack([bits[:, s.value == _STIMULI].mean(1) for s in Stimulus], axis=1)
    count = bits.sum(1, keepdims=True)
    return np.concatenate([bits, 3 * shares, 3 * np.sqrt(shares), 2 * np.log(count), (shares > 0).astype(float)], 1)


def _logit(p: Floats, n: Floats) -> Floats:
    return np.log((p * n + 0.5) / (n - p * n + 0.5))


@dataclass(frozen=True)
class _Line:
    """Ridge regression of a logit."""

    coefficients: Floats
    centre: Floats
    intercept: float
    error: float

    @classmethod
    def fit(cls, terms: Floats, target: Floats) -> "_Line":
        """Fit with the penalty that best predicts left-out sets."""
        centre, intercept = terms.mean(0), float(target.mean())
        x, y = terms - centre, target - intercept
        u, s, vt = np.linalg.svd(x, full_matrices=False)
        best: tuple[float, Floats] = (np.inf, np.zeros(x.shape[1]))
        for penalty in _PENALTIES:
            shrunk = s**2 / (s**2 + penalty)
            leverage = (u**2 * shrunk).sum(1) + 1 / len(y)
            left_out = (y - u @ (shrunk * (u.T @ y))) / np.maximum(1 - leverage, 1e-6)
            error = float(np.sqrt((left_out**2).mean()))
            if error < best[0]:
                best = error, vt.T @ (s / (s**2 + penalty) * (u.T @ y))
        return cls(best[1], centre, intercept, best[0])

    def __call__(self, terms: Floats) -> Floats:
        return (terms - self.centre) @ self.coefficients + self.intercept


class ExpectedAccuracy:
    """Held-out accuracy of a model for any set of features.

    Parameters
    ----------
    table : DataFrame, optional
        From `subset_table`; without it nothing is known.
    """

    def __init__(self, table: "pd.DataFrame | None" = None) -> None:
        self._measured: dict[tuple[frozenset[Stimulus], str], dict[str, Any]] = {}
        self._estimate: SubsetRegression | None = None
        if table is None:
            return
        whole = table["stimuli"].notna()
        self._estimate = SubsetRegression(table[~whole])
        for (stimuli, species), rows in table[whole].groupby(["stimuli", "species"]):
            recorded = frozenset(Stimulus(name) for name in stimuli.split("+"))
            self._measured[recorded, str(species)] = _measured(rows, recorded, str(species))

    def __call__(self, features: Collection[str], species: str) -> dict[str, Any]:
        """Accuracy to expect with exactly these features.

        Parameters
        ----------
        features : collection of str
            The known features.
        species : str
            The cell's; mouse stands in for a species without held-out cells.

        Returns
        -------
        dict
            ``accuracy``, ``low``, ``high`` (95% interval), ``by_class``, ``coverage`` of the 90% sets with
            ``coverage_low`` and ``coverage_high`` (fractions of held-out cells), ``n_cells``, ``species``,
            ``n_features`` and, where measured and not estimated, ``stimuli``; empty where nothing is known.
        """
        if self._estimate is None:
            return {}
        estimate = self._estimate(features, species)
        stimuli = stimuli_of(features)
        if set(features) != {name for stimulus in stimuli for name in features_of(stimulus)}:
            return estimate
        found = self._measured.get((stimuli, species)) or self._measured.get((stimuli, Species.MOUSE.value))
        if found is None:
            return estimate
        covered = {key: value for key, value in estimate.items() if key.startswith("coverage")}
        return {**found, **covered, "n_features": len(set(features))}

    def next_sweep(self, features: Collection[str], species: str) -> dict[str, Any] | None:
        """The one stimulus more that would raise the expected accuracy most.

        Returns
        -------
        dict or None
            ``stimulus``, ``accuracy`` with all its features and ``now`` without (fractions of held-out cells); None
            where none helps.
        """
        known = frozenset(features)
        now = self(known, species).get("accuracy", 0.0)
        offers = [
            (self(known | set(features_of(stimulus)), species).get("accuracy", 0.0), stimulus.value)
            for stimulus in Stimulus
            if stimulus is not Stimulus.NONE and not known.issuperset(features_of(stimulus))
        ]
        best = max(offers, default=(0.0, ""))
        return {"stimulus": best[1], "accuracy": best[0], "now": now} if best[0] > now else None


def _measured(rows: "pd.DataFrame", stimuli: frozenset[Stimulus], species: str) -> dict[str, Any]:
    """The measured accuracy with these stimuli's features."""
    everything = rows[rows["class"] == ALL].iloc[0]
    classes = rows[rows["class"] != ALL]
    return {
        "accuracy": float(everything["accuracy"]),
        "low": float(everything["low"]),
        "high": float(everything["high"]),
        "by_class": {str(k): float(p) for k, p in zip(classes["class"], classes["accuracy"], strict=True)},
        "n_cells": int(everything["n_cells"]),
        "stimuli": sorted(stimulus.value for stimulus in stimuli),
        "species": species,
    }


class SubsetRegression:
    """Held-out accuracy estimated for any set of features, between random ones.

    Parameters
    ----------
    table : DataFrame
        From `summarise_subsets`.
    """

    def __init__(self, table: "pd.DataFrame") -> None:
        self._lines: dict[tuple[str, str], tuple[_Line, float, int]] = {}
        self._covered: dict[str, _Line] = {}
        for (species, name), rows in table.groupby(["species", "class"]):
            subsets = np.array([[digit == "1" for digit in text] for text in rows["features"]])
            n = rows["n_cells"].to_numpy(dtype=float)
            p = rows["accuracy"].to_numpy(dtype=float)
            line = _Line.fit(_terms(subsets), _logit(p, n))
            sampling = float((rows["error"] / np.sqrt(np.maximum(p * (1 - p), 1e-3))).median())
            self._lines[str(species), str(name)] = line, sampling, int(n.max())
            if name == ALL:
                self._covered[str(species)] = _Line.fit(
                    _terms(subsets), _logit(rows["coverage"].to_numpy(dtype=float), n)
                )

    def __call__(self, features: Collection[str], species: str) -> dict[str, Any]:
        """Accuracy and coverage to expect with these features.

        Parameters
        ----------
        features : collection of str
            Names of the known features.
        species : str
            Mouse stands in for a species without held-out cells.

        Returns
        -------
        dict
            ``accuracy``, ``low``, ``high`` (95% interval), ``by_class``, and ``coverage`` of the 90% sets with
            ``coverage_low`` and ``coverage_high`` (fractions of held-out cells); ``n_cells``, ``species`` and
            ``n_features``; empty for fewer than 3 features.
        """
        subset = np.array([[name in set(features) for name in FEATURE_NAMES]])
        known_for = species if (species, ALL) in self._lines else Species.MOUSE.value
        if subset.sum() < LEAST or (known_for, ALL) not in self._lines:
            return {}
        line, sampling, n_cells = self._lines[known_for, ALL]
        terms = _terms(subset)
        logit = float(line(terms)[0])
        accuracy = _share(logit)
        half = _half(line, sampling, accuracy)
        covered = float(self._covered[known_for](terms)[0])
        beside = _half(self._covered[known_for], sampling, _share(covered))
        return {
            "accuracy": accuracy,
            "low": _share(logit - half),
            "high": _share(logit + half),
            "by_class": {
                name: _share(float(own(terms)[0]))
                for (of, name), (own, _, _) in self._lines.items()
                if of == known_for and name != ALL
            },
            "coverage": _share(covered),
            "coverage_low": _share(covered - beside),
            "coverage_high": _share(covered + beside),
            "n_cells": n_cells,
            "species": known_for,
            "n_features": int(subset.sum()),
        }


def _half(line: _Line, sampling: float, share: float) -> float:
    """Half the width of a 95% interval, as a logit: the regression's error and the sampling of donors."""
    return _NORMAL * float(np.hypot(line.error, sampling / np.sqrt(share * (1 - share))))


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
