"""Transform, standardise and impute features, all fitted on training cells and saved with the model.

Positive, skewed quantities (currents, resistances, times, slopes, ratios) enter as logarithms, so that
a change of temperature or cell size is a shift. Missing features are replaced by their expectation given
those present under a Gaussian with the training cells' mean and shrunk covariance:
E[z_h | z_p] = Σ_hp Σ_pp⁻¹ z_p (means are 0 after standardising).

References
----------
.. [1] Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.types.arrays import Floats, Mask

CLIP = 5.0
_FLOORS = {
    "pA": 3.0,
    "MOhm": 15.0,
    "ms": 1.0,
    "s": 1e-4,
    "GOhm": 0.3,
    "mV/ms": 10.0,
}


def _log_floor(name: str, unit: str) -> float:
    """Floor below which the logarithm is not taken; 0 for features used as they are."""
    if name == "latency":
        return 2e-3
    if "ratio" in name:
        return 0.5
    return _FLOORS.get(unit, 0.0)


LOG_FLOORS: Floats = np.array([_log_floor(spec.name, spec.unit) for spec in FEATURES])
SIGNS: Floats = np.array([-1.0 if spec.name == "downstroke" else 1.0 for spec in FEATURES])
_SLOPE = FEATURE_NAMES.index("f_i_curve_slope")
_SLOPE_OFFSET = 0.05


def transform(x: Floats) -> Floats:
    """Take logarithms of skewed features.

    Parameters
    ----------
    x : ndarray, shape (n_cells, 41)
        Stored units, NaN where missing.

    Returns
    -------
    ndarray, shape (n_cells, 41)
    """
    result = np.array(x, dtype=np.float64)
    logged = LOG_FLOORS > 0
    result[:, logged] = np.log(np.maximum(result[:, logged] * SIGNS[logged], LOG_FLOORS[logged]))
    result[:, _SLOPE] = np.log(np.maximum(result[:, _SLOPE], 0.0) + _SLOPE_OFFSET)
    return result


def restore(values: Floats) -> Floats:
    """Invert `transform`, shape (n_cells, 41); values below a floor come back as the floor."""
    result = np.array(values, dtype=np.float64)
    logged = LOG_FLOORS > 0
    result[:, logged] = np.exp(result[:, logged]) * SIGNS[logged]
    result[:, _SLOPE] = np.maximum(np.exp(result[:, _SLOPE]) - _SLOPE_OFFSET, 0.0)
    return result


def by_pattern(present: Mask) -> Iterator[tuple[Mask, Mask]]:
    """Each distinct pattern of present features, shape (41,), with a mask of its cells, shape (n_cells,)."""
    if len(present) and (present == present[0]).all():
        yield present[0], np.ones(len(present), dtype=bool)
        return
    packed = np.ascontiguousarray(np.packbits(present, axis=1))
    _, first, which = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True)
    for number, row in enumerate(first):
        yield present[row], which == number


@dataclass(frozen=True)
class Preprocessor:
    """Scaler and imputer.

    Attributes
    ----------
    mean, scale : ndarray, shape (41,)
        Of the transformed training features.
    covariance : ndarray, shape (41, 41)
        Shrunk covariance of the standardised training features.
    """

    mean: Floats
    scale: Floats
    covariance: Floats

    @staticmethod
    def _enter(x: Floats) -> Floats:
        return transform(x)

    @staticmethod
    def _leave(values: Floats) -> Floats:
        return restore(values)

    @classmethod
    def fit(cls, x: Floats) -> Self:
        """Fit on training cells, shape (n_cells, 41), stored units, NaN where missing.

        A feature that no training cell has gets NaN as its mean, and stays missing ever after.
        """
        from sklearn.covariance import ledoit_wolf

        values = cls._enter(x)
        measured = ~np.isnan(values).all(axis=0)
        mean, scale = np.full(values.shape[1], np.nan), np.ones(values.shape[1])
        mean[measured] = np.nanmean(values[:, measured], axis=0)
        scale[measured] = np.maximum(np.nanstd(values[:, measured], axis=0), 1e-9)
        z = np.clip((values - mean) / scale, -CLIP, CLIP)
        complete = z[~np.isnan(z).any(axis=1)]
        covariance = ledoit_wolf(complete if len(complete) > z.shape[1] else np.nan_to_num(z))[0]
        return cls(mean, scale, np.asarray(covariance))

    def standardise(self, x: Floats) -> Floats:
        """Standardised features, shape (n_cells, 41), clipped at ±5 standard deviations, NaN where missing."""
        x = np.where(np.isfinite(x), x, np.nan)
        return np.clip((self._enter(x) - self.mean) / self.scale, -CLIP, CLIP)

    def stored_units(self, z: Floats) -> Floats:
        """Invert `standardise`, shape (n_cells, 41): back to stored units."""
        return self._leave(z * self.scale + self.mean)

    def imputation_map(self, present: Mask) -> Floats:
        """Matrix A, shape (41, 41), such that (z with 0 where missing) A is z with missing values imputed.

        Parameters
        ----------
        present : ndarray of bool, shape (41,)
            Which features were measured.
        """
        a = np.diag(present.astype(np.float64))
        if present.any() and not present.all():
            within = self.covariance[np.ix_(present, present)]
            across = self.covariance[np.ix_(present, ~present)]
            a[np.ix_(present, ~present)] = np.linalg.solve(within, across)
        return a

    def complete(self, z: Floats) -> tuple[Floats, Mask]:
        """Impute missing standardised features by their expectation given those present.

        Parameters
        ----------
        z : ndarray, shape (n_cells, 41)
            NaN where missing.

        Returns
        -------
        completed : ndarray, shape (n_cells, 41)
        present : ndarray of bool, shape (n_cells, 41)
        """
        present = ~np.isnan(z)
        completed = np.where(present, z, 0.0)
        for pattern, rows in by_pattern(present):
            if not pattern.all():
                completed[rows] = completed[rows] @ self.imputation_map(pattern)
        return np.clip(completed, -CLIP, CLIP), present

    def __call__(self, x: Floats) -> tuple[Floats, Mask]:
        """Standardise and impute features in stored units; see `complete`."""
        return self.complete(self.standardise(x))

    def arrays(self) -> dict[str, Floats]:
        """Arrays to save."""
        return {"scaler.mean": self.mean, "scaler.scale": self.scale, "imputer.covariance": self.covariance}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Self:
        """Rebuild from the output of `arrays`."""
        names = ("scaler.mean", "scaler.scale", "imputer.covariance")
        return cls(*(np.asarray(arrays[name], dtype=np.float64) for name in names))


class PlainPreprocessor(Preprocessor):
    """Scaler and imputer of features other than the 41, used as they are."""

    @staticmethod
    def _enter(x: Floats) -> Floats:
        return np.array(x, dtype=np.float64)

    @staticmethod
    def _leave(values: Floats) -> Floats:
        return np.array(values, dtype=np.float64)


class UnclippedPreprocessor(Preprocessor):
    """Standardised features as they are, so that `stored_units` gives back what was measured."""

    def standardise(self, x: Floats) -> Floats:
        """Standardised features, shape (n_cells, 41), not clipped, NaN where missing."""
        x = np.where(np.isfinite(x), x, np.nan)
        return np.asarray((self._enter(x) - self.mean) / self.scale)


class PaperScaler(UnclippedPreprocessor, PlainPreprocessor):
    """The paper's scaler: each feature's mean and standard deviation, no logarithm, no clipping."""
