"""Template of the feature table for upload: columns, units and an example row."""

from collections.abc import Iterable

import pandas as pd

from neuroclass.cell_types import Species
from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.io.feature_table import CELL_COLUMN, SPECIES_COLUMN
from neuroclass.reference.ranges import load_ranges


def template_csv(features: Iterable[str] = FEATURE_NAMES) -> str:
    """Make a feature table to fill in.

    Returns
    -------
    str
        A header of ``cell``, ``species`` and the features, and one example row with the medians of the database's
        mouse cells. `template_guide` has units and definitions.
    """
    chosen, medians = tuple(features), load_ranges()[Species.MOUSE]
    names = [CELL_COLUMN, SPECIES_COLUMN, *chosen]
    example = ["example (medians)", Species.MOUSE.value, *(f"{medians[name].median:.4g}" for name in chosen)]
    return "\n".join([",".join(names), ",".join(example)]) + "\n"


def template_guide() -> pd.DataFrame:
    """Name, unit and definition of every column of the template."""
    rows = [(spec.name, spec.unit or "ratio", spec.stimulus.label, spec.definition) for spec in FEATURES]
    return pd.DataFrame(rows, columns=["column", "unit", "stimulus", "definition"])
