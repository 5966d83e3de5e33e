"""Adapt to one laboratory's cells without labels, and say when that cannot be done.

The laboratory is learned by `variational.fit_laboratory`, started from each cell's own posterior p_alone. With k
features, densities are raised to the power 1 / (1 + k / 15), because features of real cells repeat one another more
than the model allows for; the verdict is

    p ∝ p_alone^(1 − λ) p_batch^λ,   λ = n² / (n² + 40²)

A batch is left as it is if it is small, if one class explains it about as well as several, if another explanation
comes close and classifies many cells otherwise, if the classes depend on which half of the cells the laboratory is
learned from, or if held-out cells are not described better.

References
----------
.. [1] Grünwald, "The safe Bayesian", ALT 2012 (densities raised to a power under misspecification).
.. [2] Sadinle, Lei, Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, logsumexp

from neuroclass.adaptation.variational import RIDGE, Home, LabFit, fit_laboratory, log_densities
from neuroclass.cell_types import Broad, Subclass, label_of
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.calibration import COVERAGE
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.lab_shifts import LAB_SHIFTS, lab_covariance, standardised_shifts
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Floats, Mask

LEAST_CELLS = 15
LEAST_OVER_ONE_CLASS = 6.0
RIVAL_NATS = 3.0
RIVAL_CHANGED = 0.3
LEAST_STABLE = 0.65
LEAST_PRESENT = 0.3
_MOST_FITTED = 1200
_MOST_PATTERNS = 12
_POWER_FEATURES = 15.0
_HALF_TRUST = 40.0
_PROPORTION_SD = 0.045
_OWN_OFFSET = 1.0
_UNKNOWN_LAB = 1.2
_TINY = 1e-9
_NORMAL_95 = 1.96


@dataclass(frozen=True)
class Component:
    """The part of a laboratory's offset along one way in which laboratories differ.

    Attributes
    ----------
    name, unit : str
        What differs; unit ``ln`` for the natural logarithm of a factor.
    size, low, high : float
        Estimate, laboratory minus reference, and its 95% interval.
    """

    name: str
    unit: str
    size: float
    low: float
    high: float


@dataclass(frozen=True)
class Proportion:
    """Estimated share of a class in the batch, 0 to 1, with its 95% interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class BatchFit:
    """A batch's classes with the laboratory allowed for.

    Attributes
    ----------
    classes : tuple of str
        In the order of the probabilities.
    adapted : bool
        Whether the laboratory was allowed for.
    why_not : str
        Why it was not; empty if it was.
    probabilities : ndarray, shape (n_cells, n_classes)
        Of each cell; the cells' own posteriors if not adapted.
    sets : ndarray of bool, shape (n_cells, n_classes), or None
        Prediction sets at the nominal coverage of 90%; None if not adapted.
    proportions : mapping of class to Proportion, or None
        Composition of the batch; None where it cannot be estimated.
    components : tuple of Component
        Physical parts of the offset.
    delta, delta_sd : ndarray, shape (41,)
        The laboratory's offset and its standard deviation, in standard deviations of the reference cells; NaN for
        features that are not measured.
    other_measurements : tuple of str
        Features with a large offset of their own: probably another measurement under the same name.
    stability : float
        Fraction of cells that keep their class when the laboratory is learned from the other half.
    gain : float
        Held-out logarithm of the density with the laboratory learned, less that without, nats a cell.
    """

    classes: tuple[str, ...]
    adapted: bool
    why_not: str
    probabilities: Floats
    sets: Mask | None
    proportions: dict[str, Proportion] | None
    components: tuple[Component, ...]
    delta: Floats
    delta_sd: Floats
    other_measurements: tuple[str, ...]
    stability: float
    gain: float

    @property
    def broad(self) -> Floats:
        """Probability of excitatory and inhibitory, shape (n_cells, 2), that follows from the classes'."""
        excitatory = np.array([name in (Broad.EXCITATORY, Subclass.GLUTAMATERGIC) for name in self.classes])
        share = self.probabilities[:, excitatory].sum(1)
        return np.stack([share, 1 - share], axis=1)


def reference_home(shapes: ClassShapes, preprocessor: Preprocessor, seen: Mask) -> Home:
    """The reference on some features, shape (41,) of bool, as `fit_laboratory` takes it."""
    block = np.ix_(seen, seen)
    within = shapes.pooled[block] + RIDGE * np.eye(int(seen.sum()))
    return Home(shapes.means[:, seen], within, lab_covariance(preprocessor)[block])


def unknown_laboratory(z: Floats, home: Home) -> Floats:
    """Logarithm of each class' density for a cell of an unknown laboratory, shape (n_cells, n_classes)."""
    spread = _UNKNOWN_LAB * home.within + home.physical
    return log_densities(z, home.means, np.repeat(spread[None], len(home.means), 0))


def adapt_batch(
    z: Floats, alone: Floats, shapes: ClassShapes, preprocessor: Preprocessor, classes: Sequence[str], seed: int = 0
) -> BatchFit:
    """Learn how one laboratory differs from the reference, and classify its cells with that allowed for.

    Parameters
    ----------
    z : ndarray, shape (n_cells, 41)
        Standardised features of one laboratory's cells of one species, NaN where missing.
    alone : ndarray, shape (n_cells, n_classes)
        Posterior of each cell by itself.
    shapes : ClassShapes
        The reference's classes.
    preprocessor : Preprocessor
        That standardised `z`.
    classes : sequence of str
        Names, in the order of `alone`.
    seed : int
        Of the halves, and of the cells used where there are over 1,200.

    Returns
    -------
    BatchFit
    """
    rng = np.random.default_rng(seed)
    seen = (~np.isnan(z)).mean(0) >= LEAST_PRESENT if len(z) else np.zeros(z.shape[1], dtype=bool)
    known = np.flatnonzero((~np.isnan(z[:, seen])).any(1))
    if len(known) < LEAST_CELLS:
        return _left_alone(alone, classes, f"{len(known)} cells are too few to estimate how a laboratory differs; "
                           f"at least {LEAST_CELLS} are needed.")  # fmt: skip
    home = reference_home(shapes, preprocessor, seen)
    own = z[:, seen]
    chosen = np.sort(rng.choice(known, _MOST_FITTED, replace=False)) if len(known) > _MOST_FITTED else known
    fitted, start = _few_patterns(z[chosen], preprocessor)[:, seen], alone[chosen]
    fit = fit_laboratory(fitted, start, home)
    batch = posterior(fit, own)
    stability, gain = _halves(fitted, start, batch[chosen], home, rng)
    why_not = _why_not(fitted, start, batch[chosen], fit, home, classes, stability, gain)
    described = _describe(fit, home, shapes, preprocessor, seen)
    if why_not:
        return BatchFit(tuple(classes), False, why_not, alone, None, None, *described, stability, gain)
    p = pooled_verdict(alone, batch, len(known))
    limit = set_limit(fit, home, shapes, seen, len(known), rng)
    sets = 1 - p <= limit
    sets[np.arange(len(p)), p.argmax(1)] = True
    return BatchFit(tuple(classes), True, "", p, sets, _proportions(fit, classes), *described, stability, gain)


def _left_alone(alone: Floats, classes: Sequence[str], why_not: str) -> BatchFit:
    nothing = np.full(len(FEATURE_NAMES), np.nan)
    return BatchFit(
        tuple(classes), False, why_not, alone, None, None, (), nothing, nothing, (), float("nan"), float("nan")
    )


def _few_patterns(z: Floats, preprocessor: Preprocessor) -> Floats:
    """The cells, completed where their patterns of missing features are too many to go through one by one."""
    patterns = np.unique(~np.isnan(z), axis=0)
    return z if len(patterns) <= _MOST_PATTERNS else preprocessor.complete(z)[0]


def posterior(fit: LabFit, z: Floats) -> Floats:
    """Class probabilities under a laboratory, densities raised to the power that the features are worth."""
    log_share = digamma(fit.pseudo_counts) - digamma(fit.pseudo_counts.sum())
    k = (~np.isnan(z)).sum(1, keepdims=True)
    joint = (fit.log_joint(z) - log_share) / (1 + k / _POWER_FEATURES) + log_share
    return np.asarray(np.exp(joint - logsumexp(joint, axis=1, keepdims=True)))


def pooled_verdict(alone: Floats, batch: Floats, n_cells: int) -> Floats:
    """The cells' own posteriors and the batch's, pooled with a weight that grows with the batch."""
    trust = n_cells**2 / (n_cells**2 + _HALF_TRUST**2)
    logs = (1 - trust) * np.log(np.maximum(alone, _TINY)) + trust * np.log(np.maximum(batch, _TINY))
    return np.asarray(np.exp(logs - logsumexp(logs, axis=1, keepdims=True)))


def _halves(z: Floats, start: Floats, batch: Floats, home: Home, rng: np.random.Generator) -> tuple[float, float]:
    """Fraction of cells that keep their class, and gain, when the laboratory is learned from the other half."""
    half = rng.permutation(len(z)) < len(z) // 2
    same, gain = 0, 0.0
    for learned in (half, ~half):
        fit = fit_laboratory(z[learned], start[learned], home)
        other = z[~learned]
        same += int((posterior(fit, other).argmax(1) == batch[~learned].argmax(1)).sum())
        without = logsumexp(unknown_laboratory(other, home), axis=1) - np.log(len(home.means))
        gain += float((fit.log_density(other) - without).sum())
    return same / len(z), gain / len(z)


def _why_not(
    z: Floats, start: Floats, batch: Floats, fit: LabFit, home: Home, classes: Sequence[str], stability: float,
    gain: float,
) -> str:  # fmt: skip
    """Why the batch cannot be adapted to; empty if it can."""
    if gain <= 0:
        return "held-out cells are not described better with the laboratory's offset than without it."
    if stability < LEAST_STABLE:
        return (
            f"only {stability:.0%} of the cells keep their class when the laboratory is learned from the other half of "
            f"the batch; at least {LEAST_STABLE:.0%} should."
        )
    corners = np.eye(len(home.means))
    alike = [fit_laboratory(z, np.repeat(corner[None], len(z), 0), home).evidence for corner in corners]
    over = fit.evidence - max(alike)
    if over < LEAST_OVER_ONE_CLASS:
        return (
            f"one class ({label_of(classes[int(np.argmax(alike))])}) explains these cells about as well as several do "
            f"(difference of log evidence {over:.1f} nats, at least {LEAST_OVER_ONE_CLASS:.0f} needed), so the offset "
            "of the laboratory cannot be separated from what is particular to a class. Add cells of other classes "
            "recorded on the same rig."
        )
    for corner in corners:
        rival = fit_laboratory(z, 0.9 * corner + 0.1 * start, home)
        changed = float((posterior(rival, z).argmax(1) != batch.argmax(1)).mean())
        if changed > RIVAL_CHANGED and rival.evidence > fit.evidence - RIVAL_NATS:
            return f"another explanation fits the batch about as well and classifies {changed:.0%} of the cells otherwise."
    return ""


def _describe(
    fit: LabFit, home: Home, shapes: ClassShapes, preprocessor: Preprocessor, seen: Mask
) -> tuple[tuple[Component, ...], Floats, Floats, tuple[str, ...]]:
    """Physical parts of the offset, the offset and its sd on all features, and features measured otherwise."""
    directions = standardised_shifts(preprocessor)[:, seen]
    precision = np.linalg.inv(home.physical + np.diag(fit.own_variance))
    project = directions @ precision
    size = project @ fit.offset
    variance = np.diag(np.eye(len(size)) - project @ directions.T + project @ fit.offset_covariance @ project.T)
    sd = np.sqrt(np.maximum(variance, 0))
    parts = tuple(
        Component(shift.name, shift.unit, *(float(shift.sd * value) for value in (m, m - _NORMAL_95 * s,
                                                                                  m + _NORMAL_95 * s)))
        for shift, m, s, moved in zip(LAB_SHIFTS, size, sd, directions.any(1), strict=True)
        if moved
    )  # fmt: skip
    delta, delta_sd = np.full(len(seen), np.nan), np.full(len(seen), np.nan)
    delta[seen], delta_sd[seen] = fit.offset, np.sqrt(np.diag(fit.offset_covariance))
    own = fit.own_variance * (precision @ fit.offset)
    large = np.abs(own) > _OWN_OFFSET
    names = np.array(FEATURE_NAMES)[seen]
    return parts, delta, delta_sd, tuple(str(name) for name in names[large])


def _proportions(fit: LabFit, classes: Sequence[str]) -> dict[str, Proportion]:
    """Shares with intervals: the Dirichlet's sd, and the error seen in laboratories whose composition is known."""
    total = fit.pseudo_counts.sum()
    share = fit.pseudo_counts / total
    sd = np.sqrt(share * (1 - share) / (total + 1) + _PROPORTION_SD**2)
    low, high = np.maximum(share - _NORMAL_95 * sd, 0), np.minimum(share + _NORMAL_95 * sd, 1)
    return {
        name: Proportion(float(a), float(b), float(c)) for name, a, b, c in zip(classes, share, low, high, strict=True)
    }


_PLANTED = 8
_PLANTED_CELLS = 150
_PLANTED_DOF = 60
_PLANTED_CLASS_SD = 0.25


def set_limit(
    fit: LabFit, home: Home, shapes: ClassShapes, seen: Mask, n_cells: int, rng: np.random.Generator
) -> float:
    """Largest 1 − p of a class in a prediction set, from planted laboratories of known classes."""
    scores = []
    share = fit.pseudo_counts / fit.pseudo_counts.sum()
    for _ in range(_PLANTED):
        z, truth = plant(share, home, shapes, seen, min(n_cells, _PLANTED_CELLS), rng)
        joint = unknown_laboratory(z, home)
        k = (~np.isnan(z)).sum(1, keepdims=True)
        joint = joint / (1 + k / _POWER_FEATURES)
        alone = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
        learned = fit_laboratory(z, alone, home)
        p = pooled_verdict(alone, posterior(learned, z), n_cells)
        scores.append(1 - p[np.arange(len(z)), truth])
    return float(np.quantile(np.concatenate(scores), COVERAGE, method="higher"))


def plant(share, home, shapes, seen, n_cells, rng):
    n_classes, k = home.means.shape
    truth = rng.choice(n_classes, n_cells, p=share)
    delta = rng.multivariate_normal(np.zeros(k), home.physical, method="eigh") + 0.5 * rng.standard_t(4, k)
    gamma = _PLANTED_CLASS_SD * rng.normal(size=(n_classes, k))
    covs = shapes.blended(0.5)[:, seen][:, :, seen] + RIDGE * np.eye(k)
    z = np.empty((n_cells, k))
    root = rng.normal(size=(_PLANTED_DOF + k, k)) / np.sqrt(_PLANTED_DOF + k)
    warp = np.linalg.cholesky(root.T @ root)
    for c in range(n_classes):
        rows = truth == c
        base = np.linalg.cholesky(covs[c]) @ warp
        scale = np.sqrt(rng.chisquare(8, int(rows.sum())) / 8)[:, None]
        z[rows] = home.means[c] + delta + gamma[c] + rng.normal(size=(int(rows.sum()), k)) @ base.T / scale
    return z, truth
