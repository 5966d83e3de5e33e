"""Ranges of the database's features: the 0.5%, 50% and 99.5% quantiles per species and feature.

The quantiles ship as ``models/feature_ranges.json``, written by `neuroclass.evaluation.feature_ranges`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from neuroclass.cell_types import HUMAN_SUBCLASS_ORDER, HumanSubclass, Species
from neuroclass.config import MODELS_DIR
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES
from neuroclass.types.arrays import Floats

RANGES_FILE = MODELS_DIR / "feature_ranges.json"
LEVELS: tuple[float, ...] = tuple(round(0.05 * step, 2) for step in range(1, 20))


@dataclass(frozen=True)
class FeatureRange:
    """Quantiles of one feature over the database's cells of one species, stored unit."""

    low: float
    median: float
    high: float

    def union(self, other: "FeatureRange") -> "FeatureRange":
        """The smallest range that covers both; the median is the mean of the two."""
        return FeatureRange(min(self.low, other.low), (self.median + other.median) / 2, max(self.high, other.high))


Ranges = Mapping[str, FeatureRange]


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{path} is not a table of the 41 features' ranges ({error}). Restore it from the repository."
        ) from error


@cache
def load_ranges(path: Path = RANGES_FILE) -> dict[str, Ranges]:
    """Read the shipped quantiles of each species.

    Returns
    -------
    dict of species to mapping of feature name to FeatureRange

    Raises
    ------
    ModelFileError
        If the file is absent or names other features.
    """
    try:
        return {
            species: {name: FeatureRange(*rows[name]) for name in FEATURE_NAMES}
            for species, rows in _read(path)["species"].items()
        }
    except (KeyError, TypeError) as error:
        raise ModelFileError(f"{path} lacks {error}. Restore it from the repository.") from error


@cache
def _class_quantiles(species: str, label: str, path: Path = RANGES_FILE) -> Mapping[str, list[float]]:
    found = _read(path)["classes"]
    return dict(found.get(species, {}).get(label) or found[Species.MOUSE].get(label, {}))


def percentile(feature: str, value: float, species: str, label: str) -> float | None:
    """Percentile of a value among the database's cells of a class.

    Parameters
    ----------
    feature : str
        Name of the feature.
    value : float
        Stored unit.
    species, label : str
        Species and class; mouse is used if the species has no cell of that class.

    Returns
    -------
    float or None
        Percentage of those cells with a lower value, clipped to 5 to 95; None for an unknown class.
    """
    quantiles = _class_quantiles(species, label).get(feature)
    if quantiles is None:
        return None
    return round(100 * float(np.interp(value, quantiles, LEVELS)), 1)


def compared_with(species: str, label: str) -> str:
    """The class whose database cells a value is compared with: of a human subclass, which has none, the broad class."""
    of_human = species == Species.HUMAN and label in HUMAN_SUBCLASS_ORDER
    return HumanSubclass(label).broad.value if of_human else label


def class_values(species: str, label: str) -> Floats:
    """The 5% to 95% quantiles of the database's cells of a class.

    Parameters
    ----------
    species, label : str
        Species and class; mouse is used if the species has no cell of that class.

    Returns
    -------
    ndarray, shape (19, 41)
        Stored units, one row for each of `LEVELS`.

    Raises
    ------
    ModelFileError
        If there are no quantiles for the class.
    """
    quantiles = _class_quantiles(species, label)
    if not quantiles:
        raise ModelFileError(f"{RANGES_FILE} has no quantiles of {label}. Restore it from the repository.")
    return np.array([quantiles[name] for name in FEATURE_NAMES], dtype=np.float64).T


@cache
def overall_ranges() -> Ranges:
    """Range of each feature over both species."""
    first, *others = load_ranges().values()
    merged = dict(first)
    for ranges in others:
        merged = {name: merged[name].union(ranges[name]) for name in FEATURE_NAMES}
    return merged


def outside(features: Mapping[str, float], species: str) -> tuple[str, ...]:
    """Features outside the species' 0.5% to 99.5% quantiles; both species' ranges if it is unknown."""
    ranges = load_ranges().get(species) or overall_ranges()
    return tuple(name for name, value in features.items() if not ranges[name].low <= value <= ranges[name].high)
