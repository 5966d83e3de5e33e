"""What the search knows of each real class: means, spreads, correlations and ranges of its features."""

from collections.abc import Mapping

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.preprocessing import StandardScaler

from neuroclass.cell_types import Species
from neuroclass.cohort.cohort import Cohort
from neuroclass.features import FEATURE_NAMES, PERSON_FEATURES
from neuroclass.types.arrays import Floats, Names

NAMES: tuple[str, ...] = tuple(name for name in FEATURE_NAMES if name not in PERSON_FEATURES)
SHRINKAGE = 0.3
TARGET_SPREAD = 1.2
WINSOR_PERCENT = 1.0
RANGE_PERCENT = 0.5
LIMIT_PERCENT = 97.5
_CURRENTS = ("threshold_i", "peak_i", "trough_i", "fast_trough_i", "upstroke_downstroke_ratio")
_OFFSETS = {"sag": 0.02, "f_i_curve_slope": 0.02}
_LOGARITHMIC = frozenset(
    name
    for name in NAMES
    if name.startswith(_CURRENTS) or name in {"tau", "ri", "width", "latency", "upstroke", "sag", "f_i_curve_slope"}
)


def transformed(values: Mapping[str, float]) -> Floats:
    """Features made roughly symmetrical: logarithms of currents, times and ratios; NaN where missing."""
    out = np.array([values.get(name, np.nan) for name in NAMES], dtype=np.float64)
    for k, name in enumerate(NAMES):
        if name == "downstroke":
            out[k] = np.log(max(-out[k], 1e-3))
        elif name in _LOGARITHMIC:
            out[k] = np.log(max(out[k] + _OFFSETS.get(name, 0.0), 1e-5))
    return out


class ClassSummary:
    """Summary of one class' transformed features.

    Attributes
    ----------
    mean, sd, low, high : ndarray, shape (39,)
        Mean and standard deviation after winsorising, and the 0.5th and 99.5th percentiles.
    correlation : ndarray, shape (39, 39)
        Shrunk towards the identity by `SHRINKAGE`.
    limit : float
        97.5th percentile of the real cells' squared Mahalanobis distance.
    """

    def __init__(self, cohort: Cohort) -> None:
        z = _transformed_rows(cohort)
        z = np.where(np.isnan(z), np.nanmedian(z, axis=0), z)
        clipped = np.clip(z, *np.percentile(z, [WINSOR_PERCENT, 100 - WINSOR_PERCENT], axis=0))
        self.mean, self.sd = clipped.mean(axis=0), clipped.std(axis=0)
        correlation = np.corrcoef(clipped.T)
        self.correlation = (1 - SHRINKAGE) * correlation + SHRINKAGE * np.eye(len(NAMES))
        self._precision = np.linalg.inv(self.correlation)
        self._volume = np.linalg.slogdet(self.correlation)[1] + 2 * np.log(self.sd).sum()
        self.low, self.high = np.percentile(z, [RANGE_PERCENT, 100 - RANGE_PERCENT], axis=0)
        self.limit = float(np.percentile([self.distance(row) for row in z], LIMIT_PERCENT))

    def scores(self, z: Floats) -> Floats:
        """Standard deviations from the class' mean."""
        return (z - self.mean) / self.sd

    def distance(self, z: Floats) -> float:
        """Squared Mahalanobis distance from the class' mean."""
        scores = self.scores(z)
        return float(scores @ self._precision @ scores)

    def surprise(self, z: Floats) -> float:
        """Minus twice the class' Gaussian log density, up to a constant."""
        return self.distance(z) + float(self._volume)

    def n_outside(self, z: Floats) -> int:
        """How many features lie outside the class' 0.5–99.5% range."""
        return int(np.count_nonzero((z < self.low) | (z > self.high)))

    def draw(self, generator: np.random.Generator) -> Floats:
        """A pseudo-observation: a draw from the widened Gaussian summary inside nearly all ranges, as scores."""
        root = np.linalg.cholesky(self.correlation)
        while True:
            scores = TARGET_SPREAD * root @ generator.standard_normal(len(NAMES))
            if self.n_outside(self.mean + scores * self.sd) <= 2:
                return np.asarray(scores)


class Discriminant:
    """Linear discriminant between a species' classes: the summary most informative of class (ref. 1).

    References
    ----------
    .. [1] Fearnhead and Prangle, "Constructing summary statistics for approximate Bayesian
       computation: semi-automatic ABC", J R Stat Soc B 74, 2012.
    """

    def __init__(self, cohort: Cohort) -> None:
        complete = cohort.complete()
        self.scaler = StandardScaler().fit(_transformed_rows(complete))
        self.model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        self.model.fit(self.scaler.transform(_transformed_rows(complete)), kinds_of(complete))

    def posterior(self, kind: str, z: Floats) -> Floats:
        """Posterior probability of a class, shape (n_cells,), for features of shape (n_cells, 39)."""
        column = list(self.model.classes_).index(kind)
        return np.asarray(self.model.predict_proba(self.scaler.transform(z))[:, column])


def _transformed_rows(cohort: Cohort) -> Floats:
    rows = cohort.frame[list(NAMES)].to_numpy(dtype=np.float64)
    return np.array([transformed(dict(zip(NAMES, row, strict=True))) for row in rows])


def discriminants(cohort: Cohort) -> dict[str, Discriminant]:
    """A discriminant for each species."""
    return {species.value: Discriminant(cohort.of_species(species)) for species in Species}


def kinds_of(cohort: Cohort) -> Names:
    """Class of each cell, such as ``mouse/Pvalb`` or ``human/excitatory``, shape (n_cells,)."""
    frame = cohort.frame
    return (frame["species"] + "/" + frame["subclass"].fillna(frame["broad"])).to_numpy(dtype=str)


def class_summaries(cohort: Cohort) -> dict[str, ClassSummary]:
    """Summary of each mouse subclass and each human broad class."""
    kinds = kinds_of(cohort)
    return {str(kind): ClassSummary(cohort.take(kinds == kind)) for kind in np.unique(kinds)}
