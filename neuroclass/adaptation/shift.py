"""How a laboratory's cells differ from the reference: feature by feature, and as a whole.

Feature by feature: each value's percentile among the reference cells of its species, weighted to the batch's own
class proportions, so that different proportions do not count as a shift. Without a shift the percentiles are
uniform; their mean is tested against ½ (standard error 1/√(12 n)), with Holm-corrected p values. As a whole: how well a
cross-validated logistic regression separates the batch from the reference, with reference cells weighted to the
batch's class proportions; 0.5 is chance.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from neuroclass.cohort.compare import holm
from neuroclass.features import FEATURE_NAMES
from neuroclass.predictors.preprocess import CLIP
from neuroclass.reference.ranges import LEVELS, class_values
from neuroclass.reference.shapes import ReferenceShapes
from neuroclass.types.arrays import Floats, Integers

LEAST_VALUES = 10
_TAIL = (1 - (LEVELS[-1] - LEVELS[0])) / 4
_STAND_INS = 600


@dataclass(frozen=True)
class FeatureShift:
    """One feature of a batch against the reference.

    Attributes
    ----------
    feature, species : str
        The feature, and the species of the reference cells.
    n_cells : int
        Cells of the batch with a value.
    median, expected : float
        The batch's median, and the reference's in the batch's class proportions, stored unit.
    percentile : float
        Mean percentile of the batch's values in the reference; 50 without a shift.
    p : float
        Two-sided, corrected after Holm over the features compared.
    """

    feature: str
    species: str
    n_cells: int
    median: float
    expected: float
    percentile: float
    p: float


def feature_shifts(x: Floats, species: str, classes: Sequence[str], proportions: Floats) -> list[FeatureShift]:
    """Compare each feature of a batch with the reference cells of a species.

    Parameters
    ----------
    x : ndarray, shape (n_cells, 41)
        Stored units, NaN where missing.
    species : str
        Species of the reference: ``mouse`` or ``human``.
    classes : sequence of str
        Classes with shipped quantiles for the species.
    proportions : ndarray, shape (n_classes,)
        Of the batch.

    Returns
    -------
    list of FeatureShift
        Largest shift first; features with fewer than 10 values are left out.
    """
    values = [class_values(species, name) for name in classes]
    found = []
    for column, feature in enumerate(FEATURE_NAMES):
        own = x[np.isfinite(x[:, column]), column]
        if len(own) < LEAST_VALUES:
            continue
        ranks = sum(
            share * np.interp(own, quantiles[:, column], LEVELS, left=_TAIL, right=1 - _TAIL)
            for share, quantiles in zip(proportions, values, strict=True)
        )
        mean = float(np.mean(ranks))
        score = abs(mean - 0.5) * np.sqrt(12 * len(own))
        expected = _mixture_median([quantiles[:, column] for quantiles in values], proportions)
        p = float(2 * norm.sf(score))
        found.append(FeatureShift(feature, species, len(own), float(np.median(own)), expected, 100 * mean, p))
    found.sort(key=lambda one: -abs(one.percentile - 50))
    return [replace(one, p=float(p)) for one, p in zip(found, holm([one.p for one in found]), strict=True)]


def _mixture_median(quantiles: Sequence[Floats], proportions: Floats) -> float:
    """Median of classes mixed in given proportions, from their quantiles."""
    grid = np.unique(np.concatenate(quantiles))
    mixed = sum(
        share * np.interp(grid, q, LEVELS, left=0.0, right=1.0) for share, q in zip(proportions, quantiles, strict=True)
    )
    return float(np.interp(0.5, np.maximum.accumulate(np.asarray(mixed)), grid))


@dataclass(frozen=True)
class DomainScore:
    """How well a classifier separates the batch from the reference.

    Attributes
    ----------
    auc : float
        Area under the receiver operating characteristic, cross-validated; 0.5 is chance.
    against : str
        Description of the reference cells.
    """

    auc: float
    against: str


def domain_score(
    reference: ReferenceShapes, x: Floats, proportions: Floats, real: Floats | None = None,
    real_classes: Integers | None = None, seed: int = 0,
) -> DomainScore:  # fmt: skip
    """Separate the batch from the reference with a linear classifier on the standardised features.

    Parameters
    ----------
    reference : ReferenceShapes
        Provides standardisation and imputation, and without real cells the surrogates.
    x : ndarray, shape (n_cells, 41)
        The batch, stored units, NaN where missing.
    proportions : ndarray, shape (n_classes,)
        Of the batch.
    real : ndarray, shape (n_real, 41), optional
        Real reference cells, stored units.
    real_classes : ndarray of int, shape (n_real,), optional
        Their classes.
    seed : int
        Of folds and stand-ins.

    Returns
    -------
    DomainScore
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    seen = np.isfinite(x).mean(0) >= 0.5
    own = reference.preprocessor.standardise(x)
    if real is None or real_classes is None:
        drawn, _ = reference.shapes.sample(proportions, _STAND_INS, np.random.default_rng(seed))
        other = np.clip(drawn, -CLIP, CLIP)
        against = f"{_STAND_INS} stand-ins drawn from {reference.source}"
    else:
        rng = np.random.default_rng(seed)
        counts = np.maximum(np.bincount(real_classes, minlength=len(proportions)), 1)
        share = (np.maximum(proportions, 1e-6) / counts)[real_classes]
        rows = rng.choice(len(real), min(len(real) // 2, _STAND_INS), replace=False, p=share / share.sum())
        other = reference.preprocessor.standardise(real[rows])
        against = f"{len(rows)} draws from {len(real)} real cells, weighted to the batch's class proportions"
    z, _ = reference.preprocessor.complete(np.where(seen, np.concatenate([own, other]), np.nan))
    truth = np.repeat([1, 0], [len(own), len(other)])
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    linear = LogisticRegression(C=0.1, max_iter=500, class_weight="balanced")
    scores = cross_val_predict(linear, z[:, seen], truth, cv=folds, method="decision_function")
    return DomainScore(float(roc_auc_score(truth, scores)), against)
