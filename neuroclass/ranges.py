"""Where the features of the database's cells lie: per species and feature, the 0.5%, 50% and 99.5% quantiles.

The quantiles ship as ``models/feature_ranges.json``; `neuroclass.evaluation.ranges` makes them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from neuroclass.config import MODELS_DIR
from neuroclass.errors import ModelFileError
from neuroclass.features import FEATURE_NAMES

RANGES_FILE = MODELS_DIR / "feature_ranges.json"


@dataclass(frozen=True)
class FeatureRange:
    """Quantiles of one feature over the database's cells of one species, stored unit."""

    low: float
    median: float
    high: float

    def union(self, other: "FeatureRange") -> "FeatureRange":
        """The smallest range that holds both; the median is the mean of the two."""
        return FeatureRange(min(self.low, other.low), (self.median + other.median) / 2, max(self.high, other.high))


Ranges = Mapping[str, FeatureRange]


@cache
def load_ranges(path: Path = RANGES_FILE) -> dict[str, Ranges]:
    """Read the shipped quantiles.

    Returns
    -------
    dict of species to mapping of feature name to FeatureRange

    Raises
    ------
    ModelFileError
        If the file is absent or names other features.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        ranges = {
            species: {name: FeatureRange(*rows[name]) for name in FEATURE_NAMES}
            for species, rows in content["species"].items()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{path} is not a table of the 41 features' ranges ({error!r}). Restore it from the repository."
        ) from error
    return dict(ranges)


def overall_ranges() -> Ranges:
    """Range of each feature over both species."""
    first, *others = load_ranges().values()
    merged = dict(first)
    for ranges in others:
        merged = {name: merged[name].union(ranges[name]) for name in FEATURE_NAMES}
    return merged
