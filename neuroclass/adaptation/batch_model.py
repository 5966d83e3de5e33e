"""Adapt to one laboratory's cells without labels, and say when that cannot be done.

The laboratory is learned by `variational.fit_laboratory`, started from each cell's own posterior. `checks` says when a
batch is left as it is; otherwise `verdicts` pools each cell's own posterior with the batch's, and `planted` sets the
limit of the prediction sets.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from neuroclass.adaptation.checks import compare_halves, why_not
from neuroclass.adaptation.planted import set_limit
from neuroclass.adaptation.variational import Home, LabFit, fit_laboratory
from neuroclass.adaptation.verdicts import pooled_verdict, posterior, reference_home
from neuroclass.cell_types import BROAD_ORDER, Broad, Subclass
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.class_shapes import ClassShapes
from neuroclass.predictors.lab_shifts import LAB_SHIFTS, standardised_shifts
from neuroclass.predictors.preprocess import Preprocessor
from neuroclass.types.arrays import Floats, Mask

LEAST_CELLS = 15
LEAST_PRESENT = 0.3
_MOST_FITTED = 1200
_MOST_PATTERNS = 12
_PROPORTION_SD = 0.045
_OWN_OFFSET = 1.0
_NORMAL_95 = 1.96
_TITLES = {
    "voltage offset": "offset of all potentials",
    "temperature": "spike width, as by temperature,",
    "resistance": "input resistance",
    "rheobase step": "rheobase",
    "spike height": "loss of spike height",
    "bridge": "offset of spike potentials",
}


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

    @property
    def shown(self) -> bool:
        """Whether the interval excludes no difference."""
        return self.low > 0 or self.high < 0

    def in_words(self) -> str:
        """The estimate with its interval, as display text."""
        title = _TITLES.get(self.name, self.name)
        if self.unit == "ln":
            size, low, high = np.exp([self.size, self.low, self.high])
            return f"{title} × {size:.2f} (95%: {low:.2f} to {high:.2f})"
        return f"{title} {self.size:+.1f} {self.unit} (95%: {self.low:+.1f} to {self.high:+.1f})"


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
        Held-out logarithm of the density with the laboratory learned, less that without, nats per cell.
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

    def as_broad(self) -> "BatchFit":
        """The same batch as excitatory or inhibitory: probabilities, sets and composition follow from the classes'."""
        excitatory = np.array([name in (Broad.EXCITATORY, Subclass.GLUTAMATERGIC) for name in self.classes])
        share = self.probabilities[:, excitatory].sum(1)
        sets, proportions = self.sets, None
        if sets is not None:
            sets = np.stack([sets[:, excitatory].any(1), sets[:, ~excitatory].any(1)], axis=1)
        if self.proportions is not None:
            one = next(part for part, inside in zip(self.proportions.values(), excitatory, strict=True) if inside)
            rest = Proportion(1 - one.share, 1 - one.high, 1 - one.low)
            proportions = {Broad.EXCITATORY.value: one, Broad.INHIBITORY.value: rest}
        p = np.stack([share, 1 - share], axis=1)
        return replace(self, classes=BROAD_ORDER, probabilities=p, sets=sets, proportions=proportions)


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
    stability, gain = compare_halves(fitted, start, batch[chosen], home, rng)
    reason = why_not(fitted, start, batch[chosen], fit, home, classes, stability, gain)
    if reason:
        return replace(_left_alone(alone, classes, reason), stability=stability, gain=gain)
    p = pooled_verdict(alone, batch, len(known))
    limit = set_limit(fit, home, shapes, seen, len(known), rng)
    sets = 1 - p <= limit
    sets[np.arange(len(p)), p.argmax(1)] = True
    described = _describe(fit, home, preprocessor, seen)
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


def _describe(
    fit: LabFit, home: Home, preprocessor: Preprocessor, seen: Mask
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
