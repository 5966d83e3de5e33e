"""Template of the feature table for upload: columns, units and an example row."""

from collections.abc import Iterable

import pandas as pd

from neuroclass.cell_types import Species, Subclass
from neuroclass.features import FEATURE_NAMES, FEATURES
from neuroclass.io.feature_table import CELL_COLUMN, DONOR_COLUMN, LABEL_COLUMN, SPECIES_COLUMN
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


def labelled_template_csv() -> str:
    """Make a table of labelled cells to fill in: as `template_csv`, with each cell's donor and label."""
    header, example = template_csv().splitlines()
    first, species, *features = header.split(",")
    _, mouse, *medians = example.split(",")
    rows = [[first, DONOR_COLUMN, species, LABEL_COLUMN, *features]]
    rows += [
        [f"example {n} (medians)", f"donor {n}", mouse, label.value, *medians]
        for n, label in enumerate(Subclass, start=1)
    ]
    return "\n".join(map(",".join, rows)) + "\n"


def template_guide() -> pd.DataFrame:
    """Name, unit and definition of every column of the template."""
    rows = [(spec.name, spec.unit or "ratio", spec.stimulus.label, spec.definition) for spec in FEATURES]
    return pd.DataFrame(rows, columns=["column", "unit", "stimulus", "definition"])
