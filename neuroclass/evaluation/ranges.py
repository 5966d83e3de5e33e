"""Make ``models/feature_ranges.json``: ``python -m neuroclass.evaluation.ranges DIR``."""

import json
import sys
from pathlib import Path
from typing import Any

from neuroclass.cohort.cohort import Cohort
from neuroclass.cohort.loading import load_cohort
from neuroclass.features import FEATURE_NAMES
from neuroclass.ranges import RANGES_FILE

QUANTILES = (0.005, 0.5, 0.995)


def feature_ranges(cohort: Cohort) -> dict[str, Any]:
    """Quantiles of each feature over the cells of each species, stored units, ready for JSON."""
    species = {}
    for name in cohort.frame["species"].unique():
        quantiles = cohort.of_species(name).frame[list(FEATURE_NAMES)].quantile(list(QUANTILES))
        species[name] = {feature: quantiles[feature].round(6).tolist() for feature in FEATURE_NAMES}
    return {
        "about": "Quantiles of each feature over the Allen Cell Types Database's cells, stored units.",
        "quantiles": QUANTILES,
        "n_cells": cohort.frame["species"].value_counts().to_dict(),
        "species": species,
    }


if __name__ == "__main__":
    content = feature_ranges(load_cohort(Path(sys.argv[1])))
    RANGES_FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
