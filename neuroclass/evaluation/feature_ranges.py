"""Make ``models/feature_ranges.json``: ``python -m neuroclass.evaluation.feature_ranges DIR``."""

import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.features import FEATURE_NAMES
from neuroclass.reference.ranges import LEVELS, RANGES_FILE

QUANTILES = (0.005, 0.5, 0.995)


def feature_ranges(cohort: Cohort) -> dict[str, Any]:
    """Quantiles of each feature over the cells of each species and class, stored units, ready for JSON."""
    species = {}
    classes: dict[str, dict[str, Any]] = {}
    for name in cohort.frame["species"].unique():
        cells = cohort.of_species(name).frame
        species[name] = _quantiles(cells, QUANTILES)
        for label in ("broad", "subclass"):
            for value in sorted(cells[label].dropna().unique()):
                classes.setdefault(name, {})[value] = _quantiles(cells[cells[label] == value], LEVELS)
    return {
        "about": "Quantiles of each feature over the Allen Cell Types Database's cells, stored units.",
        "quantiles": QUANTILES,
        "n_cells": cohort.frame["species"].value_counts().to_dict(),
        "species": species,
        "levels": LEVELS,
        "classes": classes,
    }


def _quantiles(cells: pd.DataFrame, levels: tuple[float, ...]) -> dict[str, list[float]]:
    quantiles = cells[list(FEATURE_NAMES)].quantile(list(levels))
    return {feature: [float(f"{value:.6g}") for value in quantiles[feature]] for feature in FEATURE_NAMES}


if __name__ == "__main__":
    content = feature_ranges(load_cohort(Path(sys.argv[1])))
    RANGES_FILE.write_text(json.dumps(content) + "\n", encoding="utf-8")
