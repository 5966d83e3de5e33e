"""Calibrated probabilities and conformal prediction sets, fitted on held-out training cells.

With h the fraction of a cell's features that are missing, p = softmax(log q / T + b),
T = exp(t₀ + t₁ h), where q are the ensemble's mean probabilities and b corrects the class proportions.
A prediction set holds the classes with 1 − p ≤ the held-out cells' quantile of 1 − p(true class): of all cells, or,
class by class (Mondrian), of those of the class, so that rare and difficult classes are covered like the others. If a
model is more accurate than the nominal coverage, some sets come out empty; the sets shown to users hold at least the
likeliest class, and so cover more than the nominal share.

References
----------
.. [1] Guo et al., "On calibration of modern neural networks", ICML 2017.
.. [2] Sadinle, Lei, Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 2019.
.. [3] Vovk, "Conditional validity of inductive conformal predictors", ACML 2012.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from neuroclass.cell_types import Species
from neuroclass.types.arrays import Floats, Integers, Mask

COVERAGE = 0.9
"""Nominal coverage of the prediction sets that users see."""

GROUPS: tuple[str, ...] = (*(species.value for species in Species), "any")
HIDDEN_KNOTS: Floats = np.array([0.0, 0.25, 0.5, 0.75])
QUANTILES: Floats = np.linspace(0, 1, 201)
LEAST_CELLS = 30
LEAST_OF_CLASS = 20
"""Cells of a class, at least, for a limit of its own."""
_TINY = 1e-6
_SHRINK = 0.02


def group_index(species: Sequence[str] | None, n_cells: int) -> Integers:
    """Row of `GROUPS` for each cell, shape (n_cells,); the last for an unknown species."""
    if species is None:
        return np.full(n_cells, len(GROUPS) - 1)
    rows = {name: row for row, name in enumerate(GROUPS)}
    index = {name: rows.get(str(name), len(GROUPS) - 1) for name in set(species)}
    return np.array([index[name] for name in species], dtype=np.int64)


def _fit_group(log_q: Floats, hidden: Floats, truth: Integers, biased: bool) -> Floats:
    from scipy.optimize import minimize

    n_classes = log_q.shape[1]
    rows = np.arange(len(truth))

    def loss(parameters: Floats) -> float:
        t0, t1, bias = parameters[0], parameters[1], parameters[2:] * biased
        logits = log_q / np.exp(t0 + t1 * hidden)[:, None] + bias
        return float(-log_softmax(logits, axis=1)[rows, truth].mean() + _SHRINK * (parameters**2).mean())

    return np.asarray(minimize(loss, np.zeros(2 + n_classes), method="L-BFGS-B").x)


def _thresholds(scores: Floats, hidden: Floats) -> Floats:
    """Quantiles of the scores around each knot of the missing fraction, with finite-sample correction."""
    table = np.empty((len(HIDDEN_KNOTS), len(QUANTILES)))
    nearest = np.abs(hidden[:, None] - HIDDEN_KNOTS).argmin(1)
    for knot in range(len(HIDDEN_KNOTS)):
        chosen = scores[nearest == knot]
        chosen = chosen if len(chosen) >= LEAST_CELLS else scores
        levels = np.minimum(1.0, QUANTILES * (len(chosen) + 1) / len(chosen))
        table[knot] = np.quantile(chosen, levels, method="higher")
    return table


@dataclass(frozen=True)
class Calibration:
    """Temperature, class bias and conformal thresholds for each species and for unknown ones.

    Attributes
    ----------
    parameters : ndarray, shape (3, 2 + n_classes)
        t₀, t₁, b for each of `GROUPS`.
    thresholds : ndarray, shape (3, 4, 1 or n_classes, 201)
        Quantiles of 1 − p(true class) for each group and knot of the missing fraction: of all cells, or by class.
    """

    parameters: Floats
    thresholds: Floats

    @classmethod
    def none(cls, n_classes: int) -> "Calibration":
        """Identity calibration whose sets hold every class."""
        shape = (len(GROUPS), len(HIDDEN_KNOTS), 1, len(QUANTILES))
        return cls(np.zeros((len(GROUPS), 2 + n_classes)), np.ones(shape))

    @classmethod
    def fit(
        cls,
        probabilities: Floats,
        hidden: Floats,
        truth: Integers,
        species: Sequence[str],
        *,
        biased: bool = True,
        by_class: bool = False,
        scaled: Mask | None = None,
        cells: Integers | None = None,
    ) -> "Calibration":
        """Fit on cells the networks were not trained on.

        Parameters
        ----------
        probabilities : ndarray, shape (n_cells, n_classes)
            The ensemble's mean probabilities.
        hidden : ndarray, shape (n_cells,)
            Share of features missing.
        truth : ndarray of int, shape (n_cells,)
            Position of the true class.
        species : sequence of str
            Species of each cell; one with fewer than 30 cells uses the values of all.
        biased : bool
            Whether b corrects the class proportions; otherwise it is 0 and the likeliest class stays so.
        by_class : bool
            Whether each class of `LEAST_OF_CLASS` cells or more gets a limit of its own; others use that of all cells.
        scaled : ndarray of bool, shape (n_cells,), optional
            The cells that T and b, and the limit of all cells, are fitted on; by default all.
        cells : ndarray of int, shape (n_cells,), optional
            Number of each row's cell, where cells occur several times; by default each row is a cell.

        Returns
        -------
        Calibration
        """
        log_q = np.log(np.maximum(probabilities, _TINY))
        groups, n_classes = group_index(species, len(truth)), probabilities.shape[1]
        fitted = np.ones(len(truth), dtype=bool) if scaled is None else scaled
        names = np.arange(len(truth)) if cells is None else cells
        parameters = np.empty((len(GROUPS), 2 + n_classes))
        thresholds = np.empty((len(GROUPS), len(HIDDEN_KNOTS), n_classes if by_class else 1, len(QUANTILES)))
        for row in range(len(GROUPS)):
            chosen = groups == row
            chosen = chosen if (chosen & fitted).sum() >= LEAST_CELLS else np.ones(len(truth), dtype=bool)
            shared = chosen & fitted
            parameters[row] = _fit_group(log_q[shared], hidden[shared], truth[shared], biased)
            p = _calibrated(log_q, hidden, parameters[[row] * len(truth)])
            scores = 1 - p[np.arange(len(p)), truth]
            thresholds[row] = _thresholds(scores[shared], hidden[shared])[:, None]
            for k in range(n_classes if by_class else 0):
                own = chosen & (truth == k)
                if len(np.unique(names[own])) >= LEAST_OF_CLASS:
                    thresholds[row, :, k] = _thresholds(scores[own], hidden[own])
        return cls(parameters, thresholds)

    def __call__(self, probabilities: Floats, hidden: Floats, species: Sequence[str] | None) -> Floats:
        """Calibrated probabilities, shape (n_cells, n_classes)."""
        log_q = np.log(np.maximum(probabilities, _TINY))
        return _calibrated(log_q, hidden, self.parameters[group_index(species, len(log_q))])

    def sets(
        self,
        calibrated: Floats,
        hidden: Floats,
        species: Sequence[str] | None,
        coverage: float,
        *,
        allow_empty: bool = False,
    ) -> Mask:
        """Which classes are in each cell's set, shape (n_cells, n_classes).

        Parameters
        ----------
        calibrated : ndarray, shape (n_cells, n_classes)
            Calibrated probabilities.
        hidden : ndarray, shape (n_cells,)
            Share of features missing.
        species : sequence of str, optional
            Of each cell.
        coverage : float
            Nominal share of sets that hold the true class.
        allow_empty : bool
            Whether a set may be empty; otherwise it holds at least the likeliest class.

        Returns
        -------
        ndarray of bool, shape (n_cells, n_classes)
        """
        rows = group_index(species, len(calibrated))
        at_knots = np.apply_along_axis(lambda knot: np.interp(coverage, QUANTILES, knot), -1, self.thresholds)
        limits = np.empty((len(calibrated), at_knots.shape[-1]))
        for row in np.unique(rows):
            chosen = rows == row
            for k, knots in enumerate(at_knots[row].T):
                limits[chosen, k] = np.interp(hidden[chosen], HIDDEN_KNOTS, knots)
        inside = (1 - calibrated) <= limits
        if not allow_empty:
            inside[np.arange(len(inside)), calibrated.argmax(1)] = True
        return np.asarray(inside)

    def arrays(self) -> dict[str, Floats]:
        """Arrays to save."""
        return {"calibration.parameters": self.parameters, "calibration.thresholds": self.thresholds}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> "Calibration":
        """Rebuild from the output of `arrays`."""
        names = ("calibration.parameters", "calibration.thresholds")
        parameters, thresholds = (np.asarray(arrays[name], dtype=np.float64) for name in names)
        return cls(parameters, thresholds.reshape(len(GROUPS), len(HIDDEN_KNOTS), -1, len(QUANTILES)))


def _calibrated(log_q: Floats, hidden: Floats, parameters: Floats) -> Floats:
    temperature = np.exp(parameters[:, 0] + parameters[:, 1] * hidden)
    return np.asarray(softmax(log_q / temperature[:, None] + parameters[:, 2:], axis=1))


def ranked_sets(probabilities: Floats, inside: Mask, classes: Sequence[str]) -> list[tuple[str, ...]]:
    """Names of the classes in each cell's set, likeliest first.

    Parameters
    ----------
    probabilities : ndarray, shape (n_cells, n_classes)
        Of the classes.
    inside : ndarray of bool, shape (n_cells, n_classes)
        Which are in the set.
    classes : sequence of str
        Their names.
    """
    order = np.argsort(-probabilities, axis=1)
    return [tuple(classes[k] for k in ranked if kept[k]) for ranked, kept in zip(order, inside, strict=True)]
