"""What any set of features is worth: held-out accuracy and coverage with randomly chosen features.

Each fold's network sees its held-out cells with the same random sets of features. Between these sets accuracy is
estimated by ridge regression of its logit, with an interval that holds both the regression's error on sets it was
not fitted to and the sampling of donors.

References
----------
.. [1] Hoerl, Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12, 1970.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neuroclass.cell_types import Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.features import FEATURE_NAMES, FEATURES, Stimulus
from neuroclass.predictors.predictor import Predictor
from neuroclass.types.arrays import Floats, Mask

N_MASKS = 400
COVERAGE = 0.9
LEAST = 3
ALL = "all"
_SEED = 41
_STIMULI = np.array([spec.stimulus.value for spec in FEATURES])
_PENALTIES = 10.0 ** np.arange(-2, 5)
_NORMAL = 1.96


def random_masks(n: int = N_MASKS, seed: int = _SEED) -> Mask:
    """Different sets of features: some stimuli's, a random share of them known; shape (n, 41), at least 3 in each."""
    rng = np.random.default_rng(seed)
    masks: dict[bytes, Mask] = {}
    while len(masks) < n:
        kept = [s.value for s in Stimulus if rng.random() < 0.7]
        share = 1.0 if rng.random() < 0.2 else np.exp(rng.uniform(np.log(0.06), 0.0))
        mask = np.isin(_STIMULI, kept) & (rng.random(len(_STIMULI)) < share)
        if mask.sum() >= LEAST:
            masks[mask.tobytes()] = mask
    return np.array(list(masks.values()))


def mask_outcomes(model: Predictor, test: Cohort, task: str, masks: Mask) -> pd.DataFrame:
    """Held-out cells with only some features each time.

    Parameters
    ----------
    model : Predictor
        Trained without the cells.
    test : Cohort
        The cells.
    task : str
        ``broad`` or ``subclass``.
    masks : ndarray of bool, shape (n_masks, 41)
        The features known.

    Returns
    -------
    DataFrame
        For each mask (its number), species, class and donor: ``n`` cells, ``right`` ones and ``covered`` by the set.
    """
    x, truth = test.matrix(), test.column(task)
    species = test.column("species")
    of_class = np.array([model.classes.index(name) for name in truth])
    keys = pd.DataFrame({"species": species, "class": truth, "donor": test.column("donor")})
    frames = []
    for number, mask in enumerate(masks):
        seen = np.where(mask, x, np.nan)
        probabilities = model.predict_proba(seen, species.tolist())
        sets = model.prediction_set(seen, species.tolist(), COVERAGE)
        cells = keys.assign(
            n=1,
            right=(probabilities.argmax(1) == of_class).astype(int),
            covered=[int(name in chosen) for name, chosen in zip(truth, sets, strict=True)],
        )
        summed = cells.groupby(["species", "class", "donor"], as_index=False, sort=False)[["n", "right", "covered"]]
        frames.append(summed.sum().assign(mask=number))
    return pd.concat(frames, ignore_index=True)


def summarise_masks(outcomes: pd.DataFrame, masks: Mask) -> pd.DataFrame:
    """Accuracy of each mask by species and class, over all folds.

    Parameters
    ----------
    outcomes : DataFrame
        `mask_outcomes` of every fold.
    masks : ndarray of bool, shape (n_masks, 41)
        The features known.

    Returns
    -------
    DataFrame
        ``features`` (41 digits, 1 for known), ``species``, ``class`` (or ``all``), ``n_cells``, ``accuracy``,
        ``coverage`` (fractions) and ``error``, the accuracy's standard error over donors.
    """
    keys = ["mask", "species", "class"]
    both = pd.concat([outcomes, outcomes.assign(**{"class": ALL})])
    donors = both.groupby([*keys, "donor"], as_index=False)[["n", "right", "covered"]].sum()
    sums = donors.groupby(keys)[["n", "right", "covered"]].sum()
    accuracy = sums["right"] / sums["n"]
    donors = donors.join(accuracy.rename("accuracy"), on=keys)
    donors["square"] = (donors["right"] - donors["accuracy"] * donors["n"]) ** 2
    error = donors.groupby(keys)["square"].sum() ** 0.5 / sums["n"]
    table = pd.DataFrame(
        {
            "n_cells": sums["n"],
            "accuracy": accuracy.round(5),
            "coverage": (sums["covered"] / sums["n"]).round(5),
            "error": error.round(5),
        }
    ).reset_index()
    digits = ["".join("1" if known else "0" for known in mask) for mask in masks]
    table.insert(0, "features", [digits[number] for number in table.pop("mask")])
    return table


def _terms(masks: Mask) -> Floats:
    """What accuracy is regressed on: the features, shares of each stimulus, and their number; shape (n, n_terms)."""
    bits = masks.astype(float)
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
        """Fit with the penalty that predicts left-out sets best."""
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
    table : DataFrame
        What `summarise_masks` gave.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._lines: dict[tuple[str, str], tuple[_Line, float, int]] = {}
        self._covered: dict[str, _Line] = {}
        for (species, name), rows in table.groupby(["species", "class"]):
            masks = np.array([[digit == "1" for digit in text] for text in rows["features"]])
            n = rows["n_cells"].to_numpy(dtype=float)
            p = rows["accuracy"].to_numpy(dtype=float)
            line = _Line.fit(_terms(masks), _logit(p, n))
            sampling = float((rows["error"] / np.sqrt(np.maximum(p * (1 - p), 1e-3))).median())
            self._lines[str(species), str(name)] = line, sampling, int(n.max())
            if name == ALL:
                self._covered[str(species)] = _Line.fit(
                    _terms(masks), _logit(rows["coverage"].to_numpy(dtype=float), n)
                )

    def __call__(self, features: Collection[str], species: str) -> dict[str, Any]:
        """What these features are worth.

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
        mask = np.array([[name in set(features) for name in FEATURE_NAMES]])
        known_for = species if (species, ALL) in self._lines else Species.MOUSE.value
        if mask.sum() < LEAST or (known_for, ALL) not in self._lines:
            return {}
        line, sampling, n_cells = self._lines[known_for, ALL]
        terms = _terms(mask)
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
            "n_features": int(mask.sum()),
        }


def _half(line: _Line, sampling: float, share: float) -> float:
    """Half the width of a 95% interval, as a logit: the regression's error and the sampling of donors."""
    return _NORMAL * float(np.hypot(line.error, sampling / np.sqrt(share * (1 - share))))


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
